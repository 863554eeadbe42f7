#!/usr/bin/env bash
# Install what the other scripts need under build/: Python environments, Terraform and its CLI configuration.
# Usage: scripts/bootstrap.sh [PART ...]     (default: dev localstack terraform)
# The parts are dev, localstack, lambda-runtime, aws-cli, checkov, bench, browser, faults, node, parity, peers and
# terraform.
# Reads PYTHON (an interpreter), TERRAFORM (a binary) and TF_PROVIDER_MIRROR (a folder with registry.terraform.io/...).
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
build=$root/build
requirements=scripts/requirements
python_version=3.13
terraform_minimum=1.10
export UV_CACHE_DIR=$build/cache/uv UV_PYTHON_INSTALL_DIR=$build/python UV_NO_PROGRESS=1
export PIP_DISABLE_PIP_VERSION_CHECK=1 CHECKPOINT_DISABLE=1
# Building a source distribution may call rustup, which would create a folder in HOME.
[ -d "$HOME/.rustup" ] || export RUSTUP_HOME=$build/cache/rustup
mkdir -p "$build/bin" "$build/cache" "$build/tmp" "$build/venv"

say() { printf '  %s\n' "$*"; }
fail() { printf 'bootstrap: %s\n' "$*" >&2; exit 1; }

# Print the real path of an interpreter that works: it has the required version and the C modules. Fail otherwise, for
# example for a pyenv shim without a selected version.
real_python() { # interpreter, version, exact or ''
  "$1" -c "import sys, ssl, zlib, ctypes, sqlite3
wanted = tuple(map(int, '$2'.split('.')))
sys.exit('old') if sys.version_info[:2] < wanted or '$3' and sys.version_info[:2] != wanted else print(sys.executable)" 2>/dev/null
}

python_candidates() {
  echo "${PYTHON:-}"
  cat "$build/.python" 2>/dev/null || true # the interpreter of the last run comes before shims, which are slow to fail
  type -ap "python$python_version" python3 python || true
  local pyenv=${PYENV_ROOT:-$HOME/.pyenv}
  ls -d "$pyenv/versions/$python_version"*/bin/python3 "$HOME"/.local/share/uv/python/*/bin/"python$python_version" \
    /usr/local/bin/"python$python_version" /opt/*/bin/"python$python_version" "$build"/python/*/bin/"python$python_version" 2>/dev/null || true
}

find_python() { # version, exact or ''
  local candidate interpreter
  while read -r candidate; do
    if [ -n "$candidate" ] && interpreter=$(real_python "$candidate" "$1" "$2"); then echo "$interpreter"; return 0; fi
  done < <(python_candidates)
  return 1
}

ensure_uv() {
  [ -x "$build/uv/bin/uv" ] && "$build/uv/bin/uv" --version >/dev/null 2>&1 && return
  rm -rf "$build/uv"
  local python
  if python=$(find_python "$python_version" exact || find_python 3.9 ''); then
    say "installing uv into build/uv (with $python)"
    if "$python" -m venv "$build/uv" >/dev/null 2>&1 &&
      "$build/uv/bin/python" -m pip install -q --require-hashes --only-binary :all: -r $requirements/uv.txt; then return; fi
    rm -rf "$build/uv"
  fi
  local installed
  installed=$(command -v uv) && "$installed" --version >/dev/null 2>&1 ||
    fail "cannot install uv: install it yourself, or Python >= 3.9 with venv and pip" \
      "(Debian: apt install python3-venv), and check that PyPI is reachable"
  say "using $installed"
  mkdir -p "$build/uv/bin" && ln -s "$installed" "$build/uv/bin/uv"
}

ensure_python() {
  if python=$(find_python "$python_version" exact); then return; fi
  say "no Python $python_version found; uv downloads it into build/python"
  ensure_uv
  "$build/uv/bin/uv" python install --no-bin "$python_version" ||
    fail "no Python $python_version: install it (python.org, pyenv, uv, apt)," \
      "or set PYTHON=/path/to/python$python_version"
  python=$(find_python "$python_version" exact) ||
    fail "the downloaded Python $python_version does not run on this machine: install it yourself," \
      "or set PYTHON=/path/to/python$python_version"
}

# The packages without wheels. The setuptools that the requirements file pins is installed first, and builds them.
# All other packages must be wheels, because a build runs code, and uv's isolated builds fetch the newest setuptools.
built='airspeed-ext crontab jsonpath-rw pyvips'

# Print the pins with these names from a requirements file, with their hashes. With -v, print all other pins.
pins() { # requirements file, -v or '', names
  awk -v others="$2" -v names=" $3 " '
    /^[A-Za-z0-9]/ { split($1, name, "=="); shown = (index(names, " " name[1] " ") > 0) == (others == "") }
    /^[A-Za-z0-9]/ || /^ +--hash/ { if (shown) print }' "$requirements/$1"
}

# Install what a requirements file pins.
install_pins() { # interpreter, requirements file
  local install=("$build/uv/bin/uv" pip install -q --python "$1" --no-deps --require-hashes) from_source
  from_source=$(pins "$2" '' "$built")
  pins "$2" -v "$built" >"$build/tmp/$2" && "${install[@]}" --only-binary :all: -r "$build/tmp/$2" || return
  [ -z "$from_source" ] && return
  echo "$from_source" >"$build/tmp/$2" && "${install[@]}" --no-build-isolation -r "$build/tmp/$2"
}

# Create an environment unless its stamp has the checksum of the current requirements and interpreter.
ensure_venv() { # name, requirements file
  local name=$1 file=$2 venv=$build/venv/$1 plugin='' stamp
  [ "$name" != localstack ] || plugin=emulator/pyproject.toml
  stamp="$(cat "$requirements/$file" $plugin | cksum) $python"
  [ "$(cat "$venv/.stamp" 2>/dev/null)" = "$stamp" ] && "$venv/bin/python" -c '' 2>/dev/null && return
  ensure_uv
  say "making build/venv/$name (Python $python_version)"
  rm -rf "$venv"
  "$build/uv/bin/uv" venv -q --no-config --python "$python" "$venv"
  install_pins "$venv/bin/python" "$file" ||
    fail "could not install $requirements/$file; check the messages above and that PyPI is reachable"
  [ "$name" != localstack ] ||
    "$build/uv/bin/uv" pip install -q --python "$venv/bin/python" --no-deps --no-build-isolation -e emulator
  echo "$stamp" >"$venv/.stamp"
}

# Make the environment import the command and the functions from this checkout. If the environment is a link to another
# checkout's, change nothing.
link_sources() {
  [ ! -L "$build/venv" ] || return 0
  printf '%s\n' "$root/src" "$root/functions" >"$build/venv/$1/lib/python$python_version/site-packages/eventloom.pth"
}

terraform_works() {
  "$1" version -json 2>/dev/null | "$python" -c "import json, sys
version = json.load(sys.stdin)['terraform_version'].split('-')[0].split('.')
sys.exit(tuple(map(int, version[:2])) < tuple(map(int, '$terraform_minimum'.split('.'))))" 2>/dev/null
}

ensure_terraform() {
  local candidate
  while read -r candidate; do
    if [ -n "$candidate" ] && [ "$candidate" != "$build/bin/terraform" ] && terraform_works "$candidate"; then
      ln -sf "$candidate" "$build/bin/terraform"; return
    fi
  done < <(echo "${TERRAFORM:-}"; type -ap terraform || true)
  terraform_works "$build/bin/terraform" && return
  rm -f "$build/bin/terraform"
  "$python" scripts/fetch_terraform.py "$build/bin" ||
    fail "no Terraform >= $terraform_minimum: install it, or set TERRAFORM=/path/to/terraform"
}

# Print the folder of a provider mirror for this platform, unpacked or zipped, in the layout of
# `terraform providers mirror`.
find_mirror() {
  local version folder platform
  version=$(sed -n 's/^ *version *= *"\(.*\)"/\1/p' terraform/.terraform.lock.hcl)
  platform=$("$build/bin/terraform" version -json 2>/dev/null | sed -n 's/.*"platform": *"\(.*\)".*/\1/p')
  for folder in ${TF_PROVIDER_MIRROR:+"$TF_PROVIDER_MIRROR/registry.terraform.io/hashicorp/aws"} $(find "$HOME/.terraform.d" /usr/local/share \
    /usr/share/terraform /usr/lib/terraform /opt /srv /var/lib/terraform /var/cache/terraform \
    -maxdepth 5 -type d -path '*/registry.terraform.io/hashicorp/aws' 2>/dev/null); do
    if [ -d "$folder/$version/$platform" ] || [ -f "$folder/terraform-provider-aws_${version}_$platform.zip" ]; then
      echo "${folder%/registry.terraform.io/hashicorp/aws}"; return
    fi
  done
}

