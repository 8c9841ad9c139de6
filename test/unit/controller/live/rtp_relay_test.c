/* On real sockets of loopback; each step waits for a datagram. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "controller/live/silence_splice.h"
#include "controller/live/rtp_relay.h"

enum { PT = 100 };

static int bound(uint16_t *port)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof own;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&own, sizeof own), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &n), 0);
    *port = ntohs(own.sin_port);
    return fd;
}

/* The next datagram, while the loop runs. */
static ssize_t receive(uv_loop_t *loop, int fd, uint8_t *out, size_t max)
{
    ssize_t n;
    while ((n = recv(fd, out, max, 0)) < 0)
        uv_run(loop, UV_RUN_ONCE);
    return n;
}

static void it_fills_silence_in_and_passes_on_what_comes(void **state)
{
    uv_loop_t loop;
    struct rtp_relay *r;
    uint16_t ffmpeg_port;
    uint16_t worker_port;
    uint8_t p[256] = {0};
    (void)state;
    uv_loop_init(&loop);
    int ffmpeg = bound(&ffmpeg_port);
    int worker = bound(&worker_port);
    struct rtp_relay_config config = {.loop = &loop,
                                      .target = ffmpeg_port,
                                      .silence = silence_payload("audio/opus"),
                                      .payload_type = PT,
                                      .ssrc = 9,
                                      .clock_rate = 48000};
    assert_int_equal(rtp_relay_open(&config, &r), OK);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(rtp_relay_port(r)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    rtp_relay_start(r);
    rtp_relay_start(r); /* twice is fine */
    assert_int_equal(receive(&loop, ffmpeg, p, sizeof p), 15);
    assert_int_equal(receive(&loop, ffmpeg, p, sizeof p), 15);
    uint8_t sound[100] = {0x80, PT, 0, 7};
    assert_int_equal(
        sendto(worker, sound, sizeof sound, 0, (const struct sockaddr *)&to, sizeof to),
        sizeof sound);
    while (receive(&loop, ffmpeg, p, sizeof p) != sizeof sound)
        assert_int_equal(p[11], 9);
    assert_int_equal(p[11], 9);
    rtp_relay_close(r);
    rtp_relay_close(NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    close(ffmpeg);
    close(worker);
}

static void vp9_is_stripped_and_rtcp_is_not(void **state)
{
    uv_loop_t loop;
    struct rtp_relay *r;
    uint16_t ffmpeg_port;
    uint16_t worker_port;
    uint8_t p[256] = {0};
    (void)state;
    uv_loop_init(&loop);
    int ffmpeg = bound(&ffmpeg_port);
    int worker = bound(&worker_port);
    struct rtp_relay_config config = {.loop = &loop, .target = ffmpeg_port, .vp9 = true};
    assert_int_equal(rtp_relay_open(&config, &r), OK);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(rtp_relay_port(r)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    rtp_relay_start(r);
    uint8_t upper[16] = {0x80, PT, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0x2c, 0x02, 0x00, 0xaa};
    uint8_t lowest[16] = {0x80, PT, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0x2c, 0x00, 0x00, 0xaa};
    uint8_t report[28] = {0x80, 200, 0, 6};
    const struct sockaddr *at = (const struct sockaddr *)&to;
    assert_int_equal(sendto(worker, upper, sizeof upper, 0, at, sizeof to), sizeof upper);
    assert_int_equal(sendto(worker, lowest, sizeof lowest, 0, at, sizeof to), sizeof lowest);
    assert_int_equal(sendto(worker, report, sizeof report, 0, at, sizeof to), sizeof report);
    assert_int_equal(receive(&loop, ffmpeg, p, sizeof p), 14);
    assert_int_equal(p[12], 0x0c);
    assert_int_equal(p[13], 0xaa);
    assert_int_equal(receive(&loop, ffmpeg, p, sizeof p), sizeof report);
    assert_memory_equal(p, report, sizeof report);
    rtp_relay_close(r);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    close(ffmpeg);
    close(worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_fills_silence_in_and_passes_on_what_comes),
        cmocka_unit_test(vp9_is_stripped_and_rtcp_is_not)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
