#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "proto/stun.h"
#include "worker/engine/ice.h"

struct world {
    struct rng rng;
    struct ice ice;
    struct sink out;
    usec now;
    /* what the last input gave */
    struct stun_msg answer;
    size_t answers;
    char events[512]; /* "added(1) selected(1) connected" */
};

static struct tuple tuple_no(unsigned i)
{
    struct tuple t;
    memset(&t, 0, sizeof t);
    assert_int_equal(addr_parse(&t.remote, "192.0.2.7", (uint16_t)(1000 + i)), OK);
    t.sock = 1;
    return t;
}

static void note_event(struct world *w, const struct sink_item *it)
{
    char text[64], name[24] = "";
    if (it->tuple.remote.family)
        snprintf(name, sizeof name, "(%d)", it->tuple.remote.port - 1000);
    struct slice bytes = sink_bytes(&w->out, it);
    switch ((enum ice_event)it->code) {
    case ICE_EV_STATE:
        snprintf(text, sizeof text, "%s", ice_state_name((enum ice_state)it->arg));
        break;
    case ICE_EV_TUPLE_ADDED:
        snprintf(text, sizeof text, "added%s", name);
        break;
    case ICE_EV_TUPLE_REMOVED:
        snprintf(text, sizeof text, "removed%s", name);
        break;
    case ICE_EV_SELECTED:
        snprintf(text, sizeof text, "selected%s", name);
        break;
    case ICE_EV_OLD_UFRAG_DROPPED:
        snprintf(text, sizeof text, "dropped:%.*s", (int)bytes.n, (const char *)bytes.p);
        break;
    default:
        fail_msg("unknown event %u", it->code);
    }
    if (w->events[0])
        strcat(w->events, " ");
    strcat(w->events, text);
}

static void drain(struct world *w)
{
    w->events[0] = '\0';
    w->answers = 0;
    for (size_t i = 0; i < w->out.count; i++) {
        const struct sink_item *it = &w->out.items[i];
        if (it->kind == SINK_EVENT) {
            note_event(w, it);
        } else {
            struct slice b = sink_bytes(&w->out, it);
            assert_int_equal(stun_parse(&w->answer, b.p, b.n), OK);
            w->answers++;
        }
    }
    sink_reset(&w->out);
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    rng_init_seeded(&w->rng, 1);
    sink_init(&w->out);
    w->now = 1000;
    ice_init(&w->ice, &w->rng, ICE_CONSENT_TTL);
}

enum flags { PLAIN = 0, USE_CANDIDATE = 1, CONTROLLED = 2 };

struct request {
    const char *ufrag; /* NULL: the current one */
    const char *pwd;
    unsigned flags;
    uint32_t nomination;
};

static size_t write_request(struct world *w, uint8_t *buf, size_t cap, struct request r)
{
    char username[64];
    snprintf(username, sizeof username, "%s:theirs", r.ufrag ? r.ufrag : ice_ufrag(&w->ice));
    const char *pwd = r.pwd ? r.pwd : ice_pwd(&w->ice);
    struct stun_request q = {.username = slice_of(username, strlen(username)),
                             .key = slice_of(pwd, strlen(pwd)),
                             .tie_breaker = 7,
                             .priority = 100,
                             .nomination = r.nomination,
                             .controlling = !(r.flags & CONTROLLED),
                             .use_candidate = r.flags & USE_CANDIDATE};
    rng_bytes(&w->rng, q.tid, sizeof q.tid);
    struct wr out = wr_of(buf, cap);
    assert_int_equal(stun_write_request(&out, &q), OK);
    return wr_len(&out);
}

static void input(struct world *w, unsigned from, const void *p, size_t n)
{
    struct tuple t = tuple_no(from);
    ice_input(&w->ice, w->now, &t, slice_of(p, n), &w->out);
    drain(w);
}

static void request(struct world *w, unsigned from, struct request r)
{
    uint8_t buf[512];
    input(w, from, buf, write_request(w, buf, sizeof buf, r));
}

static void check(struct world *w, unsigned from, unsigned flags)
{
    request(w, from, (struct request){.flags = flags});
    assert_int_equal(w->answers, 1);
    assert_int_equal(w->answer.class, STUN_SUCCESS);
}