ensure_terraform_config() {
  local file=$build/terraform.tfrc mirror stamp
  stamp="# for $build/bin/terraform, mirror ${TF_PROVIDER_MIRROR:-searched}"
  if [ "$(head -1 "$file" 2>/dev/null)" = "$stamp" ]; then
    mirror=$(sed -n 's/^ *path = "\(.*\)"/\1/p' "$file")
    [ -z "$mirror" ] || [ -d "$mirror" ] && return
  fi
  mirror=$(find_mirror)
  mkdir -p "$build/cache/terraform"
  if [ -n "$mirror" ]; then
    say "Terraform takes its provider from the mirror $mirror"
    cat >"$file" <<TFRC
$stamp
provider_installation {
  filesystem_mirror {
    path = "$mirror"
    include = ["registry.terraform.io/hashicorp/aws"]
  }
  direct {
    exclude = ["registry.terraform.io/hashicorp/aws"]
  }
}
TFRC
  else
    say "Terraform downloads its provider (cached in build/cache/terraform)"
    printf '%s\nplugin_cache_dir = "%s"\n' "$stamp" "$build/cache/terraform" >"$file"
  fi
}

# Two runs at once must not create the same environment.
if command -v flock >/dev/null; then exec 9>"$build/.bootstrap.lock"; flock 9; fi

[ $# -gt 0 ] || set -- dev localstack terraform
ensure_python
echo "$python" >"$build/.python"
for part in "$@"; do
  case $part in
    dev) ensure_venv dev dev.txt; link_sources dev ;;
    localstack) ensure_venv lambda-runtime lambda-runtime.txt; ensure_venv localstack localstack.txt ;;
    lambda-runtime) ensure_venv lambda-runtime lambda-runtime.txt ;;
    browser) ensure_venv browser browser.txt ;;
    aws-cli) ensure_venv aws-cli aws-cli.txt ;;
    checkov) ensure_venv checkov checkov.txt ;;
    bench) ensure_venv lambda-runtime lambda-runtime.txt; ensure_venv bench bench.txt; link_sources bench ;;
    faults) ensure_venv faults faults.txt ;;
    node) ensure_venv node node.txt ;;
    parity) ensure_venv parity parity.txt ;;
    peers) ensure_venv peers peers.txt ;;
    terraform) ensure_terraform; ensure_terraform_config ;;
    *)
      fail "unknown part '$part';" \
        "choose from dev, localstack, lambda-runtime, aws-cli, checkov, bench, browser, faults, node, parity, peers, terraform"
      ;;
  esac
done
