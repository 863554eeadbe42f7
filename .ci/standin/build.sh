#!/usr/bin/env bash
# Builds stand-ins for the images of the compose cloud, for machines that can pull none: from Debian, and from what is pinned in
# scripts/requirements. Usage: .ci/standin/build.sh IMAGE     (the tag of docker-compose.yml)
set -euo pipefail
cd "$(dirname "$0")/../.."
image=$1 work=$PWD/build/ci/standin
export DOCKER_BUILDKIT=0
say() { printf '  stand-in: %s\n' "$*"; }

inputs=$(cat .ci/standin/* scripts/requirements/{localstack,lambda-runtime}.txt $(git ls-files 'emulator/src/*.py') | sha256sum | cut -c1-16)
if [ "$(docker image inspect -f '{{index .Config.Labels "eventloom.inputs"}}' "$image" 2>/dev/null)" = "$inputs" ]; then
  say "$image is there already ($inputs)"
  exit
fi

scripts/bootstrap.sh localstack lambda-runtime
mkdir -p "$work"
# libstdc++ is what Lambda's runtime client and compiled packages are linked with; curl is for the health check.
debian=python3,libstdc++6,curl,ca-certificates
base=eventloom-standin/debian:trixie-$(cksum <<<"$debian" | cut -d' ' -f1)
if ! docker image inspect "$base" >/dev/null 2>&1; then
  command -v mmdebstrap >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null; }
  say "$base: Debian with Python 3.13"
  TMPDIR=$work mmdebstrap --quiet --variant=essential --include="$debian" trixie "$work/debian.tar"
  docker import "$work/debian.tar" "$base" >/dev/null
  rm "$work/debian.tar"
fi

# The environment's packages without its editable plugin: that one is for the host, and would start functions as processes.
packages() { # environment, folder
  rm -rf "$2" && mkdir -p "$2/packages"
  tar -C "build/venv/$1/lib/python3.13/site-packages" --exclude='embedded_localstack*' --exclude=__pycache__ -c . | tar -C "$2/packages" -x
  cp -r emulator/src/embedded_localstack "$2/packages/"
}
build() { # folder, Dockerfile, tag
  docker build --quiet --build-arg "BASE=$base" --label "eventloom.inputs=$inputs" -f "$2" -t "$3" "$1" 2>"$work/build.log" >/dev/null || { cat "$work/build.log"; exit 1; }
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