static void assert_refused(struct world *w, uint16_t code)
{
    assert_int_equal(w->answers, 1);
    assert_int_equal(w->answer.class, STUN_ERROR);
    assert_int_equal(w->answer.error_code, code);
    assert_string_equal(w->events, "");
    assert_int_equal(ice_tuple_count(&w->ice), 0);
    assert_int_equal(ice_get_state(&w->ice), ICE_NEW);
}

static void credentials_are_long_and_random(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    assert_int_equal(strlen(ice_ufrag(&w.ice)), 16);
    assert_int_equal(strlen(ice_pwd(&w.ice)), 32);
    struct ice other;
    ice_init(&other, &w.rng, 0);
    assert_string_not_equal(ice_ufrag(&w.ice), ice_ufrag(&other));
    assert_string_not_equal(ice_pwd(&w.ice), ice_pwd(&other));
    ice_fini(&w.ice);
    assert_string_equal(ice_pwd(&w.ice), "");
}

static void a_valid_request_is_answered_with_the_senders_address(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    uint8_t buf[512];
    size_t n = write_request(&w, buf, sizeof buf, (struct request){0});
    struct tuple t = tuple_no(5);
    ice_input(&w.ice, w.now, &t, slice_of(buf, n), &w.out);
    assert_int_equal(w.out.items[0].kind, SINK_DATAGRAM);
    assert_true(tuple_eq(&w.out.items[0].tuple, &t));
    struct slice b = sink_bytes(&w.out, &w.out.items[0]);
    struct stun_msg m;
    assert_int_equal(stun_parse(&m, b.p, b.n), OK);
    assert_int_equal(m.class, STUN_SUCCESS);
    assert_memory_equal(m.tid, buf + 8, STUN_TID_LEN);
    assert_true(addr_eq(&m.mapped, &t.remote));
    assert_true(m.has_fingerprint);
    assert_int_equal(stun_check_integrity(&m, slice_of(ice_pwd(&w.ice), 32)), OK);
    drain(&w);
    assert_string_equal(w.events, "added(5) selected(5) connected");
    assert_true(ice_accepts(&w.ice, &t));
    assert_int_equal(w.ice.stats.bytes_in, n);
    assert_int_equal(w.ice.stats.bytes_out, b.n);
}

static void the_peer_nominates(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    check(&w, 1, PLAIN);
    assert_string_equal(w.events, "added(1) selected(1) connected");
    check(&w, 2, PLAIN);
    assert_string_equal(w.events, "added(2)");
    check(&w, 2, USE_CANDIDATE);
    assert_string_equal(w.events, "selected(2) completed");
    check(&w, 2, USE_CANDIDATE);
    assert_string_equal(w.events, "");
    check(&w, 1, PLAIN);
    assert_string_equal(w.events, "");
    struct tuple two = tuple_no(2);
    assert_true(tuple_eq(ice_selected(&w.ice), &two));

    world_init(&w);
    check(&w, 1, USE_CANDIDATE);
    assert_string_equal(w.events, "added(1) selected(1) completed");
}

static void the_highest_nomination_wins_whatever_arrives_last(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    request(&w, 1, (struct request){.nomination = 1});
    assert_string_equal(w.events, "added(1) selected(1) completed");
    request(&w, 2, (struct request){.nomination = 3, .flags = USE_CANDIDATE});
    assert_string_equal(w.events, "added(2) selected(2)");
    request(&w, 1, (struct request){.nomination = 2, .flags = USE_CANDIDATE});
    assert_string_equal(w.events, "");
    request(&w, 1, (struct request){.nomination = 3});
    assert_string_equal(w.events, "");
    request(&w, 1, (struct request){.nomination = 4});
    assert_string_equal(w.events, "selected(1)");
}

static void requests_that_do_not_authenticate_get_errors_and_leave_nothing(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    request(&w, 1, (struct request){.pwd = "wrongwrongwrongwrongwrong"});
    assert_refused(&w, 401);
    assert_int_equal(w.answer.integrity_at, 0);
    request(&w, 1, (struct request){.ufrag = "somebodyelse"});
    assert_refused(&w, 401);
    char prefix[ICE_UFRAG_LEN]; /* one character short */
    snprintf(prefix, sizeof prefix, "%s", ice_ufrag(&w.ice));
    request(&w, 1, (struct request){.ufrag = prefix});
    assert_refused(&w, 401);
    request(&w, 1, (struct request){.ufrag = ""});
    assert_refused(&w, 401);
    char longer[ICE_UFRAG_LEN + 2];
    snprintf(longer, sizeof longer, "%sx", ice_ufrag(&w.ice));
    request(&w, 1, (struct request){.ufrag = longer});
    assert_refused(&w, 401);

    uint8_t buf[512], tid[STUN_TID_LEN] = {1};
    struct wr out = wr_of(buf, sizeof buf);
    stun_begin(&out, STUN_REQUEST, STUN_BINDING, tid);
    assert_int_equal(stun_finish(&out, slice_of(NULL, 0)), OK); /* no username, no integrity */
    input(&w, 1, buf, wr_len(&out));
    assert_refused(&w, 400);
    assert_int_equal(ice_deadline(&w.ice), USEC_NEVER);
}

