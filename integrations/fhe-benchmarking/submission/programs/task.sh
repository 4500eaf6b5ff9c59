# Sourced by each program: which size is asked for, its folders, and what it is run with (../workload.sh).
# The harness calls the programs by their path, from the root of its clone.
here=${0%/*}
. "$here/workload.sh"

# task SIZE: sets the names below, or ends the program.
task() {
  workload "${1:-}" || {
    echo "${0##*/}: size '${1:-}' of variant '$variant': sizes are 0 (single), 1 (small), 2 (medium) and 3 (large)," \
      "variants (VELUM_VARIANT) fast and accurate" >&2
    exit 2
  }
  io=io/$name
  pixels=datasets/$name/intermediate/test_pixels.txt
  client_plan=$here/published/$variant/$name/client.plan
  server_plan=$here/server/$variant/$name/server.plan
  network=$here/models/$network
}
