#!/bin/bash
# Runs scim2-tester against the real Redmine through the gateway.
#
#   tests/suites/redmine.sh        starts Redmine (tests/apps/redmine/start.sh) and a gateway in front of it
#
# APPS_CACHE and SUITES_CACHE are as for tests/apps/run.sh and tests/suites/run.sh. A Redmine that was running is left running.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
CACHE=${SUITES_CACHE:-${TMPDIR:-/tmp}/scimgate-suites}
[ -x "$CACHE/bin/scim2" ] || { echo "run tests/suites/run.sh first: it installs the suites" >&2; exit 2; }
cargo build --quiet --bin scimgate || exit 2

folder=$(mktemp -d)
gateway=
was_running=
tests/apps/redmine/start.sh env >/dev/null 2>&1 && was_running=1
trap '[ -z "$gateway" ] || kill "$gateway" 2>/dev/null; [ -n "$was_running" ] || tests/apps/redmine/start.sh stop >/dev/null; rm -rf "$folder"' EXIT
said=$(tests/apps/redmine/start.sh | tail -20) || { echo "Redmine did not start" >&2; exit 2; }
value() { sed -n "s/^$1=//p" <<<"$said" | tail -1; }
REDMINE_URL=$(value BASE_URL) REDMINE_API_KEY=$(value API_KEY)
export REDMINE_URL REDMINE_API_KEY

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p "$folder/mappings/apps"
cp mappings/apps/redmine.toml "$folder/mappings/apps/"
made=$(target/debug/scimgate keys create suite --name suite --toml 2>"$folder/key")
{ printf 'tenant = "suite"\napp = "redmine"\n\n'; printf '%s\n' "$made"; } >"$folder/mappings/suite.toml"
token=$(grep -ohE 'sg_[A-Za-z0-9_-]+' "$folder/key" "$folder/mappings/suite.toml" | head -1)
cat >"$folder/scimgate.toml" <<TOML
mappings = "$folder/mappings"

[listen]
address     = "127.0.0.1:$port"
certificate = "$PWD/certs/server.pem"
key         = "$PWD/certs/server-key.pem"

[store]
path = "$folder/store.sqlite"
TOML
target/debug/scimgate serve --config "$folder/scimgate.toml" >"$folder/log" 2>&1 &
gateway=$!
export SSL_CERT_FILE=$PWD/certs/ca.pem
for _ in $(seq 100); do
  curl -s --cacert certs/ca.pem -o /dev/null "https://127.0.0.1:$port/scim/v2/ServiceProviderConfig" && break
  kill -0 "$gateway" 2>/dev/null || { cat "$folder/log" >&2; exit 2; }
  sleep 0.1
done

report=$(SCIM_CLI_HEADERS="Authorization: Bearer $token" timeout 600 "$CACHE/bin/scim2" -u "https://127.0.0.1:$port/scim/v2" -h "Authorization: Bearer $token" test 2>&1)
# What Redmine itself cannot: a name of more than 30 characters, and an address of another type than the one it has.
limits='may have 30 characters at most|PATCH modify\(\) returned unexpected value for .emails.'
unexpected=$(grep -A1 -E '^(ERROR|CRITICAL)' <<<"$report" | grep -E '^  ' | grep -vE "$limits")
grep -A3 -E '^(ERROR|CRITICAL)' <<<"$report"
passed=$(grep -c '^SUCCESS' <<<"$report")
errors=$(grep -cE '^(ERROR|CRITICAL)' <<<"$report")
[ "$passed" -gt 0 ] || echo "$report" | tail -20
echo "scim2-tester against Redmine: $passed passed, $errors failed, of which not by a limit of Redmine: $(grep -c . <<<"$unexpected")"
[ "$passed" -gt 0 ] && [ -z "$unexpected" ]