static void put_username(struct world *w, struct wr *out)
{
    char username[64];
    snprintf(username, sizeof username, "%s:x", ice_ufrag(&w->ice));
    stun_put_bytes(out, STUN_USERNAME, username, strlen(username));
}

static void bad_requests_get_their_code(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct slice key = slice_of(ice_pwd(&w.ice), ICE_PWD_LEN);
    request(&w, 1, (struct request){.flags = CONTROLLED});
    assert_refused(&w, 487);
    assert_int_equal(stun_check_integrity(&w.answer, key), OK);

    uint8_t buf[512], tid[STUN_TID_LEN] = {1};
    struct wr out = wr_of(buf, sizeof buf);
    stun_begin(&out, STUN_REQUEST, STUN_BINDING, tid);
    put_username(&w, &out);
    stun_put_u32(&out, STUN_PRIORITY, 5);
    stun_put_u32(&out, (enum stun_attr)0x7001, 0); /* must be understood, and is not */
    assert_int_equal(stun_finish(&out, key), OK);
    input(&w, 1, buf, wr_len(&out));
    assert_refused(&w, 420);

    out = wr_of(buf, sizeof buf);
    stun_begin(&out, STUN_REQUEST, STUN_BINDING, tid);
    put_username(&w, &out);
    assert_int_equal(stun_finish(&out, key), OK); /* no PRIORITY */
    input(&w, 1, buf, wr_len(&out));
    assert_refused(&w, 400);

    size_t n = write_request(&w, buf, sizeof buf, (struct request){0});
    put_u16(buf + 2, (uint16_t)(n - STUN_HEADER_LEN - 8)); /* without its FINGERPRINT */
    input(&w, 1, buf, n - 8);
    assert_refused(&w, 400);
    assert_int_equal(w.ice.stats.rejected, 4);
}

static void what_is_not_a_request_is_ignored(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    uint8_t buf[512], tid[STUN_TID_LEN] = {1};
    struct slice key = slice_of(ice_pwd(&w.ice), ICE_PWD_LEN);
    for (int class = STUN_INDICATION; class <= STUN_ERROR; class ++) {
        struct wr out = wr_of(buf, sizeof buf);
        stun_begin(&out, (enum stun_class) class, STUN_BINDING, tid);
        put_username(&w, &out);
        assert_int_equal(stun_finish(&out, key), OK);
        input(&w, 1, buf, wr_len(&out));
        assert_int_equal(w.answers, 0);
        assert_string_equal(w.events, "");
    }
    size_t n = write_request(&w, buf, sizeof buf, (struct request){0});
    for (size_t cut = 0; cut < n; cut++) {
        input(&w, 1, buf, cut);
        assert_int_equal(w.answers, 0);
    }
    assert_int_equal(ice_tuple_count(&w.ice), 0);
    assert_int_equal(w.ice.stats.ignored, n + 3);
}

static void any_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    uint8_t buf[512];
    size_t n = write_request(&w, buf, sizeof buf, (struct request){.flags = USE_CANDIDATE});
    for (size_t bit = 0; bit < n * 8; bit++) {
        buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
        input(&w, 1, buf, n);
        assert_string_equal(w.events, "");
        buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    input(&w, 1, buf, n);
    assert_string_equal(w.events, "added(1) selected(1) completed");
}

static void errors_are_rationed(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    unsigned answered = 0;
    for (int i = 0; i < 900; i++) {
        w.now += USEC_PER_MSEC;
        request(&w, 1, (struct request){.pwd = "wrong"});
        answered += (unsigned)w.answers;
    }
    assert_int_equal(answered, ICE_ERRORS_PER_SEC);
    w.now += USEC_PER_SEC;
    request(&w, 1, (struct request){.pwd = "wrong"});
    assert_int_equal(w.answers, 1);
    check(&w, 1, PLAIN); /* valid requests are always answered */
}

