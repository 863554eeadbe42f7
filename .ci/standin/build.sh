#!/usr/bin/env bash
# Build stand-ins for the images of the compose cloud on a machine that cannot pull them, from Debian packages and the
# pinned Python packages in scripts/requirements.
# Usage: .ci/standin/build.sh IMAGE     (the image that docker-compose.yml names)
set -euo pipefail
cd "$(dirname "$0")/../.."
image=$1 work=$PWD/build/ci/standin
export DOCKER_BUILDKIT=0
say() { printf '  stand-in: %s\n' "$*"; }

inputs=$(cat .ci/standin/* scripts/requirements/{localstack,lambda-runtime}.txt $(git ls-files 'emulator/src/*.py') | sha256sum | cut -c1-16)
if [ "$(docker image inspect -f '{{index .Config.Labels "eventloom.inputs"}}' "$image" 2>/dev/null)" = "$inputs" ]; then
  say "$image is up to date ($inputs)"
  exit
fi

scripts/bootstrap.sh localstack lambda-runtime
mkdir -p "$work"
base=$(.ci/standin/debian.sh)

# Copy an environment's packages without the editable install of the plugin, which would run functions as processes.
packages() { # environment, folder
  rm -rf "$2" && mkdir -p "$2/packages"
  tar -C "build/venv/$1/lib/python3.13/site-packages" --exclude='embedded_localstack*' --exclude=__pycache__ -c . | tar -C "$2/packages" -x
  cp -r emulator/src/embedded_localstack "$2/packages/"
}
build() { # folder, Dockerfile, tag
  docker build --quiet --build-arg "BASE=$base" --label "eventloom.inputs=$inputs" -f "$2" -t "$3" "$1" \
    2>"$work/build.log" >/dev/null || { cat "$work/build.log"; exit 1; }
  rm -rf "$1"
  say "$3: $(docker image inspect -f '{{index .Config.Labels "org.opencontainers.image.title"}}' "$3")"
}
packages lambda-runtime "$work/lambda"
cp -r build/venv/localstack/lib/python3.13/site-packages/psutil "$work/lambda/packages/" # init.py's executor needs it
build "$work/lambda" .ci/standin/lambda.Dockerfile eventloom-standin/lambda-python:3.13
packages localstack "$work/localstack"
cp .ci/standin/init.py "$work/localstack/init"
cp .ci/standin/standin.py "$work/localstack/packages/"
mkdir "$work/localstack/packages/standin-1.dist-info"
printf 'Metadata-Version: 2.1\nName: standin\nVersion: 1\n' >"$work/localstack/packages/standin-1.dist-info/METADATA"
cp .ci/standin/entry_points.txt "$work/localstack/packages/standin-1.dist-info/"
build "$work/localstack" .ci/standin/localstack.Dockerfile "$image"
