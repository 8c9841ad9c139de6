/* Consumers behind SRTP suites that are sealed in batches, beside others that are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base64.h"
#include "proto/rtcp_fb.h"
#include "proto/rtp.h"
#include "test/lib/stage.h"
#include "worker/media/seal_batch.h"

enum { LISTENERS = SEAL_BATCH_MAX + 20 };

static struct world w;

struct listener {
    struct endpoint endpoint;
    struct opener *opener;
    struct sealer *sealer;
    uint16_t sock; /* of its transport */
    uint16_t last_seq;
    size_t rtx;
    size_t got;
    size_t bad;
};

static struct listener listeners[LISTENERS];
static struct browser alice;
static struct browser bob;
static struct inbox from_alice;
static struct inbox to_bob;

static void receive(struct endpoint *e, uint8_t *bytes, size_t n)
{
    struct listener *l = e->ctx;
    struct rtp_view v;
    if (bytes[1] >= 200)
        return;
    if (opener_unprotect_rtp(l->opener, bytes, &n) != OK || rtp_parse(&v, bytes, n) != OK) {
        l->bad++;
        return;
    }
    if (v.payload_type == OUT_VIDEO_RTX_PT) {
        l->rtx++;
        return;
    }
    if ((l->got > 0 && v.seq != (uint16_t)(l->last_seq + 1))) {
        l->bad++;
        return;
    }
    l->last_seq = v.seq;
    l->got++;
}

static void connect_listener(size_t i)
{
    static const char ours[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd";
    struct listener *l = &listeners[i];
    char id[32];
    uint8_t bytes[30];
    struct srtp_key key = {.suite = SEAL_AES_128_CM_SHA1_80, .key_len = 16, .salt_len = 14};
    snprintf(id, sizeof id, "p%zu", i);
    memset(l, 0, sizeof *l);
    l->endpoint.receive = receive;
    l->endpoint.ctx = l;
    world_add(&w, &l->endpoint, "127.0.0.1", (uint16_t)(20000 + i));
    world_do(&w, "router.createPlainTransport", "room",
             "{'transportId':'%s','options':{'enableSrtp':true,'listenInfo':{'ip':'127.0.0.1'}}}",
             id);
    json_t *d = world_call(&w, "plainTransport.connect", id, NULL,
                           "{'ip':'127.0.0.1','port':%zu,'srtpParameters':{'cryptoSuite':"
                           "'AES_CM_128_HMAC_SHA1_80','keyBase64':'%s'}}",
                           20000 + i, ours);
    json_t *p = json_object_get(d, "srtpParameters");
    assert_int_equal(
        base64_read(json_string_value(json_object_get(p, "keyBase64")), bytes, sizeof bytes), 30);
    memcpy(key.key, bytes, 16);
    memcpy(key.salt, bytes + 16, 14);
    assert_int_equal(opener_open(&l->opener, &key), OK);
    for (uint8_t k = 0; k < 30; k++)
        bytes[k] = k;
    memcpy(key.key, bytes, 16);
    memcpy(key.salt, bytes + 16, 14);
    assert_int_equal(seal_open(&l->sealer, &key), OK);
    l->sock = (uint16_t)(w.next_sock - 1);
    json_decref(d);
}

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    browser_connect(&alice, &w, "room", "up", false);
    browser_connect(&bob, &w, "room", "down", false);
    inbox_of_browser(&from_alice, &alice);
    inbox_of_browser(&to_bob, &bob);
    produce_video(&w, "up", "cam");
    for (size_t i = 0; i < LISTENERS; i++)
        connect_listener(i);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_fini(&w);
    browser_fini(&alice);
    browser_fini(&bob);
    for (size_t i = 0; i < LISTENERS; i++) {
        opener_close(listeners[i].opener);
        seal_close(listeners[i].sealer);
    }
    return 0;
}

static void consume(size_t i)
{
    char id[32];
    char transport[32];
    snprintf(id, sizeof id, "c%zu", i);
    snprintf(transport, sizeof transport, "p%zu", i);
    consume_video(&w, transport, id, "cam", (uint32_t)(6000 + 2 * i));
}

static void send_video(uint16_t seq, bool key)
{
    uint8_t buf[1500];
    struct rtp_spec s = {
        .ssrc = VIDEO_SSRC, .pt = VIDEO_PT, .seq = seq, .timestamp = seq * 3000U, .key = key};
    assert_true(rtc_peer_send_rtp(&alice.peer, buf, rtp_build(buf, &s)));
    world_settle(&w);
}

static void more_consumers_than_a_batch_all_get_every_packet_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < LISTENERS / 2; i++)
        consume(i);
    consume_video(&w, "down", "eye", "cam", 9000);
    for (size_t i = LISTENERS / 2; i < LISTENERS; i++)
        consume(i);
    for (uint16_t seq = 0; seq < 100; seq++)
        send_video(seq, seq == 0);
    for (size_t i = 0; i < LISTENERS; i++) {
        assert_int_equal(listeners[i].got, 100);
        assert_int_equal(listeners[i].bad, 0);
    }
    assert_int_equal(to_bob.n, 100);
}

/* A NACK and a PLI in one compound: the request for a key frame goes out while the
 * retransmissions wait in the batch. */
static void rtcp_in_the_middle_of_a_batch_does_not_disturb_it(void **state)
{
    (void)state;
    uint8_t buf[256];
    for (size_t i = 0; i < 10; i++)
        consume(i);
    for (uint16_t seq = 0; seq < 5; seq++)
        send_video(seq, seq == 0);
    world_pass(&w, 2 * USEC_PER_SEC - 1000, NULL, NULL);
    send_video(5, true);
    w.now += 50 * USEC_PER_MSEC;
    from_alice.plis = 0;
    struct listener *l = &listeners[3];
    uint16_t lost[] = {(uint16_t)(l->last_seq - 2), (uint16_t)(l->last_seq - 1), l->last_seq};
    struct wr out = wr_of(buf, sizeof buf);
    rtcp_write_nack(&out, 1, 6006, lost, 3);
    rtcp_write_pli(&out, 1, 6006);
    size_t n = wr_len(&out);
    assert_int_equal(seal_protect_rtcp(l->sealer, buf, &n), OK);
    world_send(&w, &l->endpoint, l->sock, buf, n);
    world_settle(&w);
    assert_int_equal(from_alice.plis, 1);
    assert_true(l->rtx >= 1);
    assert_int_equal(l->bad, 0);
    assert_int_equal(alice.peer.bad_in, 0);
}

static void a_turn_longer_than_the_queue_is_sent_in_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < LISTENERS; i++)
        consume(i);
    uint8_t buf[1500];
    /* Without settling: 84 consumers times 60 packets exceed the queue's slots. */
    for (uint16_t seq = 0; seq < 60; seq++) {
        struct rtp_spec s = {
            .ssrc = VIDEO_SSRC, .pt = VIDEO_PT, .seq = seq, .timestamp = 1, .key = seq == 0};
        assert_true(rtc_peer_send_rtp(&alice.peer, buf, rtp_build(buf, &s)));
    }
    assert_true(LISTENERS * 60 > TX_SLOTS);
    world_settle(&w);
    for (size_t i = 0; i < LISTENERS; i++) {
        assert_int_equal(listeners[i].got, 60);
        assert_int_equal(listeners[i].bad, 0);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(more_consumers_than_a_batch_all_get_every_packet_in_order),
        T(rtcp_in_the_middle_of_a_batch_does_not_disturb_it),
        T(a_turn_longer_than_the_queue_is_sent_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
