#!/bin/sh
# What `make lint` holds the tree to: who may include whom (DESIGN 2), which libraries stay in which folder, headers that
# compile alone, formatting, and nothing in tracked files that belongs to one machine.
set -u
cd "$(dirname "$0")/.."
status=0
fail() { echo "lint: $1"; status=1; }

sources=$(git ls-files 'common/*.[ch]' 'proto/*.[ch]' 'worker/*.[ch]' 'controller/*.[ch]')

# From, and what it may not include.
layer() {
    bad=$(grep -nE "^#include \"($2)" $(echo "$sources" | grep -E "^($1)") /dev/null 2>/dev/null)
    [ -z "$bad" ] || fail "$1 may not include $2:
$bad"
}
layer 'common/' '(proto|worker|controller)/'
layer 'proto/' '(worker|controller)/'
layer 'worker/' 'controller/'
layer 'controller/' 'worker/'
layer 'worker/engine/' 'worker/(rtp|bwe|media|io|api)/'
layer 'worker/rtp/' 'worker/(engine|bwe|media|io|api)/'
layer 'worker/bwe/' 'worker/(engine|media|io|api)/'
layer 'worker/media/' 'worker/(io|api)/'
layer 'controller/(net|data|fleet|settings|api)/' 'controller/(room|rtc|live|stream/streams|account|chat|record)'
layer 'controller/(net|data|fleet|settings)/' 'controller/api/'

only() {
    bad=$(grep -nE "^#include <($2)" $(echo "$sources" | grep -vE "^($1)") /dev/null 2>/dev/null)
    [ -z "$bad" ] || fail "<$2> belongs to $1:
$bad"
}
only 'worker/engine/dtls' 'openssl/ssl'
only 'worker/engine/seal' 'srtp2?/'
only 'worker/engine/sctp' 'usrsctp'
only 'controller/net/' 'libwebsockets'
only 'controller/(storage|events)/' 'curl/'
only 'controller/account/' 'jwt'
only 'controller/data/' '(libpq-fe|sqlite3|hiredis)'

pure='proto/|worker/(engine|rtp|bwe)/'
bad=$(grep -nE '^#include (<(uv|sys/socket|time|sys/time)\.h>|"common/clock.h")' $(echo "$sources" | grep -E "^($pure)") /dev/null)
[ -z "$bad" ] || fail "sans-IO code has no sockets, loop or clock:
$bad"

for h in $(git ls-files '*.h'); do
    echo "#include \"$h\"" | gcc -std=c17 -D_GNU_SOURCE -I. $(pkg-config --cflags jansson libuv openssl libpq) \
        -Wall -Wextra -Werror -fsyntax-only -x c - 2>/dev/null || fail "$h does not compile alone"
done

bad=$(git ls-files '*.c' '*.h' | xargs clang-format --dry-run 2>&1 | grep -oE '^[^:]+\.[ch]' | sort | uniq -c)
[ -z "$bad" ] || fail "not formatted (make fmt):
$bad"

bad=$(git grep -nIE '"resolved": *"https?:|/-/[^ ]*\.tgz|^deb(-src)? +(\[.*\] *)?http|/work/[a-z]+|/root/\.' -- . ':!tools/lint.sh')
[ -z "$bad" ] || fail "download addresses or paths of one machine:
$bad"

[ $status = 0 ] && echo "lint: clean"
exit $status
