#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/rng.h"
#include "worker/engine/dtls.h"
#include "worker/engine/dtls_ssl.h"

/* ---- virtual time: OpenSSL's timer asks gettimeofday, which is ours in this program ---- */

static usec virtual_now;

int gettimeofday(struct timeval *restrict tv, void *restrict tz);
int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void)tz;
    usec t = virtual_now + 1700000000 * USEC_PER_SEC;
    tv->tv_sec = (time_t)(t / USEC_PER_SEC);
    tv->tv_usec = (suseconds_t)(t % USEC_PER_SEC);
    return 0;
}

/* ---- two peers and a link between them ---- */

enum { FLIGHT_MAX = 256, DATAGRAM_MAX = 2048, DATA_MAX = 64 };

struct flying {
    usec at;
    int to;
    size_t n;
    uint8_t bytes[DATAGRAM_MAX];
};

struct peer {
    struct dtls_identity *id; /* owned */
    struct dtls *d;           /* owned */
    bool connected, failed, closed;
    enum dtls_failure failure;
    size_t data_count;
    uint8_t data[DATA_MAX];
    size_t data_len;
};

struct net {
    struct peer peer[2];
    struct rng rng;
    unsigned loss_percent, duplicate_percent;
    usec jitter;
    unsigned drop_first; /* datagrams of peer 1 that get lost for certain */
    bool garbage;        /* each datagram is preceded by damaged copies of it */
    size_t largest, sent;
    struct flying flying[FLIGHT_MAX];
    size_t count;
    struct sink sink;
};

/* ---- OpenSSL's allocations ---- */

enum { LARGE = 16 * 1024, LARGE_MAX = 16 };

static long failing_in = -1;        /* allocations until one fails; negative: never */
static void *large_ones[LARGE_MAX]; /* not yet freed: the buffers for records */

static size_t count_large(void)
{
    size_t n = 0;
    for (size_t i = 0; i < LARGE_MAX; i++)
        n += large_ones[i] != NULL;
    return n;
}

static void replace_large(const void *old, void *new)
{
    for (size_t i = 0; i < LARGE_MAX; i++) {
        if (large_ones[i] == old) {
            large_ones[i] = new;
            return;
        }
    }
}

static bool fails_now(void)
{
    return failing_in >= 0 && failing_in-- == 0;
}

static void *counted_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    void *p = fails_now() ? NULL : malloc(n);
    if (p && n > LARGE)
        replace_large(NULL, p);
    return p;
}

static void *counted_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails_now() ? NULL : realloc(p, n);
}

static void counted_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (p)
        replace_large(p, NULL);
    free(p);
}

static struct dtls_identity *new_identity(void)
{
    struct dtls_identity *id;
    assert_int_equal(dtls_identity_open(&id, NULL, NULL), OK);
    return id;
}

/* Peer 0 acts as the server, peer 1 as the client. */
static struct net *net_open(uint64_t seed, struct dtls_identity *id0, struct dtls_identity *id1)
{
    struct net *n = calloc(1, sizeof *n);
    assert_non_null(n);
    virtual_now = 0;
    rng_init_seeded(&n->rng, seed);
    sink_init(&n->sink);
    n->peer[0].id = id0;
    n->peer[1].id = id1;
    for (int i = 0; i < 2; i++)
        assert_int_equal(dtls_open(&n->peer[i].d, n->peer[i].id), OK);
    return n;
}

static void net_close(struct net *n)
{
    for (int i = 0; i < 2; i++) {
        dtls_close(n->peer[i].d);
        dtls_identity_close(n->peer[i].id);
    }
    free(n);
}

static void net_fly(struct net *n, int to, struct slice s)
{
    if (n->count == FLIGHT_MAX)
        return;
    struct flying *f = &n->flying[n->count++];
    f->at = virtual_now + 10 * USEC_PER_MSEC +
            (n->jitter ? (usec)(rng_u64(&n->rng) % (uint64_t)n->jitter) : 0);
    f->to = to;
    f->n = s.n;
    assert_true(s.n <= DATAGRAM_MAX);
    memcpy(f->bytes, s.p, s.n);
}

