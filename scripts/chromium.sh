#!/usr/bin/env bash
# Print the path of a Chromium for the browser tests: $CHROMIUM, or an installed one.
# With INSTALL_CHROMIUM=1, as in CI, root installs Debian's Chromium if there is none. This changes the machine outside
# the checkout, so it is off by default. Exits with 1 and the reason if there is no Chromium.
set -euo pipefail
find_browser() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome; do
    if [ -n "$name" ] && command -v "$name"; then return 0; fi
  done
  return 1
}
find_browser && exit
if [ "${INSTALL_CHROMIUM:-}" = 1 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "  installing Debian's Chromium for the browser tests" >&2
  apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null 2>&1 || true
  find_browser && exit
fi
echo "no Chromium: install it (Debian: apt install chromium; INSTALL_CHROMIUM=1 does this as root)," \
  "or set CHROMIUM=/path/to/chromium" >&2
exit 1
