#!/bin/bash
# Tests the gateway with real applications: starts each, plays the Okta and Entra sessions through the gateway with the
# mapping that ships, compares the application's own state after every write, stops what was started.
#
#   tests/apps/run.sh [redmine|all]...     all (the default): every application that has a mapping and a comparison
#   KEEP=1 tests/apps/run.sh redmine       leaves the application running
#
# An application that was running before is left running. APPS_CACHE names the folder for software and data.
set -uo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$HERE/../.." || exit 2

ready() {  # the applications with a mapping and a comparison
  local folder app
  for folder in "$HERE"/*/; do
    app=$(basename "$folder")
    if [ -e "mappings/apps/$app.toml" ] && [ -e "$HERE/$app.rs" ]; then echo "$app"; fi
  done
}

names=()
for name in "${@:-all}"; do
  if [ "$name" = all ]; then
    while read -r app; do names+=("$app"); done < <(ready)
  elif [ -x "$HERE/$name/start.sh" ]; then
    names+=("$name")
  else
    echo "there is no application \`$name\`; there are: $(cd "$HERE" && ls -d */ | tr -d '/' | tr '\n' ' ')" >&2
    exit 2
  fi
done
[ ${#names[@]} -gt 0 ] || { echo "no application has both a mapping and a comparison" >&2; exit 2; }

cargo build --quiet --bin scimgate || exit 1
failed=()
for name in "${names[@]}"; do
  echo "== $name"
  was_running=
  if "$HERE/$name/start.sh" env >/dev/null 2>&1; then was_running=1; fi
  if ! "$HERE/$name/start.sh" >/dev/null; then
    failed+=("$name (did not start)")
    continue
  fi
  SCIMGATE_TEST_APPS=$name cargo test --quiet --test apps -- --nocapture || failed+=("$name")
  if [ -z "$was_running" ] && [ -z "${KEEP:-}" ]; then "$HERE/$name/start.sh" stop; fi
done
if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "all held: ${names[*]}"