static void net_send(struct net *n, int from, struct slice s)
{
    n->sent++;
    if (s.n > n->largest)
        n->largest = s.n;
    if (from == 1 && n->drop_first > 0) {
        n->drop_first--;
        return;
    }
    if (n->garbage) {
        uint8_t bad[DATAGRAM_MAX];
        memcpy(bad, s.p, s.n);
        net_fly(n, !from, slice_of(bad, s.n - 1));
        net_fly(n, !from, slice_of(bad, rng_u32(&n->rng) % s.n));
        rng_bytes(&n->rng, bad + 1, s.n - 1);
        net_fly(n, !from, slice_of(bad, s.n));
        bad[1] = 0xfe; /* the version is right, the rest is noise */
        bad[2] = 0xfd;
        net_fly(n, !from, slice_of(bad, s.n));
    }
    if (rng_u32(&n->rng) % 100 < n->loss_percent)
        return;
    net_fly(n, !from, s);
    if (rng_u32(&n->rng) % 100 < n->duplicate_percent)
        net_fly(n, !from, s);
}

static void net_drain(struct net *n, int who)
{
    struct peer *p = &n->peer[who];
    for (size_t i = 0; i < n->sink.count; i++) {
        const struct sink_item *it = &n->sink.items[i];
        struct slice bytes = sink_bytes(&n->sink, it);
        if (it->kind == SINK_DATAGRAM) {
            net_send(n, who, bytes);
        } else if (it->code == DTLS_EV_STATE) {
            p->connected |= it->arg == DTLS_CONNECTED;
            p->closed |= it->arg == DTLS_CLOSED;
        } else if (it->code == DTLS_EV_FAILED) {
            p->failed = true;
            p->failure = (enum dtls_failure)it->arg;
        } else if (it->code == DTLS_EV_DATA) {
            p->data_count++;
            p->data_len = bytes.n < DATA_MAX ? bytes.n : DATA_MAX;
            memcpy(p->data, bytes.p, p->data_len);
        }
    }
    sink_reset(&n->sink);
}

static void net_trust(struct net *n, enum dtls_hash hash)
{
    assert_int_equal(dtls_set_remote(n->peer[0].d, DTLS_CLIENT, hash,
                                     dtls_identity_fingerprint(n->peer[1].id, hash)),
                     OK);
    assert_int_equal(dtls_set_remote(n->peer[1].d, DTLS_AUTO, hash,
                                     dtls_identity_fingerprint(n->peer[0].id, hash)),
                     OK);
}

static void net_start(struct net *n)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(dtls_start(n->peer[i].d, virtual_now, &n->sink), OK);
        net_drain(n, i);
    }
}

/* Goes to the next event; false when nothing is to come. */
static bool net_step(struct net *n)
{
    usec next = USEC_NEVER;
    size_t which = 0;
    int timer = -1;
    for (size_t i = 0; i < n->count; i++) {
        if (n->flying[i].at < next) {
            next = n->flying[i].at;
            which = i;
        }
    }
    for (int i = 0; i < 2; i++) {
        if (dtls_deadline(n->peer[i].d) < next) {
            next = dtls_deadline(n->peer[i].d);
            timer = i;
        }
    }
    if (next == USEC_NEVER)
        return false;
    if (next > virtual_now)
        virtual_now = next;
    if (timer >= 0) {
        dtls_timeout(n->peer[timer].d, virtual_now, &n->sink);
        assert_true(dtls_deadline(n->peer[timer].d) > virtual_now);
        net_drain(n, timer);
        return true;
    }
    struct flying f = n->flying[which];
    n->flying[which] = n->flying[--n->count];
    uint8_t *exact = malloc(f.n ? f.n : 1); /* so that a read beyond the end is seen */
    assert_non_null(exact);
    memcpy(exact, f.bytes, f.n);
    dtls_input(n->peer[f.to].d, virtual_now, slice_of(exact, f.n), &n->sink);
    free(exact);
    net_drain(n, f.to);
    return true;
}

