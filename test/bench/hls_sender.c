/* A broadcaster for benches: sends recorded RTP as a browser does, by WebRTC, over and over, with
 * sequence numbers and timestamps that go on. A process of its own, so that what it takes can be
 * told from what others take.
 *
 *     hls_sender VIDEO.rtp PAYLOAD_TYPE AUDIO.rtp PAYLOAD_TYPE SSRC
 *
 * Files: a track's packets, each behind its length in 16 bits, from a key frame on. SSRC is that of
 * the pictures; the next one is the sound's. Prints its fingerprint; reads the worker's "port ufrag
 * password fingerprint"; prints "connected"; sends until its standard input ends. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/clock.h"
#include "proto/rtcp_report.h"
#include "proto/rtcp_sdes.h"
#include "proto/rtp.h"
#include "proto/rtp_ext.h"
#include "test/lib/rtc_peer.h"
#include "worker/rtp/ntp.h"

enum {
    TRACKS = 2,
    EXT_TWCC = 5,
    /* As browsers pace: a frame's packets leave a few at a time. */
    BURST = 4,
    BURST_EVERY_US = 5000,
    PACKETS_MAX = 65536,
    CONNECT_US = 10 * 1000 * 1000
};

struct packet {
    uint8_t *bytes; /* in the track's file */
    size_t n;
    uint32_t timestamp; /* counted from the first */
    usec pace;          /* after its frame's time */
};

struct track {
    struct packet *packets;
    size_t n;
    size_t next;
    uint32_t clock_rate;
    uint32_t lasts;  /* until it begins again, of its clock */
    uint64_t rounds; /* that were sent */
    uint32_t ssrc;
    uint8_t payload_type;
    uint16_t seq;
    uint32_t sent;
    uint32_t octets;
    usec next_report;
};

static struct track tracks[TRACKS];
static struct rtc_peer rtc;
static int udp;
static uint16_t twcc;

static void die(const char *what)
{
    fprintf(stderr, "hls_sender: %s\n", what);
    exit(1);
}

/* ---- recordings ---- */

static struct slice read_all(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0)
        die(path);
    size_t n = (size_t)ftell(f);
    uint8_t *bytes = malloc(n);
    rewind(f);
    if (!bytes || fread(bytes, 1, n, f) != n)
        die(path);
    fclose(f);
    return slice_of(bytes, n);
}

/* The file's bytes stay for as long as the process. */
static void load(struct track *t, const char *path)
{
    struct rd r = rd_slice(read_all(path));
    uint32_t first = 0;
    size_t frames = 0;
    size_t in_frame = 0;
    t->packets = calloc(PACKETS_MAX, sizeof *t->packets);
    while (t->packets && rd_left(&r) > 0 && t->n < PACKETS_MAX) {
        struct rtp_view v;
        size_t n = rd_u16(&r);
        struct slice bytes = rd_bytes(&r, n);
        if (r.bad || rtp_parse(&v, (uint8_t *)(uintptr_t)bytes.p, n) != OK)
            die("this is no recording");
        first = t->n == 0 ? v.timestamp : first;
        bool begins = t->n == 0 || t->packets[t->n - 1].timestamp != v.timestamp - first;
        in_frame = begins ? 0 : in_frame + 1;
        frames += begins;
        t->packets[t->n++] = (struct packet){.bytes = v.data,
                                             .n = n,
                                             .timestamp = v.timestamp - first,
                                             .pace = (usec)(in_frame / BURST) * BURST_EVERY_US};
    }
    if (frames < 2)
        die("the recording is empty");
    /* The last frame is as long as the others. */
    uint32_t last = t->packets[t->n - 1].timestamp;
    t->lasts = last + (uint32_t)(last / (frames - 1));
}

/* ---- sending ---- */

static uint64_t now_of(const struct track *t)
{
    return t->rounds * t->lasts + t->packets[t->next].timestamp;
}

static usec due(const struct track *t, usec start)
{
    uint64_t at = now_of(t);
    return start + (usec)(at * (uint64_t)USEC_PER_SEC / t->clock_rate) + t->packets[t->next].pace;
}

static void send_report(struct track *t, usec now, usec start)
{
    uint8_t buf[256];
    struct wr w = wr_of(buf, sizeof buf);
    uint64_t clock = (uint64_t)(now - start) * t->clock_rate / (uint64_t)USEC_PER_SEC;
    struct rtcp_sr sr = {.ssrc = t->ssrc,
                         .ntp = ntp_of_usec(clock_wall()),
                         .rtp_timestamp = (uint32_t)clock,
                         .packets = t->sent,
                         .octets = t->octets};
    struct rtcp_sdes_chunk chunk = {.ssrc = t->ssrc, .cname = slice_of("bench", 5)};
    rtcp_write_sr(&w, &sr, NULL, 0);
    rtcp_write_sdes(&w, &chunk, 1);
    (void)rtc_peer_send_rtcp(&rtc, buf, wr_len(&w));
    t->next_report = now + USEC_PER_SEC;
}

