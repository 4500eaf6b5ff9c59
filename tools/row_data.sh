# Sourced by train_table.sh and run_rows.sh: sets data to the data set that a row of docs/results-training.md begins with.
find_data() {  # find_data ROW
  case "$1" in
    digits-*) data=digits ;;
    mnist-*) data=mnist:$VELUM_DATA/mnist ;;
    cifar10-*) data=cifar10:$VELUM_DATA/cifar10 ;;
    pneumonia-*) data=medmnist:$VELUM_DATA/pneumoniamnist/pneumoniamnist.npz ;;
    covid-xray-*) data=folder:$VELUM_DATA/covid-xray ;;
    covid-ct-*) data=folder:$VELUM_DATA/covid-ct ;;
    *) echo "$0: row $1: no data set goes by the beginning of its name" >&2; exit 2 ;;
  esac
}
