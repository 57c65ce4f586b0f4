#!/bin/sh
# rollcall against dlt and Singer: sets them up in a virtual environment once, then runs the benchmark.
# Usage: sh benches/peers/run.sh [PEOPLE] [ROUNDS]
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
venv="$root/target/bench-peers"
wanted="$root/benches/peers/requirements.txt"

# The list of packages is copied in last, so an interrupted set-up is done again.
if ! cmp -s "$wanted" "$venv/requirements.txt"; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$venv/requirements.txt"
fi

cd "$root"
PEERS_PYTHON="$venv/bin/python" exec cargo bench --locked --bench full_sync -- "$@"
