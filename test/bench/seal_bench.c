/* CPU time of sealing and opening a 1,200-byte RTP packet, per suite and implementation: the bare
 * cipher, one packet at a time, batches, opening; and libsrtp2 beside it. Prints a table. */
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/bytes.h"
#include "common/rng.h"
#include "worker/engine/seal.h"
#include "worker/engine/seal_cipher.h"

enum { PACKET = 1200, CAP = 1300, KEYS = 500, BATCH = 64, ROUNDS = 200000 };

static uint8_t packets[KEYS][CAP];
static struct sealer *sealers[KEYS];
static volatile unsigned failures;

static double cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static size_t header(uint8_t *p, uint32_t ssrc, uint16_t seq)
{
    put_u16(p, 0x8060);
    put_u16(p + 2, seq);
    put_u32(p + 4, 0);
    put_u32(p + 8, ssrc);
    return PACKET;
}

static double bench_floor(void)
{
    double t = cpu_ns();
    for (unsigned i = 0; i < ROUNDS; i++)
        seal_cipher_only(sealers[i % KEYS], i, packets[i % KEYS], PACKET);
    return (cpu_ns() - t) / ROUNDS;
}

static double bench_single(uint16_t *seq)
{
    double t = cpu_ns();
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (i % KEYS == 0)
            ++*seq;
        size_t n = header(packets[i % KEYS], 5, *seq);
        failures += seal_protect_rtp(sealers[i % KEYS], packets[i % KEYS], &n) != OK;
    }
    return (cpu_ns() - t) / ROUNDS;
}

static double bench_batch(uint16_t *seq, size_t batch)
{
    struct seal_job jobs[BATCH];
    double t = cpu_ns();
    for (unsigned i = 0; i < ROUNDS;) {
        size_t n = 0;
        for (; n < batch; n++, i++) {
            if (i % KEYS == 0)
                ++*seq;
            jobs[n] = (struct seal_job){.sealer = sealers[i % KEYS],
                                        .pkt = packets[i % KEYS],
                                        .len = header(packets[i % KEYS], 5, *seq)};
        }
        seal_protect_rtp_batch(jobs, n);
        for (size_t k = 0; k < n; k++)
            failures += jobs[k].result != OK;
    }
    return (cpu_ns() - t) / ROUNDS;
}

static double bench_open(const struct srtp_key *key)
{
    enum { SERIES = 20000 };
    struct opener *o;
    struct sealer *s;
    uint8_t *all = malloc((size_t)SERIES * CAP);
    if (!all || opener_open(&o, key) != OK || seal_open(&s, key) != OK)
        abort();
    size_t n = 0;
    for (unsigned i = 0; i < SERIES; i++) {
        n = header(all + (size_t)i * CAP, 5, (uint16_t)i);
        failures += seal_protect_rtp(s, all + (size_t)i * CAP, &n) != OK;
    }
    double t = cpu_ns();
    for (unsigned i = 0; i < SERIES; i++) {
        size_t len = n;
        failures += opener_unprotect_rtp(o, all + (size_t)i * CAP, &len) != OK;
    }
    t = (cpu_ns() - t) / SERIES;
    free(all);
    seal_close(s);
    opener_close(o);
    return t;
}

static double bench_libsrtp(const struct srtp_key *k)
{
    static uint8_t material[64];
    memcpy(material, k->key, k->key_len);
    memcpy(material + k->key_len, k->salt, k->salt_len);
    srtp_policy_t p;
    memset(&p, 0, sizeof p);
    void (*const set[SRTP_SUITE_COUNT])(srtp_crypto_policy_t *) = {
        srtp_crypto_policy_set_aes_gcm_128_16_auth, srtp_crypto_policy_set_aes_gcm_256_16_auth,
        srtp_crypto_policy_set_rtp_default, srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32};
    set[k->suite](&p.rtp);
    set[k->suite](&p.rtcp);
    p.ssrc.type = ssrc_any_outbound;
    p.key = material;
    srtp_t s;
    if (srtp_create(&s, &p) != srtp_err_status_ok)
        return 0;
    enum { SERIES = 30000 };
    double t = cpu_ns();
    for (unsigned i = 0; i < SERIES; i++) {
        int n = (int)header(packets[i % KEYS], 5, (uint16_t)i);
        failures += srtp_protect(s, packets[i % KEYS], &n) != srtp_err_status_ok;
    }
    t = (cpu_ns() - t) / SERIES;
    srtp_dealloc(s);
    return t;
}

static void bench_suite(enum srtp_suite suite)
{
    struct rng rng;
    rng_init_seeded(&rng, suite + 1);
    struct srtp_key k = {.suite = suite,
                         .key_len = (uint8_t)srtp_suite_key_len(suite),
                         .salt_len = (uint8_t)srtp_suite_salt_len(suite)};
    for (unsigned i = 0; i < KEYS; i++) {
        rng_bytes(&rng, k.key, k.key_len);
        rng_bytes(&rng, k.salt, k.salt_len);
        if (seal_open(&sealers[i], &k) != OK)
            abort();
    }
    uint16_t seq = 0;
    (void)bench_single(&seq);
    printf("%-9s %-24s %6.0f %7.0f %8.0f %9.0f %6.0f %9.0f\n", seal_backend(),
           srtp_suite_name(suite), bench_floor(), bench_single(&seq), bench_batch(&seq, 8),
           bench_batch(&seq, BATCH), bench_open(&k), bench_libsrtp(&k));
    for (unsigned i = 0; i < KEYS; i++)
        seal_close(sealers[i]);
}

int main(void)
{
    if (srtp_init() != srtp_err_status_ok || seal_global_init() != OK)
        return 1;
    printf("ns of CPU per %d-byte packet, %d keys in turn\n", PACKET, KEYS);
    printf("%-9s %-24s %6s %7s %8s %9s %6s %9s\n", "by", "suite", "cipher", "single", "batch 8",
           "batch 64", "open", "libsrtp2");
    static const char *const IMPLS[] = {"openssl", "ipsec-mb"};
    for (int i = 0; i < 2; i++)
        if (seal_select_impl(IMPLS[i]) == OK)
            for (enum srtp_suite s = 0; s < SRTP_SUITE_COUNT; s++)
                bench_suite(s);
    seal_global_fini();
    srtp_shutdown();
    if (failures)
        printf("%u failures\n", failures);
    return failures != 0;
}