static void net_run(struct net *n)
{
    for (unsigned i = 0; i < 20000; i++)
        if (!net_step(n))
            return;
    fail_msg("the peers never come to rest");
}

static void assert_keys_agree(struct net *n, enum srtp_suite suite)
{
    struct srtp_key a_local, a_remote, b_local, b_remote;
    memset(&a_local, 0, sizeof a_local);
    memset(&b_remote, 0, sizeof b_remote);
    assert_int_equal(dtls_srtp_keys(n->peer[0].d, &a_local, &a_remote), OK);
    assert_int_equal(dtls_srtp_keys(n->peer[1].d, &b_local, &b_remote), OK);
    assert_int_equal(a_local.suite, suite);
    assert_int_equal(a_local.key_len, srtp_suite_key_len(suite));
    assert_int_equal(a_local.salt_len, srtp_suite_salt_len(suite));
    assert_memory_equal(&a_local, &b_remote, sizeof a_local);
    assert_memory_equal(&a_remote, &b_local, sizeof a_local);
    assert_memory_not_equal(a_local.key, a_remote.key, a_local.key_len);
}

static void assert_both_connected(struct net *n)
{
    for (int i = 0; i < 2; i++) {
        assert_true(n->peer[i].connected);
        assert_false(n->peer[i].failed);
        assert_int_equal(dtls_get_state(n->peer[i].d), DTLS_CONNECTED);
        assert_int_equal(dtls_deadline(n->peer[i].d), USEC_NEVER);
    }
}

/* ---- tests ---- */

static void both_roles_connect_with_every_hash(void **state)
{
    (void)state;
    for (enum dtls_hash h = 0; h < DTLS_HASH_COUNT; h++) {
        struct net *n = net_open(1, new_identity(), new_identity());
        net_trust(n, h);
        assert_int_equal(dtls_local_role(n->peer[0].d), DTLS_SERVER);
        assert_int_equal(dtls_local_role(n->peer[1].d), DTLS_CLIENT);
        net_start(n);
        net_run(n);
        assert_both_connected(n);
        assert_keys_agree(n, SEAL_AES_128_GCM);
        assert_true(n->largest <= DTLS_MTU);
        assert_true(virtual_now < 100 * USEC_PER_MSEC); /* nothing had to be sent twice */
        assert_non_null(strstr(dtls_remote_cert_pem(n->peer[0].d), "BEGIN CERTIFICATE"));
        net_close(n);
    }
}

struct profile_case {
    const char *server, *client;
    enum srtp_suite suite;
};

static void each_suite_is_negotiated_in_the_servers_order(void **state)
{
    (void)state;
    static const struct profile_case CASES[] = {
        {NULL, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM",
         SEAL_AES_128_GCM},
        {NULL, "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_256_GCM", SEAL_AES_256_GCM},
        {NULL, "SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80", SEAL_AES_128_CM_SHA1_80},
        {NULL, "SRTP_AES128_CM_SHA1_32", SEAL_AES_128_CM_SHA1_32},
        {"SRTP_AES128_CM_SHA1_80", NULL, SEAL_AES_128_CM_SHA1_80},
        {"SRTP_AEAD_AES_256_GCM", NULL, SEAL_AES_256_GCM},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct net *n = net_open(1, new_identity(), new_identity());
        if (CASES[i].server)
            SSL_CTX_set_tlsext_use_srtp(n->peer[0].id->ctx, CASES[i].server);
        if (CASES[i].client)
            SSL_CTX_set_tlsext_use_srtp(n->peer[1].id->ctx, CASES[i].client);
        net_trust(n, DTLS_SHA256);
        net_start(n);
        net_run(n);
        assert_both_connected(n);
        assert_keys_agree(n, CASES[i].suite);
        net_close(n);
    }
}

