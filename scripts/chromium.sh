#!/usr/bin/env bash
# Prints the path of a Chromium for the browser tests: $CHROMIUM, one that is installed, or Debian's, which root may install.
# Exits with 1 and the reason where there is none. Never downloads a browser by other ways.
set -euo pipefail
find_browser() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome; do
    if [ -n "$name" ] && command -v "$name"; then return 0; fi
  done
  return 1
}
find_browser && exit
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "  installing Debian's Chromium for the browser tests" >&2
  apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null 2>&1 || true
  find_browser && exit
fi
echo "no Chromium: install it (Debian: apt install chromium), or say CHROMIUM=/path/to/chromium" >&2
exit 1
