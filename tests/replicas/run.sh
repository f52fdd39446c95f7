#!/bin/bash
# The tests of several replicas with a real PostgreSQL: the store's suite, row-level security, outages, three replicas side by side.
#
#   tests/replicas/run.sh            installs PostgreSQL if it is missing, runs them
#   tests/replicas/run.sh install    installs it only; `cargo test` then runs them among the others
#
# SCIMGATE_POSTGRES=postgresql://… uses a server that runs already (tests that stop theirs still start one of their own).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
  export DEBIAN_FRONTEND=noninteractive
  # The package must not make or start a cluster: each test has its own.
  mkdir -p /etc/postgresql-common
  [ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
  [ -n "$(find /var/lib/apt/lists -name '*_Packages*' -mmin -720 2>/dev/null | head -1)" ] || apt-get update -qq
  apt-get install -y -qq --no-install-recommends postgresql >/dev/null
fi
[ "${1:-}" = install ] && exit

cargo test --lib store:: -- --nocapture
cargo test --test replicas -- --nocapture