static void no_common_suite_fails(void **state)
{
    (void)state;
    struct net *n = net_open(1, new_identity(), new_identity());
    SSL_CTX_set_tlsext_use_srtp(n->peer[0].id->ctx, "SRTP_AEAD_AES_256_GCM");
    SSL_CTX_set_tlsext_use_srtp(n->peer[1].id->ctx, "SRTP_AES128_CM_SHA1_80");
    net_trust(n, DTLS_SHA256);
    net_start(n);
    net_run(n);
    assert_true(n->peer[0].failed);
    assert_int_equal(n->peer[0].failure, DTLS_FAIL_SRTP);
    assert_false(n->peer[1].connected);
    struct srtp_key k;
    assert_int_equal(dtls_srtp_keys(n->peer[0].d, &k, &k), ERR_STATE);
    net_close(n);
}

static void a_wrong_fingerprint_fails_without_keys(void **state)
{
    (void)state;
    for (int liar = 0; liar < 2; liar++) {
        struct net *n = net_open(1, new_identity(), new_identity());
        net_trust(n, DTLS_SHA256);
        char wrong[DTLS_FINGERPRINT_TEXT_MAX];
        strcpy(wrong, dtls_identity_fingerprint(n->peer[liar].id, DTLS_SHA256));
        wrong[0] = wrong[0] == 'A' ? 'B' : 'A';
        assert_int_equal(
            dtls_set_remote(n->peer[!liar].d, liar ? DTLS_CLIENT : DTLS_SERVER, DTLS_SHA256, wrong),
            OK);
        net_start(n);
        net_run(n);
        assert_true(n->peer[!liar].failed);
        assert_int_equal(n->peer[!liar].failure, DTLS_FAIL_FINGERPRINT);
        for (int i = 0; i < 2; i++) {
            struct srtp_key k;
            assert_false(n->peer[i].connected);
            assert_int_equal(dtls_srtp_keys(n->peer[i].d, &k, &k), ERR_STATE);
        }
        net_close(n);
    }
}

static void a_client_without_a_certificate_fails(void **state)
{
    (void)state;
    struct net *n = net_open(1, new_identity(), new_identity());
    net_trust(n, DTLS_SHA256);
    SSL_CTX *bare = SSL_CTX_new(DTLS_method());
    SSL_CTX_set_tlsext_use_srtp(bare, "SRTP_AEAD_AES_128_GCM");
    SSL_CTX_set_cert_verify_callback(bare, dtls_verify_certificate, NULL);
    SSL_CTX_free(n->peer[1].id->ctx);
    n->peer[1].id->ctx = bare;
    net_start(n);
    net_run(n);
    assert_true(n->peer[0].failed);
    assert_int_equal(n->peer[0].failure, DTLS_FAIL_FINGERPRINT);
    net_close(n);
}

static void older_versions_are_refused(void **state)
{
    (void)state;
    struct net *n = net_open(1, new_identity(), new_identity());
    SSL_CTX_set_security_level(n->peer[1].id->ctx, 0);
    SSL_CTX_set_min_proto_version(n->peer[1].id->ctx, DTLS1_VERSION);
    SSL_CTX_set_max_proto_version(n->peer[1].id->ctx, DTLS1_VERSION);
    SSL_CTX_set_cipher_list(n->peer[1].id->ctx, "ALL");
    net_trust(n, DTLS_SHA256);
    net_start(n);
    net_run(n);
    assert_true(n->peer[0].failed);
    assert_int_equal(n->peer[0].failure, DTLS_FAIL_HANDSHAKE);
    assert_false(n->peer[1].connected);
    net_close(n);
}

