/* stun_parse on anything; what it accepts can be answered, and the answers parse. */
#include "proto/stun.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answers_parse(const struct stun_msg *m)
{
    static const uint16_t codes[] = {400, 401, 420, 487};
    const struct slice key = slice_of("secret", 6);
    struct addr to = m->mapped;
    uint8_t buf[STUN_MESSAGE_MAX];
    struct stun_msg back;
    if (to.family == 0)
        to = (struct addr){.family = 4, .port = 9};
    struct wr w = wr_of(buf, sizeof buf);
    assert(stun_write_success(&w, m, &to, key) == OK);
    assert(stun_parse(&back, buf, wr_len(&w)) == OK);
    assert(stun_check_integrity(&back, key) == OK);
    assert(back.class == STUN_SUCCESS && back.has_fingerprint && addr_eq(&back.mapped, &to));
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        w = wr_of(buf, sizeof buf);
        assert(stun_write_error(&w, m, codes[i], key) == OK);
        assert(stun_parse(&back, buf, wr_len(&w)) == OK);
        assert(back.class == STUN_ERROR && back.error_code == codes[i]);
        assert(memcmp(back.tid, m->tid, STUN_TID_LEN) == 0);
    }
}

static void request_round_trips(const struct stun_msg *m)
{
    struct stun_request q = {.username = m->username,
                             .key = slice_of("secret", 6),
                             .tie_breaker = m->tie_breaker,
                             .priority = m->priority,
                             .nomination = m->nomination,
                             .controlling = m->controlling,
                             .use_candidate = m->use_candidate};
    uint8_t buf[STUN_MESSAGE_MAX];
    struct stun_msg back;
    memcpy(q.tid, m->tid, STUN_TID_LEN);
    struct wr w = wr_of(buf, sizeof buf);
    assert(stun_write_request(&w, &q) == OK);
    assert(stun_parse(&back, buf, wr_len(&w)) == OK);
    assert(back.username.n == m->username.n && back.tie_breaker == m->tie_breaker &&
           back.priority == m->priority && back.nomination == m->nomination &&
           back.controlling == m->controlling && back.use_candidate == m->use_candidate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stun_msg m;
    if (stun_parse(&m, data, size) != OK)
        return 0;
    (void)!stun_check_integrity(&m, slice_of("VOkJxbRl1RmTxUk/WvJxBt", 22));
    answers_parse(&m);
    request_round_trips(&m);
    return 0;
}
