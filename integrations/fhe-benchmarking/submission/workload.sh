# What each size of the workload is run with. Sourced by the programs (programs/task.sh) and by the build.
#
# VELUM_VARIANT chooses among the networks, for all programs alike:
#   fast        one square: no evaluation keys at all, the least time (default)
#   accurate    two squares

# workload SIZE sets: name, the folder in io/ and datasets/; images, for which the plan is made; network, in models/;
# border, the pixels on each side that the network does not read; options, of velum plan.
workload() {
  variant=${VELUM_VARIANT:-fast}
  case "$variant" in
    fast) network=board-one-square.onnx border=4 options='--precision 8 --small-results' ;;
    accurate) network=board-two-squares.onnx border=3 options='--precision 9' ;;
    *) return 2 ;;
  esac
  case "$1" in
    0) name=single images=1 ;;
    1) name=small images=100 ;;
    2) name=medium images=1000 ;;
    3) name=large images=10000 ;;
    *) return 2 ;;
  esac
}

# plan_to FOLDER: both halves of the plan. One decision for the build, the server and the client, and so the same on
# every machine: neither for the cores of this one (the server takes all it has all the same) nor for rates measured on it.
plan_to() {
  # shellcheck disable=SC2086
  "$here/velum" plan "$network" --batch "$images" $options --threads 2 --rates builtin --out "$1"
}