static void lossy_reordering_duplicating_links_are_survived(void **state)
{
    (void)state;
    struct dtls_identity *a = new_identity(), *b = new_identity();
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct net *n = net_open(seed, a, b);
        n->loss_percent = 15;
        n->duplicate_percent = 20;
        n->jitter = 60 * USEC_PER_MSEC;
        net_trust(n, DTLS_SHA256);
        net_start(n);
        net_run(n);
        assert_both_connected(n);
        assert_keys_agree(n, SEAL_AES_128_GCM);
        for (int i = 0; i < 2; i++) {
            dtls_close(n->peer[i].d);
        }
        free(n);
    }
    dtls_identity_close(a);
    dtls_identity_close(b);
}

enum { SMALL_MTU = 256 }; /* the smallest that OpenSSL accepts */

static void small_mtu(const SSL *ssl, int where, int ret)
{
    (void)ret;
    if (where & SSL_CB_HANDSHAKE_START)
        SSL_set_mtu((SSL *)(uintptr_t)ssl, SMALL_MTU);
}

static void hellos_and_flights_in_fragments_are_put_together(void **state)
{
    (void)state;
    struct dtls_identity *a = new_identity(), *b = new_identity();
    SSL_CTX_set_info_callback(a->ctx, small_mtu);
    SSL_CTX_set_info_callback(b->ctx, small_mtu);
    /* A hello of the size that browsers send: an extension of 1,000 bytes */
    uint8_t protocols[1000];
    memset(protocols, 'x', sizeof protocols);
    for (size_t i = 0; i < sizeof protocols; i += 250)
        protocols[i] = 249;
    SSL_CTX_set_alpn_protos(b->ctx, protocols, sizeof protocols);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct net *n = net_open(seed, a, b);
        n->loss_percent = seed == 0 ? 0 : 5;
        n->duplicate_percent = seed == 0 ? 0 : 20;
        n->jitter = seed == 0 ? 0 : 50 * USEC_PER_MSEC;
        net_trust(n, DTLS_SHA256);
        net_start(n);
        net_run(n);
        assert_both_connected(n);
        assert_true(n->largest <= SMALL_MTU);
        assert_true(n->sent >= 14);
        for (int i = 0; i < 2; i++)
            dtls_close(n->peer[i].d);
        free(n);
    }
    dtls_identity_close(a);
    dtls_identity_close(b);
}

static void garbage_and_truncated_records_are_ignored(void **state)
{
    (void)state;
    struct net *n = net_open(1, new_identity(), new_identity());
    n->garbage = true;
    net_trust(n, DTLS_SHA256);
    net_start(n);
    net_run(n);
    assert_both_connected(n);
    assert_int_equal(dtls_send(n->peer[1].d, virtual_now, slice_of("after", 5), &n->sink), OK);
    net_drain(n, 1);
    net_run(n);
    assert_both_connected(n);
    assert_int_equal(n->peer[0].data_count, 1);
    net_close(n);
}

static void a_lost_hello_is_sent_again_after_100_ms(void **state)
{
    (void)state;
    struct net *n = net_open(1, new_identity(), new_identity());
    n->drop_first = 2;
    net_trust(n, DTLS_SHA256);
    net_start(n);
    net_run(n);
    assert_both_connected(n);
    /* 100 ms, then 200 ms; OpenSSL takes a timer for expired up to 15 ms early */
    assert_in_range(virtual_now, 270 * USEC_PER_MSEC, 400 * USEC_PER_MSEC);
    net_close(n);
}

static void a_hello_before_the_start_is_dropped_and_repeated(void **state)
{
    (void)state;
    struct net *n = net_open(1, new_identity(), new_identity());
    net_trust(n, DTLS_SHA256);
    assert_int_equal(dtls_start(n->peer[1].d, virtual_now, &n->sink), OK);
    net_drain(n, 1);
    assert_true(net_step(n)); /* the hello arrives at a peer that knows no fingerprint yet */
    assert_int_equal(dtls_get_state(n->peer[0].d), DTLS_NEW);
    assert_int_equal(dtls_start(n->peer[0].d, virtual_now, &n->sink), OK);
    net_drain(n, 0);
    net_run(n);
    assert_both_connected(n);
    net_close(n);
}