static void send_next(struct track *t)
{
    uint8_t buf[RTC_PEER_PACKET_MAX];
    uint8_t number[RTP_EXT_TWCC_LEN];
    struct rtp_view v;
    struct rtp_view sent;
    const struct packet *p = &t->packets[t->next];
    struct rtp_ext_item item = {EXT_TWCC, slice_of(number, sizeof number)};
    struct wr w = wr_of(buf, sizeof buf);
    put_u16(number, twcc++);
    if (rtp_parse(&v, p->bytes, p->n) != OK ||
        rtp_ext_copy_packet(&w, &v, RTP_EXT_ONE_BYTE, &item, 1, &sent) != OK)
        die("a packet does not fit");
    buf[1] = (uint8_t)((buf[1] & 0x80) | t->payload_type);
    rtp_set_seq(&sent, t->seq++);
    rtp_set_timestamp(&sent, (uint32_t)now_of(t));
    rtp_set_ssrc(&sent, t->ssrc);
    (void)rtc_peer_send_rtp(&rtc, buf, wr_len(&w));
    t->sent++;
    t->octets += sent.payload_len;
    if (++t->next == t->n) {
        t->next = 0;
        t->rounds++;
    }
}

/* What is due; when to look again. */
static usec turn(usec now, usec start)
{
    usec next = rtc_peer_deadline(&rtc);
    if (next <= now) {
        rtc_peer_timeout(&rtc, now);
        next = rtc_peer_deadline(&rtc);
    }
    for (size_t i = 0; i < TRACKS; i++) {
        struct track *t = &tracks[i];
        while (due(t, start) <= now)
            send_next(t);
        if (t->next_report <= now)
            send_report(t, now, start);
        next = due(t, start) < next ? due(t, start) : next;
    }
    return next;
}

/* ---- connecting ---- */

static void send_datagram(void *ctx, const void *bytes, size_t n)
{
    (void)ctx;
    (void)send(udp, bytes, n, 0);
}

static void receive(void)
{
    uint8_t buf[RTC_PEER_PACKET_MAX];
    ssize_t n;
    while ((n = recv(udp, buf, sizeof buf, MSG_DONTWAIT)) > 0)
        rtc_peer_input(&rtc, clock_now(), buf, (size_t)n);
}

static void open_socket(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (udp < 0 || connect(udp, (struct sockaddr *)&to, sizeof to) != 0)
        die(strerror(errno));
}

static void meet(struct rng *rng)
{
    char ufrag[64];
    char password[64];
    char fingerprint[128];
    unsigned port;
    struct dtls_identity *identity;
    if (dtls_identity_open(&identity, NULL, NULL) != OK)
        die("no certificate");
    printf("%s\n", dtls_identity_fingerprint(identity, DTLS_SHA256));
    fflush(stdout);
    if (scanf("%u %63s %63s %127s", &port, ufrag, password, fingerprint) != 4 || port > 65535)
        die("expected port, ufrag, password and fingerprint");
    struct rtc_peer_config config = {.rng = rng,
                                     .identity = identity,
                                     .remote_ufrag = ufrag,
                                     .remote_pwd = password,
                                     .remote_fingerprint = fingerprint,
                                     .send = send_datagram};
    open_socket((uint16_t)port);
    if (rtc_peer_init(&rtc, &config) != OK)
        die("out of memory");
}

static void connect_peer(void)
{
    usec since = clock_now();
    rtc_peer_start(&rtc, since);
    while (!rtc_peer_connected(&rtc)) {
        struct pollfd p = {.fd = udp, .events = POLLIN};
        poll(&p, 1, 10);
        receive();
        rtc_peer_timeout(&rtc, clock_now());
        if (clock_now() - since > CONNECT_US)
            die("the worker does not answer");
    }
    printf("connected\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const uint32_t rates[TRACKS] = {90000, 48000};
    struct rng rng;
    if (argc != 6)
        die("expected VIDEO.rtp PAYLOAD_TYPE AUDIO.rtp PAYLOAD_TYPE SSRC");
    for (size_t i = 0; i < TRACKS; i++) {
        tracks[i].clock_rate = rates[i];
        tracks[i].payload_type = (uint8_t)strtoul(argv[2 + 2 * i], NULL, 10);
        tracks[i].ssrc = (uint32_t)(strtoul(argv[5], NULL, 10) + i);
        load(&tracks[i], argv[1 + 2 * i]);
    }
    rng_init_system(&rng);
    meet(&rng);
    connect_peer();
    usec start = clock_now();
    for (;;) {
        usec now = clock_now();
        usec next = turn(now, start);
        usec wait = next > now ? next - now : 0;
        struct timespec limit = {.tv_sec = wait / USEC_PER_SEC,
                                 .tv_nsec = wait % USEC_PER_SEC * 1000};
        struct pollfd p[] = {{.fd = udp, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
        char end;
        if (ppoll(p, 2, &limit, NULL) > 0 && p[1].revents != 0 && read(0, &end, 1) <= 0)
            return 0;
        receive();
    }
}
