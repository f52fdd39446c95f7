#!/bin/bash
# Runs scim2-tester and scim-sanity against real applications through the gateway, with the mappings that ship.
#
#   tests/suites/applications.sh [redmine]...     starts each (tests/apps/NAME/start.sh) and a gateway in front of it
#
# APPS_CACHE and SUITES_CACHE are as for tests/apps/run.sh and tests/suites/run.sh. An application that was running is left running.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
CACHE=${SUITES_CACHE:-${TMPDIR:-/tmp}/scimgate-suites}
[ -x "$CACHE/bin/scim2" ] || { echo "run tests/suites/run.sh first: it installs the suites" >&2; exit 2; }
cargo build --quiet --bin scimgate || exit 2
# shellcheck source=tests/suites/sanity.sh
. tests/suites/sanity.sh

# What an application itself cannot, as docs/apps/NAME.md says: the suite's words for it.
limits() {
  case $1 in
    # No place for a display name.
    directus | jupyterhub) echo 'Expected displayName=|GET /Users/\{id\} after PUT|^--' ;;
    # Groups are fixed; a password is set once, at creation; no place for a display name.
    rabbitmq | mediawiki) echo 'Expected displayName=|GET /Users/\{id\} after PUT|cannot create a Group through its API|.password. cannot be changed once|POST /Groups|Expected HTTP 201, got 501|^--' ;;
    # Columns of 16 characters; a password is set once.
    rt) echo 'may have 16 characters at most|.password. cannot be changed once' ;;
    # A role is one of Zabbix's own; no place for a display name.
    zabbix) echo 'does not know this value of .userType|Expected displayName=|GET /Users/\{id\} after PUT|^--' ;;
    *) echo '^$' ;;
  esac
}

# What the tenant's file says beside its key: where a user is an address, the suite's names are to become some.
settings() {
  case $1 in
    directus) printf '[settings]\ndomain = "people.example.com"\n' ;;
    mailman) printf '[settings]\npeople = "people.example.com"\n' ;;
  esac
}

# Whatever is started for one application; `finish` ends it.
folder= gateway= app= was_running=
finish() {
  [ -z "$gateway" ] || { kill "$gateway" && wait "$gateway"; } 2>/dev/null
  [ -z "$app" ] || [ -n "$was_running" ] || "tests/apps/$app/start.sh" stop >/dev/null
  [ -z "$folder" ] || rm -rf "$folder"
  folder= gateway= app= was_running=
}
trap finish EXIT

run() {
  local name=$1 said upper port made token report unexpected passed errors
  was_running=
  "tests/apps/$name/start.sh" env >/dev/null 2>&1 && was_running=1
  app=$name folder=$(mktemp -d)
  said=$("tests/apps/$name/start.sh" | tail -20) || { echo "$name did not start" >&2; return 1; }
  value() { sed -n "s/^$1=//p" <<<"$said" | tail -1; }
  upper=${name^^}
  export "${upper}_URL=$(value BASE_URL | sed 's,/api.php$,,')" "${upper}_API_KEY=$(value API_KEY)" "${upper}_TOKEN=$(value TOKEN)" \
    "${upper}_USER=$(value USERNAME)" "${upper}_PASSWORD=$(value PASSWORD)" "${upper}_DOMAIN=legacy.example"

  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  mkdir -p "$folder/mappings/apps"
  cp "mappings/apps/$name.toml" "$folder/mappings/apps/"
  made=$(target/debug/scimgate keys create suite --name suite --toml 2>"$folder/key")
  { printf 'tenant = "suite"\napp = "%s"\n\n' "$name"; printf '%s\n\n' "$made"; settings "$name"; } >"$folder/mappings/suite.toml"
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
  for _ in $(seq 600); do
    curl -s --cacert certs/ca.pem -o /dev/null "https://127.0.0.1:$port/scim/v2/ServiceProviderConfig" && break
    kill -0 "$gateway" 2>/dev/null || { cat "$folder/log" >&2; return 1; }
    sleep 0.1
  done

  report=$(SCIM_CLI_HEADERS="Authorization: Bearer $token" timeout 900 "$CACHE/bin/scim2" -u "https://127.0.0.1:$port/scim/v2" -h "Authorization: Bearer $token" test 2>&1)
  unexpected=$(grep -A1 -E '^(ERROR|CRITICAL)' <<<"$report" | grep -E '^  ' | grep -vE "$(limits "$name")")
  grep -A3 -E '^(ERROR|CRITICAL)' <<<"$report"
  passed=$(grep -c '^SUCCESS' <<<"$report")
  errors=$(grep -cE '^(ERROR|CRITICAL)' <<<"$report")
  [ "$passed" -gt 0 ] || echo "$report" | tail -20
  echo "scim2-tester against $name: $passed passed, $errors failed, of which not by a limit of its own: $(grep -c . <<<"$unexpected")"
  [ "$passed" -gt 0 ] && [ -z "$unexpected" ] || return 1
  echo "scim-sanity against $name:"
  BASE_URL=https://127.0.0.1:$port/scim/v2 TOKEN=$token CA=$PWD/certs/ca.pem sanity "$ADDS_NOBODY|$(limits "$name")"
}

failed=()
for name in "${@:-redmine}"; do
  [ -x "tests/apps/$name/start.sh" ] || { echo "there is no application \`$name\`" >&2; exit 2; }
  run "$name" || failed+=("$name")
  finish
done
[ ${#failed[@]} -eq 0 ] || { printf 'failed: %s\n' "${failed[@]}"; exit 1; }
