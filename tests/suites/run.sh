#!/bin/bash
# Runs the public conformance suites scim2-tester and scim-sanity, the client library scim2-client, and the black-box suites, against the demo. Against a strict
# demo the black-box suites run again, and `differential.py` compares it with scim2-server.
#
#   tests/suites/run.sh              starts `demo --serve` by itself
#   tests/suites/run.sh URL TOKEN [CA]   the public suites alone, against any other server
#
# The suites are installed into a virtual environment below SUITES_CACHE (default: a folder in the temporary directory).
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
CACHE=${SUITES_CACHE:-${TMPDIR:-/tmp}/scimgate-suites}
PACKAGES=(scim2-tester==0.5.2 scim2-cli==0.6.0 scim-sanity==0.7.4 scim2-server==0.8.3)

if ! [ -e "$CACHE/.done-2" ]; then
  python3 -m venv "$CACHE" && "$CACHE/bin/pip" install -q --disable-pip-version-check "${PACKAGES[@]}" && touch "$CACHE/.done-2" || exit 2
fi

started=()
# Starts the demo with further options; sets BASE_URL, TOKEN, CA, CONFIG.
start_demo() {
  local out
  out=$(mktemp)
  target/debug/scimgate demo --serve "$@" >"$out" 2>/dev/null &
  started+=($!)
  for _ in $(seq 600); do grep -q '^READY' "$out" && break; sleep 0.1; done
  # shellcheck disable=SC1090
  . <(grep -E '^(BASE_URL|TOKEN|CA|CONFIG)=' "$out")
  rm -f "$out"
}
# Waits until something listens on a port of this machine, a minute at most.
wait_for() {
  for _ in $(seq 600); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.1
  done
  return 1
}
trap '[ ${#started[@]} -eq 0 ] || kill "${started[@]}" 2>/dev/null' EXIT

own=
if [ $# -ge 2 ]; then
  BASE_URL=$1 TOKEN=$2 CA=${3:-}
else
  cargo build --quiet --bin scimgate || exit 2
  start_demo
  own=1
fi
[ -z "$CA" ] || export SSL_CERT_FILE=$CA REQUESTS_CA_BUNDLE=$CA

failed=0
echo "== scim2-tester"
report=$(SCIM_CLI_HEADERS="Authorization: Bearer $TOKEN" timeout 300 "$CACHE/bin/scim2" -u "$BASE_URL" -h "Authorization: Bearer $TOKEN" test 2>&1) || failed=1
grep -A3 -E '^(ERROR|CRITICAL)' <<<"$report"
passed=$(grep -c '^SUCCESS' <<<"$report")
errors=$(grep -cE '^(ERROR|CRITICAL)' <<<"$report")
[ "$passed" -gt 0 ] || { echo "$report" | tail -20; failed=1; }

# Sets what `sanity.sh` runs; see there for the one check that this gateway answers otherwise.
# shellcheck source=tests/suites/sanity.sh
. tests/suites/sanity.sh
echo "== scim-sanity"
sanity "$ADDS_NOBODY" || failed=1
if [ -n "$own" ]; then
  echo "== scim-sanity, references held"
  printf '\n[policy]\non-missing-reference = "hold"\n' >>"${CONFIG%/*}/mappings/demo.toml"
  sleep 5 # Mappings are looked at every two seconds.
  sanity '^$' || failed=1
fi

if [ -n "$own" ]; then
  # More than one page of users; scim2-tester looks at the first page only.
  start_demo --users 300
  export BASE_URL TOKEN CA
  echo "== scim2-client"
  timeout 300 "$CACHE/bin/python" -W ignore tests/suites/client.py || failed=1
  echo "== black box"
  timeout 900 python3 tests/suites/blackbox.py || failed=1
  timeout 900 python3 tests/suites/vectors.py || failed=1
  start_demo --strict --users 300
  echo "== black box, strict"
  timeout 900 python3 tests/suites/blackbox.py || failed=1
  timeout 900 python3 tests/suites/vectors.py || failed=1
  echo "== differential"
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  "$CACHE/bin/scim2-server" --port "$port" 2>/dev/null &
  started+=($!)
  wait_for "$port" || { echo "scim2-server did not start"; failed=1; }
  THEIR_URL=http://127.0.0.1:$port/v2 timeout 900 python3 tests/suites/differential.py 7643 150 || failed=1
fi

echo "scim2-tester: $passed passed, $errors failed"
exit $failed
