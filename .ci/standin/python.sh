#!/usr/bin/env bash
# Print the tag of a stand-in for emulator/Dockerfile's base image, for a machine that cannot pull that image. The
# stand-in is Debian with Python 3.13 and this machine's certificates, which may include a proxy's.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=build/ci/standin/python tag=eventloom-standin/python:3.13
mkdir -p "$folder"
cp /etc/ssl/certs/ca-certificates.crt "$folder/"
cp .ci/standin/python.Dockerfile "$folder/Dockerfile"
base=$(.ci/standin/debian.sh)
DOCKER_BUILDKIT=0 docker build --quiet --build-arg "BASE=$base" -t "$tag" "$folder" >/dev/null 2>"$folder.log" ||
  { cat "$folder.log" >&2; exit 1; }
echo "$tag"
