#!/bin/sh
# Drives the simulator with the platforms' official clients: sets up a virtual environment once, then runs the tests.
# SIMULATOR_BIN names the simulator to start (default: target/debug/simulator, which must have been built).
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
peers="$root/target/peers"
wanted="$root/tests/peers/requirements.txt"

SIMULATOR_BIN="${SIMULATOR_BIN:-$root/target/debug/simulator}"
export SIMULATOR_BIN
if [ ! -x "$SIMULATOR_BIN" ]; then
    echo "error: no simulator at $SIMULATOR_BIN" >&2
    echo "hint: run 'cargo build -p simulator', or set SIMULATOR_BIN" >&2
    exit 1
fi

# The list of packages is copied in last, so an interrupted set-up is done again.
if ! cmp -s "$wanted" "$peers/requirements.txt"; then
    rm -rf "$peers"
    python3 -m venv "$peers"
    "$peers/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$peers/requirements.txt"
fi

exec "$peers/bin/python" -B -m unittest discover --start-directory "$root/tests/peers" --pattern '*_test.py' "$@"