static void a_silent_peer_fails_after_30_seconds(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct net *n = net_open(1, new_identity(), new_identity());
        net_trust(n, DTLS_SHA256);
        assert_int_equal(dtls_start(n->peer[i].d, virtual_now, &n->sink), OK);
        sink_reset(&n->sink);
        net_run(n);
        assert_true(n->peer[i].failed);
        assert_int_equal(n->peer[i].failure, DTLS_FAIL_TIMEOUT);
        assert_in_range(virtual_now, 28 * USEC_PER_SEC, 30 * USEC_PER_SEC);
        net_close(n);
    }
}

static void endless_handshake_bytes_fail(void **state)
{
    (void)state;
    struct net *n = net_open(1, new_identity(), new_identity());
    net_trust(n, DTLS_SHA256);
    net_start(n);
    uint8_t junk[1200] = {22, 0xfe, 0xfd};
    for (int i = 0; i < 100; i++) {
        dtls_input(n->peer[0].d, virtual_now, slice_of(junk, sizeof junk), &n->sink);
        net_drain(n, 0);
    }
    assert_true(n->peer[0].failed);
    assert_int_equal(n->peer[0].failure, DTLS_FAIL_FLOOD);
    net_close(n);
}

static void messages_arrive_whole_in_both_directions(void **state)
{
    (void)state;
    struct net *n = net_open(1, new_identity(), new_identity());
    struct slice hello = slice_of("hello", 5);
    assert_int_equal(dtls_send(n->peer[0].d, 0, hello, &n->sink), ERR_STATE);
    net_trust(n, DTLS_SHA256);
    net_start(n);
    net_run(n);
    for (int from = 0; from < 2; from++) {
        assert_int_equal(dtls_send(n->peer[from].d, virtual_now, hello, &n->sink), OK);
        net_drain(n, from);
        net_run(n);
        assert_int_equal(n->peer[!from].data_count, 1);
        assert_int_equal(n->peer[!from].data_len, 5);
        assert_memory_equal(n->peer[!from].data, "hello", 5);
    }
    static uint8_t big[DTLS_SEND_MAX + 1];
    assert_int_equal(dtls_send(n->peer[0].d, 0, slice_of(big, DTLS_SEND_MAX), &n->sink), OK);
    net_drain(n, 0);
    assert_true(n->largest <= DTLS_MTU);
    assert_int_equal(dtls_send(n->peer[0].d, 0, slice_of(big, DTLS_SEND_MAX + 1), &n->sink),
                     ERR_TOO_LARGE);
    net_close(n);
}

static void records_take_memory_only_while_they_are_handled(void **state)
{
    (void)state;
    memset(large_ones, 0, sizeof large_ones);
    struct net *n = net_open(1, new_identity(), new_identity());
    net_trust(n, DTLS_SHA256);
    net_start(n);
    size_t shaking = count_large();
    net_run(n);
    assert_both_connected(n);
    /* What may be left is OpenSSL's buffer for messages of the handshake, one an end. */
    size_t connected = count_large();
    assert_true(connected + 2 <= shaking);
    assert_int_equal(dtls_send(n->peer[0].d, virtual_now, slice_of("hello", 5), &n->sink), OK);
    net_drain(n, 0);
    net_run(n);
    assert_int_equal(n->peer[1].data_count, 1);
    assert_int_equal(count_large(), connected);
    net_close(n);
    assert_int_equal(count_large(), 0);
}

