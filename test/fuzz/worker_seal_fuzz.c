/* SRTP on arbitrary bytes: nothing that was not sealed opens, and what was sealed opens once, and
 * to the same bytes. */
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "worker/engine/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static struct srtp_key test_key(enum srtp_suite suite)
{
    struct srtp_key k = {.suite = suite,
                         .key_len = (uint8_t)srtp_suite_key_len(suite),
                         .salt_len = (uint8_t)srtp_suite_salt_len(suite)};
    memset(k.key, 3, k.key_len);
    memset(k.salt, 5, k.salt_len);
    return k;
}

/* As the peer's packet, forged: in a buffer of exactly its size. */
static void open_forged(struct opener *o, bool rtcp, struct slice raw)
{
    uint8_t *p = malloc(raw.n ? raw.n : 1);
    require(p != NULL);
    if (raw.n)
        memcpy(p, raw.p, raw.n);
    size_t n = raw.n;
    enum err e = rtcp ? opener_unprotect_rtcp(o, p, &n) : opener_unprotect_rtp(o, p, &n);
    require(e != OK);
    free(p);
}

static void seal_and_open(struct sealer *s, struct opener *o, bool rtcp, struct slice plain,
                          uint8_t damage)
{
    size_t room = plain.n + (rtcp ? SEAL_OVERHEAD : seal_overhead(s));
    uint8_t *p = malloc(room), *copy = malloc(room);
    require(p && copy);
    if (plain.n)
        memcpy(p, plain.p, plain.n);
    size_t n = plain.n;
    enum err e = rtcp ? seal_protect_rtcp(s, p, &n) : seal_protect_rtp(s, p, &n);
    if (e == OK) {
        require(n <= room);
        if (damage) {
            memcpy(copy, p, n);
            copy[damage % n] ^= damage;
            size_t m = n;
            e = rtcp ? opener_unprotect_rtcp(o, copy, &m) : opener_unprotect_rtp(o, copy, &m);
            require(e != OK);
        }
        memcpy(copy, p, n);
        size_t m = n;
        e = rtcp ? opener_unprotect_rtcp(o, p, &n) : opener_unprotect_rtp(o, p, &n);
        require(e == OK && n == plain.n && memcmp(p, plain.p, n) == 0);
        e = rtcp ? opener_unprotect_rtcp(o, copy, &m) : opener_unprotect_rtp(o, copy, &m);
        require(e == ERR_REPLAY);
    } else {
        require(n == plain.n && (n == 0 || memcmp(p, plain.p, n) == 0));
    }
    free(p);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready)
        require(seal_global_init() == OK);
    ready = true;
    struct rd script = rd_of(data, size);
    uint8_t first = rd_u8(&script);
    struct srtp_key k = test_key((enum srtp_suite)(first % SRTP_SUITE_COUNT));
    struct sealer *s;
    struct opener *o;
    require(seal_open(&s, &k) == OK && opener_open(&o, &k) == OK);
    while (rd_left(&script) > 0) {
        uint8_t op = rd_u8(&script);
        uint8_t damage = rd_u8(&script);
        struct slice raw = rd_bytes(&script, rd_u8(&script));
        if (op & 1)
            seal_and_open(s, o, op & 2, raw, damage);
        else
            open_forged(o, op & 2, raw);
        if (op & 4) { /* both: one that forgets the roll-overs alone is lost */
            opener_remove_ssrc(o, 0);
            seal_remove_ssrc(s, 0);
        }
    }
    seal_close(s);
    opener_close(o);
    return 0;
}
