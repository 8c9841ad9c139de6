/* The test card's command is run, and its RTP received. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <uv.h>

#include "common/log.h"
#include "controller/live/ffmpeg.h"
#include "controller/live/testcard_command.h"
#include "controller/rtc/ortc.h"
#include "proto/rtp.h"
#include "proto/vp8.h"

enum { VIDEO_RTP, VIDEO_RTCP, AUDIO_RTP, AUDIO_RTCP, SOCKETS, LIMIT_MS = 20000 };

struct card {
    uv_loop_t loop;
    uv_udp_t sockets[SOCKETS];
    uv_timer_t limit;
    struct ffmpeg *ffmpeg;
    unsigned packets[SOCKETS];
    unsigned strangers; /* of another SSRC, payload type or form */
    unsigned key_frames;
    char buf[2048];
    bool late;
    int exits;
};

static const struct testcard_target targets_template[2] = {
    [MEDIA_KIND_AUDIO] = {.ssrc = 0x1234},
    [MEDIA_KIND_VIDEO] = {.ssrc = INT32_MAX},
};

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct card *c = h->data;
    (void)suggested;
    *buf = uv_buf_init(c->buf, sizeof c->buf);
}

static void count_rtp(struct card *c, int socket, uint8_t *p, size_t n)
{
    bool video = socket == VIDEO_RTP;
    struct rtp_view v;
    if (rtp_parse(&v, p, n) != OK ||
        v.ssrc != targets_template[video ? MEDIA_KIND_VIDEO : MEDIA_KIND_AUDIO].ssrc ||
        v.payload_type != (video ? 101 : 111)) {
        c->strangers++;
        return;
    }
    struct vp8_desc info;
    if (video && vp8_parse(&info, rtp_payload_slice(&v)) == OK)
        c->key_frames += info.key_frame;
    c->packets[socket]++;
}

static void on_datagram(uv_udp_t *u, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                        unsigned flags)
{
    struct card *c = u->data;
    int socket = (int)(u - c->sockets);
    (void)flags;
    if (n <= 0 || !from)
        return;
    if (socket == VIDEO_RTP || socket == AUDIO_RTP)
        count_rtp(c, socket, (uint8_t *)buf->base, (size_t)n);
    else
        c->packets[socket]++;
}

static uint16_t open_socket(struct card *c, int i)
{
    struct sockaddr_in a;
    int n = sizeof a;
    uv_udp_init(&c->loop, &c->sockets[i]);
    c->sockets[i].data = c;
    uv_ip4_addr("127.0.0.1", 0, &a);
    assert_int_equal(uv_udp_bind(&c->sockets[i], (const struct sockaddr *)&a, 0), 0);
    assert_int_equal(uv_udp_getsockname(&c->sockets[i], (struct sockaddr *)&a, &n), 0);
    assert_int_equal(uv_udp_recv_start(&c->sockets[i], on_alloc, on_datagram), 0);
    return ntohs(a.sin_port);
}

static void on_listening(void *ctx)
{
    (void)ctx;
}

static void on_end(void *ctx, const struct ffmpeg_exit *how)
{
    struct card *c = ctx;
    c->exits++;
    c->ffmpeg = NULL;
    (void)how;
}

static void on_limit(uv_timer_t *t)
{
    ((struct card *)t->data)->late = true;
}

static void close_all(struct card *c)
{
    for (int i = 0; i < SOCKETS; i++) {
        if (!uv_is_closing((uv_handle_t *)&c->sockets[i]))
            uv_close((uv_handle_t *)&c->sockets[i], NULL);
    }
}

static void run_card(bool plain)
{
    static struct card c;
    struct command command;
    struct testcard_target targets[2];
    char why[FFMPEG_WORDS_MAX];
    c = (struct card){0};
    uv_loop_init(&c.loop);
    uv_timer_init(&c.loop, &c.limit);
    c.limit.data = &c;
    memcpy(targets, targets_template, sizeof targets);
    targets[MEDIA_KIND_VIDEO].port = open_socket(&c, VIDEO_RTP);
    targets[MEDIA_KIND_VIDEO].rtcp_port = open_socket(&c, VIDEO_RTCP);
    targets[MEDIA_KIND_AUDIO].port = open_socket(&c, AUDIO_RTP);
    targets[MEDIA_KIND_AUDIO].rtcp_port = open_socket(&c, AUDIO_RTCP);
    command_init(&command);
    testcard_command(&command, targets, plain);
    assert_false(command.bad);
    struct ffmpeg_config config = {.path = "ffmpeg",
                                   .args = command.args,
                                   .name = "card",
                                   .on_listening = on_listening,
                                   .on_exit = on_end,
                                   .ctx = &c};
    assert_int_equal(ffmpeg_start(&c.loop, &config, &c.ffmpeg, why), OK);
    command_fini(&command);
    uv_timer_start(&c.limit, on_limit, LIMIT_MS, 0);
    /* Key frames must come again and again. */
    while (!c.late && c.exits == 0 && (c.key_frames < 2 || c.packets[AUDIO_RTP] < 50))
        uv_run(&c.loop, UV_RUN_ONCE);
    assert_false(c.late);
    assert_int_equal(c.exits, 0);
    assert_int_equal(c.strangers, 0);
    assert_true(c.packets[VIDEO_RTCP] > 0);
    assert_true(c.packets[AUDIO_RTCP] > 0);
    /* When nobody listens any more, it ends by itself: a controller that was killed leaves none. */
    close_all(&c);
    while (!c.late && c.exits == 0)
        uv_run(&c.loop, UV_RUN_ONCE);
    assert_int_equal(c.exits, 1);
    uv_close((uv_handle_t *)&c.limit, NULL);
    uv_run(&c.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&c.loop), 0);
}

static void the_card_sends_vp8_with_key_frames_and_opus(void **state)
{
    (void)state;
    run_card(false);
}

static void the_card_without_text_does_so_too(void **state)
{
    (void)state;
    run_card(true);
}

static void its_parameters_are_those_of_a_producer(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct arena arena;
        struct rtp_parameters p;
        struct field_error error;
        arena_init(&arena, 65536);
        assert_int_equal(testcard_parameters((enum media_kind)k, 99, &arena, &p), OK);
        assert_int_equal(ortc_check_parameters(&p, (enum media_kind)k, "p", &arena, &error), OK);
        assert_int_equal(p.encodings[0].ssrc, 99);
        arena_fini(&arena);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_ERROR + 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_card_sends_vp8_with_key_frames_and_opus),
        cmocka_unit_test(the_card_without_text_does_so_too),
        cmocka_unit_test(its_parameters_are_those_of_a_producer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
