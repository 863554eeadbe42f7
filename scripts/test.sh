#!/usr/bin/env bash
# `make test`: every check that needs neither Docker nor an account, by its make target where it has one, as people type it. Runs all
# of them even if one fails; the last line adds the results up.
set -uo pipefail
cd "$(dirname "$0")/.."
logs=build/test-logs
mkdir -p "$logs"
results=$logs/results.txt
skipped=$logs/skipped.txt
: >"$results" >"$skipped"

# A step's own "N passed, N failed", its last line but for make's, is added up; a step without one counts as one.
step() { # name, command...
  local name=$1 log=$logs/$1.log began=$SECONDS code ok bad
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 | tee "$log"
  code=${PIPESTATUS[0]}
  read -r ok bad < <(grep -v '^make.*\*\*\*' "$log" | tail -n 1 | tr , '\n' | awk '/passed/ {ok += $1} /failed|error/ {bad += $1} END {print ok + 0, bad + 0}')
  if [ "$code" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  if [ "$code" = 0 ] && [ "$ok" = 0 ]; then ok=1; fi
  echo "$ok $bad" >>"$results"
  printf -- '-- %s: %s (%d s)\n' "$name" "$([ "$code" = 0 ] && echo ok || echo FAILED)" $((SECONDS - began))
}

checks() {
  step lint make lint
  step unit make test-unit
  step embedded-localstack build/venv/localstack/bin/python -m pytest -q emulator/tests/live
  step terraform make test-terraform
  step checkov make checkov
  step policies make test-policies
  step iam-evaluator make test-iam ONLY=tests/iam/test_evaluator.py
  # On an emulator of its own, and on the port after it the proxy that breaks things.
  step faults make test-faults ONLY="tests/faults/test_checker.py tests/faults/test_short.py" EMBEDDED_PORT="${FAULTS_PORT:-4595}"
  step first-steps build/venv/dev/bin/python -m pytest -q tests/first_steps
  step bench make bench QUICK=1
  grep '^SKIPPED: ' "$logs/bench.log" >>"$skipped"
}

# First the browser, on the deployment that the integration tests then go on with and destroy.
cloud() {
  if scripts/chromium.sh >/dev/null; then
    step browser make test-browser KEEP=1
  else
    printf '\n== browser\n'
    echo 'SKIPPED: the browser tests, for want of Chromium (see above)' | tee -a "$skipped"
  fi
  step integration make test-integration
}

step build make build
# The tests in the cloud mostly wait, the checks mostly compute: they run side by side. The checks have a process group
# of their own, so that they end with this one.
set -m
checks >"$logs/checks.log" 2>&1 &
checks=$!
set +m
trap 'kill -- -$checks 2>/dev/null' EXIT
printf '\nMeanwhile: lint, unit, embedded-localstack, terraform, checkov, policies, iam-evaluator, faults, first-steps, bench.\n'
printf 'What they print follows at the end (%s).\n' "$logs/checks.log"
cloud
wait $checks
trap - EXIT
cat "$logs/checks.log"

read -r passed failed < <(awk '{ok += $1; bad += $2} END {print ok, bad}' "$results")
[ ! -s "$skipped" ] || { echo; cat "$skipped"; }
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
