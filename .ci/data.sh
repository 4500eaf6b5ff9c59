# Tests on real images, on small inputs that once failed, and on networks that other programs wrote run where these
# are laid out next to the checkout, and are skipped elsewhere.
lay_out() {  # VARIABLE FOLDER
  if [ -z "${!1:-}" ] && [ -d "../shared/$2" ]; then
    export "$1=$(cd "../shared/$2" && pwd)"
  fi
}
lay_out VELUM_DATA data
lay_out VELUM_CASES cases
lay_out VELUM_EXPORTS exports
lay_out VELUM_MODELS models-real