static void close_notify_closes_the_other_side(void **state)
{
    (void)state;
    for (int who = 0; who < 2; who++) {
        struct net *n = net_open(1, new_identity(), new_identity());
        net_trust(n, DTLS_SHA256);
        net_start(n);
        net_run(n);
        dtls_shutdown(n->peer[who].d, virtual_now, &n->sink);
        assert_int_equal(n->sink.count, 1);
        net_drain(n, who);
        net_run(n);
        assert_false(n->peer[who].closed); /* no event for what one did oneself */
        assert_true(n->peer[!who].closed);
        struct srtp_key k;
        for (int i = 0; i < 2; i++) {
            assert_int_equal(dtls_get_state(n->peer[i].d), DTLS_CLOSED);
            assert_int_equal(dtls_srtp_keys(n->peer[i].d, &k, &k), ERR_STATE);
        }
        net_close(n);
    }
}

static void bad_parameters_are_refused(void **state)
{
    (void)state;
    struct net *n = net_open(1, new_identity(), new_identity());
    struct dtls *d = n->peer[0].d;
    const char *good = dtls_identity_fingerprint(n->peer[1].id, DTLS_SHA256);
    assert_int_equal(dtls_start(d, 0, &n->sink), ERR_STATE);
    assert_int_equal(dtls_set_remote(d, DTLS_CLIENT, DTLS_HASH_COUNT, good), ERR_RANGE);
    assert_int_equal(dtls_set_remote(d, DTLS_CLIENT, DTLS_SHA1, good), ERR_MALFORMED);
    assert_int_equal(dtls_set_remote(d, DTLS_CLIENT, DTLS_SHA512, good), ERR_MALFORMED);
    assert_int_equal(dtls_set_remote(d, DTLS_CLIENT, DTLS_SHA256, ""), ERR_MALFORMED);
    char text[DTLS_FINGERPRINT_TEXT_MAX];
    strcpy(text, good);
    text[1] = 'g';
    assert_int_equal(dtls_set_remote(d, DTLS_CLIENT, DTLS_SHA256, text), ERR_MALFORMED);
    strcpy(text, good);
    text[2] = '-';
    assert_int_equal(dtls_set_remote(d, DTLS_CLIENT, DTLS_SHA256, text), ERR_MALFORMED);
    for (size_t i = 0; good[i]; i++)
        text[i] = (char)(good[i] >= 'A' ? good[i] + 32 * (good[i] != ':') : good[i]);
    assert_int_equal(dtls_set_remote(d, DTLS_CLIENT, DTLS_SHA256, text), OK); /* lower case */
    assert_int_equal(dtls_start(d, 0, &n->sink), OK);
    assert_int_equal(dtls_start(d, 0, &n->sink), OK);
    assert_int_equal(dtls_set_remote(d, DTLS_CLIENT, DTLS_SHA256, good), ERR_STATE);
    enum dtls_role role;
    assert_true(dtls_role_by_name("server", &role) && role == DTLS_SERVER);
    assert_false(dtls_role_by_name("passive", &role));
    assert_int_equal(dtls_hash_by_name("sha-384"), DTLS_SHA384);
    assert_int_equal(dtls_hash_by_name("md5"), DTLS_HASH_COUNT);
    net_close(n);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void the_identity_can_come_from_files(void **state)
{
    (void)state;
    char cert[] = "weir-cert-XXXXXX", key[] = "weir-key-XXXXXX";
    int cert_fd = mkstemp(cert), key_fd = mkstemp(key);
    assert_true(cert_fd >= 0 && key_fd >= 0);
    close(cert_fd);
    close(key_fd);
    char command[400];
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=test -days 2 -keyout %s "
             "-out %s 2>/dev/null",
             key, cert);
    assert_int_equal(system(command), 0);
    struct dtls_identity *id = NULL;
    assert_int_equal(dtls_identity_open(&id, cert, key), OK);
    struct net *n = net_open(1, id, new_identity()); /* RSA here, P-256 there */
    net_trust(n, DTLS_SHA512);
    net_start(n);
    net_run(n);
    assert_both_connected(n);
    assert_in_range(n->largest, DTLS_MTU - 20, DTLS_MTU); /* the server's flight takes two */
    net_close(n);

    assert_int_equal(dtls_identity_open(&id, cert, NULL), ERR_TYPE);
    assert_int_equal(dtls_identity_open(&id, "no/such/file", key), ERR_IO);
    assert_int_equal(dtls_identity_open(&id, cert, "no/such/file"), ERR_IO);
    assert_int_equal(dtls_identity_open(&id, key, key), ERR_MALFORMED);
    write_file(key, "nonsense");
    assert_int_equal(dtls_identity_open(&id, cert, key), ERR_MALFORMED);
    unlink(cert);
    unlink(key);
    dtls_identity_close(NULL);
    dtls_close(NULL);
}