static void the_oldest_unselected_tuple_makes_room(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    for (unsigned i = 0; i < ICE_TUPLES_MAX; i++) {
        w.now += 10;
        check(&w, i, PLAIN);
    }
    w.now += 10;
    check(&w, 1, PLAIN); /* seen again: now 2 is the oldest but for 0, which is selected */
    check(&w, 8, PLAIN);
    assert_string_equal(w.events, "added(8) removed(2)");
    assert_int_equal(ice_tuple_count(&w.ice), ICE_TUPLES_MAX);
    struct tuple zero = tuple_no(0), two = tuple_no(2), eight = tuple_no(8);
    assert_true(tuple_eq(ice_selected(&w.ice), &zero));
    assert_false(ice_accepts(&w.ice, &two));
    assert_true(ice_accepts(&w.ice, &eight));
    check(&w, 7, USE_CANDIDATE); /* the selection follows when tuples before it go */
    check(&w, 9, PLAIN);
    assert_string_equal(w.events, "added(9) removed(0)");
    struct tuple seven = tuple_no(7);
    assert_true(tuple_eq(ice_selected(&w.ice), &seven));
}

static void consent_expires_after_30_seconds_without_a_valid_request(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    assert_int_equal(ice_deadline(&w.ice), USEC_NEVER);
    check(&w, 1, USE_CANDIDATE);
    check(&w, 2, PLAIN);
    w.now += 20 * USEC_PER_SEC;
    check(&w, 2, PLAIN);
    usec expiry = w.now + ICE_CONSENT_TTL;
    w.now += 20 * USEC_PER_SEC;
    request(&w, 1, (struct request){.pwd = "wrong"}); /* is not consent */
    assert_int_equal(ice_deadline(&w.ice), expiry);
    ice_timeout(&w.ice, expiry - 1, &w.out);
    drain(&w);
    assert_string_equal(w.events, "");
    ice_timeout(&w.ice, expiry, &w.out);
    drain(&w);
    assert_string_equal(w.events, "removed(2) removed(1) selected disconnected");
    assert_null(ice_selected(&w.ice));
    assert_int_equal(ice_deadline(&w.ice), USEC_NEVER);
    check(&w, 3, PLAIN); /* it comes back */
    assert_string_equal(w.events, "added(3) selected(3) connected");
}

static void consent_can_be_turned_off(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    ice_init(&w.ice, &w.rng, 0);
    check(&w, 1, USE_CANDIDATE);
    assert_int_equal(ice_deadline(&w.ice), USEC_NEVER);
    ice_timeout(&w.ice, w.now + 3600 * USEC_PER_SEC, &w.out);
    drain(&w);
    assert_string_equal(w.events, "");
}

static void after_a_restart_the_old_credentials_work_until_the_new_ones_do(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    check(&w, 1, USE_CANDIDATE);
    char old_ufrag[32], old_pwd[64], unused_ufrag[32], unused_pwd[64], want[64];
    strcpy(old_ufrag, ice_ufrag(&w.ice));
    strcpy(old_pwd, ice_pwd(&w.ice));
    ice_restart(&w.ice, w.now, &w.out);
    drain(&w);
    assert_string_equal(w.events, "");
    assert_string_not_equal(ice_ufrag(&w.ice), old_ufrag);
    assert_string_equal(ice_old_ufrag(&w.ice), old_ufrag);
    struct request with_old = {.ufrag = old_ufrag, .pwd = old_pwd};
    request(&w, 1, with_old);
    assert_int_equal(w.answer.class, STUN_SUCCESS);
    assert_int_equal(stun_check_integrity(&w.answer, slice_of(old_pwd, ICE_PWD_LEN)), OK);

    strcpy(unused_ufrag, ice_ufrag(&w.ice));
    strcpy(unused_pwd, ice_pwd(&w.ice));
    ice_restart(&w.ice, w.now, &w.out); /* again, before the peer has used the new ones */
    drain(&w);
    snprintf(want, sizeof want, "dropped:%s", unused_ufrag);
    assert_string_equal(w.events, want);
    request(&w, 1, with_old);
    assert_int_equal(w.answer.class, STUN_SUCCESS);
    request(&w, 1, (struct request){.ufrag = unused_ufrag, .pwd = unused_pwd});
    assert_int_equal(w.answer.class, STUN_ERROR);
    request(&w, 1, (struct request){.ufrag = old_ufrag}); /* old name, new password */
    assert_int_equal(w.answer.class, STUN_ERROR);

    request(&w, 2, (struct request){.flags = USE_CANDIDATE});
    snprintf(want, sizeof want, "dropped:%s added(2) selected(2)", old_ufrag);
    assert_string_equal(w.events, want);
    assert_string_equal(ice_old_ufrag(&w.ice), "");
    request(&w, 1, with_old);
    assert_int_equal(w.answer.error_code, 401);
}

