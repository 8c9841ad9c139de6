/* The ICE agent under a script: raw datagrams, authentic requests with any attributes, time,
 * restarts, closed connections. Its invariants hold after each step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/stun.h"
#include "worker/engine/ice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sink out;

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void check_invariants(const struct ice *ice)
{
    enum ice_state s = ice_get_state(ice);
    bool up = s == ICE_CONNECTED || s == ICE_COMPLETED;
    size_t n = ice_tuple_count(ice);
    require(n <= ICE_TUPLES_MAX);
    require(up == (n > 0));
    require(up == (ice_selected(ice) != NULL));
    require(!up || ice_accepts(ice, ice_selected(ice)));
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            require(!tuple_eq(ice_tuple_at(ice, i), ice_tuple_at(ice, k)));
    require(up == (ice_deadline(ice) != USEC_NEVER));
    require(out.dropped == 0);
}

/* A request with the right name and integrity; the attributes between them come from the script. */
static size_t write_authentic(const struct ice *ice, struct rd *script, uint8_t *buf, size_t cap)
{
    char username[64];
    bool old = rd_u8(script) & 1 && ice_old_ufrag(ice)[0];
    snprintf(username, sizeof username, "%s:x", old ? ice_old_ufrag(ice) : ice_ufrag(ice));
    uint8_t tid[STUN_TID_LEN] = {0};
    struct wr w = wr_of(buf, cap);
    stun_begin(&w, STUN_REQUEST, STUN_BINDING, tid);
    stun_put_bytes(&w, STUN_USERNAME, username, strlen(username));
    uint8_t flags = rd_u8(script);
    if (flags & 1)
        stun_put_u32(&w, STUN_PRIORITY, 1);
    if (flags & 2)
        stun_put_bytes(&w, STUN_USE_CANDIDATE, "", 0);
    if (flags & 4)
        stun_put_u32(&w, STUN_NOMINATION, rd_u8(script));
    if (flags & 8)
        stun_put_u64(&w, flags & 16 ? STUN_ICE_CONTROLLED : STUN_ICE_CONTROLLING, 1);
    if (flags & 32) {
        uint16_t type = rd_u16(script);
        struct slice value = rd_bytes(script, rd_u8(script) & 31);
        stun_put_bytes(&w, (enum stun_attr)type, value.p ? value.p : (const uint8_t *)"", value.n);
    }
    const char *pwd = old ? ice->old_pwd : ice_pwd(ice);
    if (stun_finish(&w, slice_of(pwd, strlen(pwd))) != OK)
        return 0;
    return wr_len(&w);
}

static void feed(struct ice *ice, usec now, const struct tuple *from, const uint8_t *p, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    require(exact != NULL);
    if (n)
        memcpy(exact, p, n);
    ice_input(ice, now, from, slice_of(exact, n), &out);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rng rng;
    struct ice ice;
    rng_init_seeded(&rng, 1);
    sink_init(&out);
    ice_init(&ice, &rng, ICE_CONSENT_TTL);
    usec now = 1;
    struct rd script = rd_of(data, size);
    while (rd_left(&script) > 0) {
        uint8_t op = rd_u8(&script);
        struct tuple t;
        memset(&t, 0, sizeof t);
        t.remote.family = op & 16 ? 6 : 4;
        t.remote.port = op >> 4;
        uint8_t buf[1024];
        struct slice raw;
        size_t n;
        switch (op & 7) {
        case 0:
            raw = rd_bytes(&script, rd_u8(&script));
            feed(&ice, now, &t, raw.p, raw.n);
            break;
        case 1:
        case 2:
        case 3:
            n = write_authentic(&ice, &script, buf, sizeof buf);
            feed(&ice, now, &t, buf, n);
            break;
        case 4: /* an authentic one, damaged */
            n = write_authentic(&ice, &script, buf, sizeof buf);
            if (n)
                buf[rd_u8(&script) % n] ^= (uint8_t)(1 | rd_u8(&script));
            feed(&ice, now, &t, buf, n);
            break;
        case 5:
            now += (usec)rd_u8(&script) * USEC_PER_SEC;
            ice_timeout(&ice, now, &out);
            break;
        case 6:
            ice_restart(&ice, now, &out);
            break;
        default:
            ice_tuple_gone(&ice, now, &t, &out);
            break;
        }
        check_invariants(&ice);
        sink_reset(&out);
    }
    ice_fini(&ice);
    return 0;
}