/* ---- allocations that fail ---- */

/* One handshake with one failing allocation of OpenSSL; false when it came through without. */
static bool handshake_with_failure(struct dtls_identity *a, struct dtls_identity *b, long at)
{
    struct net *n = net_open(1, a, b);
    net_trust(n, DTLS_SHA256);
    failing_in = at;
    for (int i = 0; i < 2; i++) {
        enum err e = dtls_start(n->peer[i].d, virtual_now, &n->sink);
        assert_true(e == OK || e == ERR_NOMEM);
        net_drain(n, i);
    }
    net_run(n);
    bool reached = failing_in < 0;
    failing_in = -1;
    for (int i = 0; i < 2; i++) {
        struct peer *p = &n->peer[i];
        struct srtp_key k;
        assert_true(p->failed || p->connected);
        assert_int_equal(dtls_srtp_keys(p->d, &k, &k), p->connected && !p->closed ? OK : ERR_STATE);
        dtls_close(p->d);
    }
    free(n);
    return reached;
}

static void a_failing_allocation_fails_the_handshake_at_most(void **state)
{
    (void)state;
    struct dtls_identity *a = new_identity(), *b = new_identity();
    for (long at = 0; handshake_with_failure(a, b, at); at += 1 + at / 16)
        ;
    for (long at = 0; at < 200; at++) {
        struct dtls_identity *id = NULL;
        failing_in = at;
        enum err e = dtls_identity_open(&id, NULL, NULL);
        failing_in = -1;
        assert_true((e == OK) == (id != NULL));
        dtls_identity_close(id);
    }
    dtls_identity_close(a);
    dtls_identity_close(b);
}

int main(void)
{
    if (CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) != 1)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_roles_connect_with_every_hash),
        cmocka_unit_test(each_suite_is_negotiated_in_the_servers_order),
        cmocka_unit_test(no_common_suite_fails),
        cmocka_unit_test(a_wrong_fingerprint_fails_without_keys),
        cmocka_unit_test(a_client_without_a_certificate_fails),
        cmocka_unit_test(older_versions_are_refused),
        cmocka_unit_test(lossy_reordering_duplicating_links_are_survived),
        cmocka_unit_test(hellos_and_flights_in_fragments_are_put_together),
        cmocka_unit_test(garbage_and_truncated_records_are_ignored),
        cmocka_unit_test(a_lost_hello_is_sent_again_after_100_ms),
        cmocka_unit_test(a_hello_before_the_start_is_dropped_and_repeated),
        cmocka_unit_test(a_silent_peer_fails_after_30_seconds),
        cmocka_unit_test(endless_handshake_bytes_fail),
        cmocka_unit_test(messages_arrive_whole_in_both_directions),
        cmocka_unit_test(records_take_memory_only_while_they_are_handled),
        cmocka_unit_test(close_notify_closes_the_other_side),
        cmocka_unit_test(bad_parameters_are_refused),
        cmocka_unit_test(the_identity_can_come_from_files),
        cmocka_unit_test(a_failing_allocation_fails_the_handshake_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