static void a_restart_begins_nominations_and_consent_anew(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    request(&w, 1, (struct request){.nomination = 50});
    request(&w, 2, (struct request){.nomination = 51});
    w.now += 29 * USEC_PER_SEC;
    ice_restart(&w.ice, w.now, &w.out);
    assert_int_equal(ice_deadline(&w.ice), w.now + ICE_CONSENT_TTL);
    request(&w, 1, (struct request){.nomination = 1});
    struct tuple one = tuple_no(1);
    assert_true(tuple_eq(ice_selected(&w.ice), &one));
}

static void a_closed_connection_takes_its_tuple_along(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    for (unsigned i = 0; i < 4; i++) {
        w.now += 10;
        check(&w, i, PLAIN);
    }
    check(&w, 1, USE_CANDIDATE);
    struct tuple t = tuple_no(0);
    ice_tuple_gone(&w.ice, w.now, &t, &w.out);
    drain(&w);
    assert_string_equal(w.events, "removed(0)");
    t = tuple_no(1);
    assert_true(tuple_eq(ice_selected(&w.ice), &t));
    ice_tuple_gone(&w.ice, w.now, &t, &w.out);
    drain(&w);
    assert_string_equal(w.events, "removed(1) selected(3)"); /* the one heard of last */
    ice_tuple_gone(&w.ice, w.now, &t, &w.out);
    drain(&w);
    assert_string_equal(w.events, "");
    t = tuple_no(2);
    ice_tuple_gone(&w.ice, w.now, &t, &w.out);
    t = tuple_no(3);
    drain(&w);
    ice_tuple_gone(&w.ice, w.now, &t, &w.out);
    drain(&w);
    assert_string_equal(w.events, "removed(3) selected disconnected");
    assert_int_equal(ice_deadline(&w.ice), USEC_NEVER);
    check(&w, 4, USE_CANDIDATE);
    assert_string_equal(w.events, "added(4) selected(4) completed");
}

static void a_full_sink_loses_datagrams_before_events(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    while (sink_datagram(&w.out, NULL, slice_of("x", 1)))
        ;
    assert_int_equal(w.out.dropped, 1);
    uint8_t buf[512];
    size_t n = write_request(&w, buf, sizeof buf, (struct request){0});
    struct tuple t = tuple_no(1);
    ice_input(&w.ice, w.now, &t, slice_of(buf, n), &w.out);
    assert_int_equal(w.out.count, SINK_BULK_ITEMS + 3); /* added, selected, connected */
    assert_int_equal(w.out.dropped, 2);                 /* the answer */
    assert_int_equal(w.ice.stats.responses, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_long_and_random),
        cmocka_unit_test(a_valid_request_is_answered_with_the_senders_address),
        cmocka_unit_test(the_peer_nominates),
        cmocka_unit_test(the_highest_nomination_wins_whatever_arrives_last),
        cmocka_unit_test(requests_that_do_not_authenticate_get_errors_and_leave_nothing),
        cmocka_unit_test(bad_requests_get_their_code),
        cmocka_unit_test(what_is_not_a_request_is_ignored),
        cmocka_unit_test(any_flipped_bit_is_refused),
        cmocka_unit_test(errors_are_rationed),
        cmocka_unit_test(the_oldest_unselected_tuple_makes_room),
        cmocka_unit_test(consent_expires_after_30_seconds_without_a_valid_request),
        cmocka_unit_test(consent_can_be_turned_off),
        cmocka_unit_test(after_a_restart_the_old_credentials_work_until_the_new_ones_do),
        cmocka_unit_test(a_restart_begins_nominations_and_consent_anew),
        cmocka_unit_test(a_closed_connection_takes_its_tuple_along),
        cmocka_unit_test(a_full_sink_loses_datagrams_before_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
