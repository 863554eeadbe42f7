#!/usr/bin/env bash
# `make test`: every check that needs neither Docker nor an AWS account. A check runs by its make target if it has one.
# All checks run even if one fails; the last line is the total.
set -uo pipefail
cd "$(dirname "$0")/.."
logs=build/test-logs
times=build/times
lane=test
niceness=0
mkdir -p "$logs" "$times"
rm -f "$times"/*.jsonl
results=$logs/results.txt
skipped=$logs/skipped.txt
: >"$results" >"$skipped"

# Run a step and record its result: the counts in its last line that is not make's, or one test if it prints no counts.
# The steps of a lane share a file of times, because the next step may use a server that one step leaves running.
step() { # name, command...
  local name=$1 log=$logs/$1.log began=$SECONDS code ok bad
  shift
  printf '\n== %s\n' "$name"
  nice -n "$niceness" build/venv/dev/bin/python -m scripts.measured --into "$times/$lane.jsonl" "$name" "$@" 2>&1 | tee "$log"
  code=${PIPESTATUS[0]}
  read -r ok bad < <(grep -v '^make.*\*\*\*' "$log" | tail -n 1 | tr , '\n' |
    awk '/passed/ {ok += $1} /failed|error/ {bad += $1} END {print ok + 0, bad + 0}')
  if [ "$code" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  if [ "$code" = 0 ] && [ "$ok" = 0 ]; then ok=1; fi
  echo "$ok $bad" >>"$results"
  printf -- '-- %s: %s (%d s)\n' "$name" "$([ "$code" = 0 ] && echo ok || echo FAILED)" $((SECONDS - began))
}

# These only compute, so they have a lower priority than the other lanes, which take longer as they wait for the cloud.
checks() {
  lane=checks niceness=5
  step lint make lint
  step unit make test-unit
  step terraform make test-terraform
  step checkov make checkov
  step policies make test-policies
  step iam-evaluator make test-iam ONLY="tests/iam/test_evaluator.py tests/iam/test_differential.py"
}

emulator() {
  lane=emulator
  step embedded-localstack build/venv/localstack/bin/python -m pytest -q emulator/tests/backend emulator/tests/live
  # These start from the copy of a deployment that the other tests have kept by now (tests/kept_deployments.py).
  # The next port is that of the proxy that injects faults.
  step faults make test-faults ONLY="tests/faults/test_checker.py tests/faults/test_short.py" EMBEDDED_PORT="${FAULTS_PORT:-4595}"
  step bench make bench QUICK=1
  grep '^SKIPPED: ' "$logs/bench.log" >>"$skipped"
}

# Separate deployments, each on its own emulator.
deployments() {
  lane=deployments
  step first-steps build/venv/dev/bin/python -m pytest -q tests/first_steps
  step modules make test-modules
}

# The browser tests come first: the integration tests reuse their deployment and destroy it.
cloud() {
  lane=cloud
  if scripts/chromium.sh >/dev/null; then
    step browser make test-browser KEEP=1
  else
    printf '\n== browser\n'
    echo 'SKIPPED: the browser tests, because there is no Chromium (see above)' | tee -a "$skipped"
  fi
  step integration make test-integration
}

# Without this trap, bash continues with the next step, because scripts/measured.py exits with a code.
trap 'exit 130' INT
step build make build
# The cloud tests mostly wait and the checks mostly compute, so all lanes run side by side. Each lane in the background
# gets its own process group, so that the trap ends all of its processes.
background=(checks emulator deployments)
groups=()
set -m
for name in "${background[@]}"; do
  "$name" >"$logs/lane-$name.log" 2>&1 &
  groups+=($!)
done
set +m
trap 'kill -- "${groups[@]/#/-}" 2>/dev/null' EXIT
printf '\nMeanwhile: lint, unit, terraform, checkov, policies, iam-evaluator (%s),\n' "$logs/lane-checks.log"
printf 'embedded-localstack, faults, bench (%s),\n' "$logs/lane-emulator.log"
printf 'and first-steps, modules (%s). Their output is printed at the end.\n' "$logs/lane-deployments.log"
cloud
wait "${groups[@]}"
trap - EXIT
for name in "${background[@]}"; do cat "$logs/lane-$name.log"; done

read -r passed failed < <(awk '{ok += $1; bad += $2} END {print ok, bad}' "$results")
echo
build/venv/dev/bin/python -m scripts.step_times
[ ! -s "$skipped" ] || { echo; cat "$skipped"; }
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
