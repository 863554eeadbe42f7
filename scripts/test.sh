#!/usr/bin/env bash
# `make test`: every check that needs neither Docker nor an account. Runs all of them even if one fails;
# the last line adds the results up.
set -uo pipefail
cd "$(dirname "$0")/.."
python=build/venv/dev/bin/python
logs=build/test-logs
mkdir -p "$logs"
results=$logs/results.txt
: >"$results"

# A step's own "N passed, N failed" is added up; a step without one counts as one.
step() { # name, command...
  local name=$1 log=$logs/$1.log began=$SECONDS code ok bad
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$log"
  code=${PIPESTATUS[0]}
  read -r ok bad < <(tail -n 1 "$log" | tr , '\n' | awk '/passed/ {ok += $1} /failed|error/ {bad += $1} END {print ok + 0, bad + 0}')
  if [ "$code" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  if [ "$code" = 0 ] && [ "$ok" = 0 ]; then ok=1; fi
  echo "$ok $bad" >>"$results"
  printf -- '-- %s: %s (%d s)\n' "$name" "$([ "$code" = 0 ] && echo ok || echo FAILED)" $((SECONDS - began))
}

checks() {
  step lint make lint
  step unit "$python" -m pytest -q -n 2 tests/unit
  step embedded-localstack build/venv/localstack/bin/python -m pytest -q scripts/embedded_localstack/tests
  step terraform "$python" scripts/test_terraform.py
  step checkov make checkov
  step policies make test-policies
  # On an emulator of its own, and on the port after it the proxy that breaks things.
  scripts/bootstrap.sh faults
  step faults env EMBEDDED_PORT="${FAULTS_PORT:-4595}" "$python" -m pytest -q tests/faults/test_short.py
}

# First the browser, on the deployment that the integration tests then go on with and destroy.
cloud() {
  if CHROMIUM=$(scripts/chromium.sh) && scripts/bootstrap.sh browser; then
    export CHROMIUM
    step browser env EMBEDDED_PORT="${EMBEDDED_PORT:-4599}" build/venv/browser/bin/python -m pytest -q tests/browser --keep
  else
    skipped='SKIPPED: the browser tests, for want of Chromium (see above)'
    printf '\n== browser\n%s\n' "$skipped"
  fi
  step integration "$python" -m pytest -q tests/integration --durations=12
}

step build "$python" scripts/build.py
# The tests in the cloud mostly wait, the checks mostly compute: they run side by side. The checks have a process group
# of their own, so that they end with this one.
set -m
checks >"$logs/checks.log" 2>&1 &
checks=$!
set +m
trap 'kill -- -$checks 2>/dev/null' EXIT
printf '\nMeanwhile: lint, unit, embedded-localstack, terraform, checkov, policies, faults. What they print follows at the end (%s).\n' "$logs/checks.log"
cloud
wait $checks
trap - EXIT
cat "$logs/checks.log"

read -r passed failed < <(awk '{ok += $1; bad += $2} END {print ok, bad}' "$results")
[ -z "${skipped:-}" ] || printf '\n%s\n' "$skipped"
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
