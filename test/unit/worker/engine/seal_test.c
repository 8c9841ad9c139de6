#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <srtp2/srtp.h>
#include <stdlib.h>

#include "common/bytes.h"
#include "common/rng.h"
#include "worker/engine/ossl.h"
#include "worker/engine/seal.h"
#include "worker/engine/seal_cipher.h"
#include "worker/engine/seal_index.h"
#include "worker/engine/seal_packet.h"

enum { CAP = 1600 };

static const char *const IMPLS[] = {"openssl", "ipsec-mb"};
enum { IMPL_COUNT = 2 };

/* False where this machine has no such implementation. */
static bool use_impl(size_t i)
{
    return seal_select_impl(IMPLS[i]) == OK;
}

static struct srtp_key random_key(struct rng *rng, enum srtp_suite suite)
{
    struct srtp_key k = {.suite = suite,
                         .key_len = (uint8_t)srtp_suite_key_len(suite),
                         .salt_len = (uint8_t)srtp_suite_salt_len(suite)};
    rng_bytes(rng, k.key, k.key_len);
    rng_bytes(rng, k.salt, k.salt_len);
    return k;
}

/* A packet with up to 3 CSRCs, sometimes an extension, and any payload length. */
static size_t make_rtp(struct rng *rng, uint8_t *p, uint32_t ssrc, uint16_t seq)
{
    uint32_t r = rng_u32(rng);
    unsigned cc = r & 3, ext = r >> 2 & 1, words = ext ? r >> 3 & 7 : 0;
    size_t payload = r >> 8 & 1 ? 1180 : (r >> 9) % 1300;
    struct wr w = wr_of(p, CAP);
    wr_u8(&w, (uint8_t)(0x80 | ext << 4 | cc));
    wr_u8(&w, 96);
    wr_u16(&w, seq);
    wr_u32(&w, seq * 3000u);
    wr_u32(&w, ssrc);
    wr_zeros(&w, (size_t)cc * 4);
    if (ext) {
        wr_u16(&w, 0xbede);
        wr_u16(&w, (uint16_t)words);
        wr_zeros(&w, (size_t)words * 4);
    }
    rng_bytes(rng, wr_take(&w, payload), payload);
    assert_false(w.bad);
    return wr_len(&w);
}

static size_t make_rtcp(struct rng *rng, uint8_t *p, uint32_t ssrc)
{
    size_t words = 1 + rng_u32(rng) % 100;
    struct wr w = wr_of(p, CAP);
    wr_u8(&w, 0x80);
    wr_u8(&w, 200);
    wr_u16(&w, (uint16_t)words);
    wr_u32(&w, ssrc);
    rng_bytes(rng, wr_take(&w, (words - 1) * 4), (words - 1) * 4);
    return wr_len(&w);
}

static srtp_t open_libsrtp(const struct srtp_key *k, srtp_ssrc_type_t direction)
{
    static uint8_t material[SRTP_KEY_MAX + SRTP_SALT_MAX];
    memcpy(material, k->key, k->key_len);
    memcpy(material + k->key_len, k->salt, k->salt_len);
    srtp_policy_t p;
    memset(&p, 0, sizeof p);
    switch (k->suite) {
    case SEAL_AES_128_GCM:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtcp);
        break;
    case SEAL_AES_256_GCM:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&p.rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(&p.rtcp);
        break;
    case SEAL_AES_128_CM_SHA1_80:
    case SEAL_AES_128_CM_SHA1_32:
    case SRTP_SUITE_COUNT:
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p.rtcp);
        if (k->suite == SEAL_AES_128_CM_SHA1_32)
            srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&p.rtp);
        break;
    }
    p.ssrc.type = direction;
    p.key = material;
    p.window_size = 1024;
    p.allow_repeat_tx = 1;
    srtp_t s;
    assert_int_equal(srtp_create(&s, &p), srtp_err_status_ok);
    return s;
}

static void hex(const char *text, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char byte[3] = {text[2 * i], text[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(byte, NULL, 16);
    }
}

static void session_keys_are_those_of_rfc_3711_b3(void **state)
{
    (void)state;
    struct srtp_key k = {.suite = SEAL_AES_128_CM_SHA1_80, .key_len = 16, .salt_len = 14};
    hex("E1F97A0D3E018BE0D64FA32C06DE4139", k.key, 16);
    hex("0EC675AD498AFEEBB6960B3AABE6", k.salt, 14);
    uint8_t got[20], want[20];
    assert_int_equal(seal_derive(&k, SEAL_LABEL_RTP_ENCRYPTION, got, 16), OK);
    hex("C61E7A93744F39EE10734AFE3FF7A087", want, 16);
    assert_memory_equal(got, want, 16);
    assert_int_equal(seal_derive(&k, SEAL_LABEL_RTP_SALT, got, 14), OK);
    hex("30CBBC08863D8C85D49DB34A9AE1", want, 14);
    assert_memory_equal(got, want, 14);
    assert_int_equal(seal_derive(&k, SEAL_LABEL_RTP_AUTH, got, 20), OK);
    hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4", want, 20);
    assert_memory_equal(got, want, 20);
}

struct gcm_vector {
    size_t key_len;
    const char *rtp; /* sealed payload and tag, RFC 7714 16.1.1, 16.2.1 */
    const char *rtcp;
};

static const struct gcm_vector GCM_VECTORS[] = {
    {16,
     "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
     "899d7f27beb16a9152cf765ee4390cce",
     "63e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded"
     "0bb9275bc84aa45896cf4d2fc5abf87245d9eade"},
    {32,
     "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
     "7aa3db36dfffd6b0f9bb7878d7a76c13",
     "d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de047"
     "6f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be"},
};

static void check_gcm_vector(const struct gcm_vector *v, bool rtcp)
{
    uint8_t key[32], salt[12], packet[128], want[128], iv[16], aad[12], auth[20] = {0};
    for (uint8_t i = 0; i < 32; i++)
        key[i] = i;
    memcpy(salt, "Quid pro quo", 12);
    size_t n;
    if (rtcp) {
        n = 48;
        hex("81c8000d4d617273800005d4", aad, 12); /* the word of E and index is authenticated too */
        hex("4e5450314e545032525450200000042a0000e9304c756e61"
            "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
            packet, 44);
        n = 44;
        seal_gcm_iv(iv, salt, 0x4d617273, 0x5d4);
        hex(v->rtcp, want, n + 16);
    } else {
        n = 38;
        hex("8040f17b8041f8d35501a0b2", aad, 12);
        memcpy(packet, "Gallia est omnis divisa in partes tres", n);
        seal_gcm_iv(iv, salt, 0x5501a0b2, 0xf17b);
        uint8_t want_iv[12];
        hex("51753c6580c2726f20718414", want_iv, 12);
        assert_memory_equal(iv, want_iv, 12);
        hex(v->rtp, want, n + 16);
    }
    uint8_t plain[128];
    memcpy(plain, packet, n);
    struct seal_cipher enc = {.impl = seal_selected_impl(), .gcm = true};
    struct seal_cipher dec = {.impl = seal_selected_impl(), .gcm = true};
    assert_int_equal(enc.impl->init(&enc, key, v->key_len, auth, true), OK);
    assert_int_equal(dec.impl->init(&dec, key, v->key_len, auth, false), OK);
    enc.impl->gcm_seal(&enc, iv, aad, sizeof aad, packet, packet, n, packet + n);
    assert_memory_equal(packet, want, n + 16);
    assert_true(dec.impl->gcm_open(&dec, iv, aad, sizeof aad, packet, n, packet + n));
    assert_memory_equal(packet, plain, n);
    seal_cipher_fini(&enc);
    seal_cipher_fini(&dec);
}

static void gcm_gives_the_vectors_of_rfc_7714(void **state)
{
    (void)state;
    for (size_t i = 0; i < IMPL_COUNT; i++) {
        if (!use_impl(i))
            continue;
        for (size_t v = 0; v < 2; v++) {
            check_gcm_vector(&GCM_VECTORS[v], false);
            check_gcm_vector(&GCM_VECTORS[v], true);
        }
    }
}

enum { CROSS_PACKETS = 700, CROSS_STEP = 331 }; /* 3 roll-overs and a half */

static void cross_check_rtp(struct rng *rng, enum srtp_suite suite)
{
    struct srtp_key k = random_key(rng, suite);
    srtp_t out = open_libsrtp(&k, ssrc_any_outbound), in = open_libsrtp(&k, ssrc_any_inbound);
    struct sealer *s;
    struct opener *o;
    assert_int_equal(seal_open(&s, &k), OK);
    assert_int_equal(opener_open(&o, &k), OK);
    uint8_t plain[CAP], ours[CAP], theirs[CAP];
    uint16_t seq = (uint16_t)rng_u32(rng);
    for (unsigned i = 0; i < CROSS_PACKETS; i++, seq = (uint16_t)(seq + CROSS_STEP)) {
        size_t n = make_rtp(rng, plain, 7 + i % 3, seq);
        memcpy(ours, plain, n);
        memcpy(theirs, plain, n);
        size_t ours_n = n;
        int theirs_n = (int)n;
        assert_int_equal(seal_protect_rtp(s, ours, &ours_n), OK);
        assert_int_equal(srtp_protect(out, theirs, &theirs_n), srtp_err_status_ok);
        assert_int_equal(ours_n, n + seal_overhead(s));
        assert_int_equal(theirs_n, ours_n);
        assert_memory_equal(ours, theirs, ours_n);

        assert_int_equal(srtp_unprotect(in, ours, &(int){(int)ours_n}), srtp_err_status_ok);
        assert_memory_equal(ours, plain, n);
        size_t opened = (size_t)theirs_n;
        assert_int_equal(opener_unprotect_rtp(o, theirs, &opened), OK);
        assert_int_equal(opened, n);
        assert_memory_equal(theirs, plain, n);
    }
    seal_close(s);
    opener_close(o);
    srtp_dealloc(out);
    srtp_dealloc(in);
}

static void rtp_and_libsrtp_agree_in_both_directions_over_roll_overs(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seeded(&rng, 1);
    for (size_t i = 0; i < IMPL_COUNT; i++)
        if (use_impl(i))
            for (enum srtp_suite suite = 0; suite < SRTP_SUITE_COUNT; suite++)
                cross_check_rtp(&rng, suite);
}

static void cross_check_rtcp(struct rng *rng, enum srtp_suite suite)
{
    struct srtp_key k = random_key(rng, suite);
    srtp_t out = open_libsrtp(&k, ssrc_any_outbound), in = open_libsrtp(&k, ssrc_any_inbound);
    struct sealer *s;
    struct opener *o;
    assert_int_equal(seal_open(&s, &k), OK);
    assert_int_equal(opener_open(&o, &k), OK);
    uint8_t plain[CAP], buf[CAP];
    for (unsigned i = 0; i < 50; i++) {
        size_t n = make_rtcp(rng, plain, 7 + i % 3), len = n;
        memcpy(buf, plain, n);
        assert_int_equal(seal_protect_rtcp(s, buf, &len), OK);
        assert_true(len <= n + SEAL_OVERHEAD);
        int theirs_n = (int)len;
        assert_int_equal(srtp_unprotect_rtcp(in, buf, &theirs_n), srtp_err_status_ok);
        assert_int_equal(theirs_n, n);
        assert_memory_equal(buf, plain, n);

        theirs_n = (int)n;
        assert_int_equal(srtp_protect_rtcp(out, buf, &theirs_n), srtp_err_status_ok);
        len = (size_t)theirs_n;
        uint8_t copy[CAP];
        memcpy(copy, buf, len);
        size_t again = len;
        assert_int_equal(opener_unprotect_rtcp(o, buf, &len), OK);
        assert_int_equal(len, n);
        assert_memory_equal(buf, plain, n);
        assert_int_equal(opener_unprotect_rtcp(o, copy, &again), ERR_REPLAY);
    }
    seal_close(s);
    opener_close(o);
    srtp_dealloc(out);
    srtp_dealloc(in);
}

static void rtcp_and_libsrtp_agree_in_both_directions(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seeded(&rng, 2);
    for (size_t i = 0; i < IMPL_COUNT; i++)
        if (use_impl(i))
            for (enum srtp_suite suite = 0; suite < SRTP_SUITE_COUNT; suite++)
                cross_check_rtcp(&rng, suite);
}

enum { BATCH = 100 };

/* Sealers of all suites, and of both implementations, in one batch of any size. */
static void a_batch_gives_the_bytes_of_single_calls(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seeded(&rng, 3);
    enum { SEALERS = SRTP_SUITE_COUNT * IMPL_COUNT };
    struct sealer *one[SEALERS], *many[SEALERS];
    for (size_t i = 0; i < SEALERS; i++) {
        if (!use_impl(i % IMPL_COUNT))
            assert_true(use_impl(0));
        struct srtp_key k = random_key(&rng, (enum srtp_suite)(i / IMPL_COUNT));
        assert_int_equal(seal_open(&one[i], &k), OK);
        assert_int_equal(seal_open(&many[i], &k), OK);
    }
    static uint8_t single[BATCH][CAP], batch[BATCH][CAP];
    struct seal_job jobs[BATCH];
    uint16_t seq = 0;
    for (size_t n = 0; n <= BATCH; n += n < 10 ? 1 : 9) {
        size_t lens[BATCH];
        for (size_t i = 0; i < n; i++) {
            size_t who = rng_u32(&rng) % SEALERS;
            lens[i] = make_rtp(&rng, single[i], 5, ++seq);
            memcpy(batch[i], single[i], lens[i]);
            jobs[i] = (struct seal_job){.sealer = many[who], .pkt = batch[i], .len = lens[i]};
            assert_int_equal(seal_protect_rtp(one[who], single[i], &lens[i]), OK);
        }
        seal_protect_rtp_batch(jobs, n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(jobs[i].result, OK);
            assert_int_equal(jobs[i].len, lens[i]);
            assert_memory_equal(batch[i], single[i], lens[i]);
        }
    }
    for (size_t i = 0; i < SEALERS; i++) {
        seal_close(one[i]);
        seal_close(many[i]);
    }
}

/* The header's length of what make_rtp makes. */
static size_t header_len(const uint8_t *p)
{
    size_t len = 12 + (size_t)(p[0] & 0x0f) * 4;
    return p[0] & 0x10 ? len + 4 + ((size_t)p[len + 2] << 8 | p[len + 3]) * 4 : len;
}

static void a_payload_from_elsewhere_gives_the_bytes_of_one_in_place(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seeded(&rng, 5);
    for (size_t i = 0; i < SRTP_SUITE_COUNT * IMPL_COUNT; i++) {
        struct sealer *one, *other;
        uint8_t whole[CAP], source[CAP], sealed[CAP];
        if (!use_impl(i % IMPL_COUNT))
            continue;
        struct srtp_key k = random_key(&rng, (enum srtp_suite)(i / IMPL_COUNT));
        assert_int_equal(seal_open(&one, &k), OK);
        assert_int_equal(seal_open(&other, &k), OK);
        for (uint16_t seq = 1; seq < 200; seq++) {
            size_t len = make_rtp(&rng, whole, 5, seq);
            size_t head = header_len(whole);
            size_t from_len = len;
            memset(sealed, 0xee, sizeof sealed);
            memcpy(sealed, whole, head);
            memcpy(source, whole, len);
            assert_int_equal(seal_protect_rtp_from(one, sealed, source + head, &from_len), OK);
            assert_memory_equal(source, whole, len);
            assert_int_equal(seal_protect_rtp(other, whole, &len), OK);
            assert_int_equal(from_len, len);
            assert_memory_equal(sealed, whole, len);
        }
        seal_close(one);
        seal_close(other);
    }
}

static void a_bad_job_does_not_hurt_its_neighbours(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seeded(&rng, 4);
    struct srtp_key k = random_key(&rng, SEAL_AES_128_CM_SHA1_80);
    struct sealer *s;
    struct opener *o;
    assert_int_equal(seal_open(&s, &k), OK);
    assert_int_equal(opener_open(&o, &k), OK);
    static uint8_t bufs[10][CAP];
    struct seal_job jobs[10];
    for (size_t i = 0; i < 10; i++) {
        size_t n = make_rtp(&rng, bufs[i], 5, (uint16_t)(i == 4 ? 3 : i));
        jobs[i] = (struct seal_job){.sealer = s, .pkt = bufs[i], .len = i == 7 ? 11 : n};
    }
    seal_protect_rtp_batch(jobs, 10);
    for (size_t i = 0; i < 10; i++) {
        enum err want = i == 4 ? ERR_REPLAY : i == 7 ? ERR_MALFORMED : OK;
        assert_int_equal(jobs[i].result, want);
        if (want == OK)
            assert_int_equal(opener_unprotect_rtp(o, bufs[i], &jobs[i].len), OK);
    }
    seal_close(s);
    opener_close(o);
}

struct pair {
    struct rng rng;
    struct sealer *s;
    struct opener *o;
    uint8_t buf[CAP];
    size_t len;
};

static void pair_open(struct pair *p, enum srtp_suite suite)
{
    rng_init_seeded(&p->rng, suite + 10);
    struct srtp_key k = random_key(&p->rng, suite);
    assert_int_equal(seal_open(&p->s, &k), OK);
    assert_int_equal(opener_open(&p->o, &k), OK);
}

static void pair_close(struct pair *p)
{
    seal_close(p->s);
    opener_close(p->o);
}

static void pair_seal(struct pair *p, uint32_t ssrc, uint16_t seq)
{
    p->len = make_rtp(&p->rng, p->buf, ssrc, seq);
    assert_int_equal(seal_protect_rtp(p->s, p->buf, &p->len), OK);
}

static enum err pair_open_copy(struct pair *p, const uint8_t *pkt, size_t len)
{
    uint8_t copy[CAP];
    memcpy(copy, pkt, len);
    return opener_unprotect_rtp(p->o, copy, &len);
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    for (enum srtp_suite suite = 0; suite < SRTP_SUITE_COUNT; suite++) {
        struct pair p;
        pair_open(&p, suite);
        uint16_t seq = 0x7f00;
        do
            pair_seal(&p, 5, seq++);
        while (p.len > 200);
        for (size_t bit = 0; bit < p.len * 8; bit++) {
            p.buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_not_equal(pair_open_copy(&p, p.buf, p.len), OK);
            p.buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_int_equal(opener_ssrc_count(p.o), 0); /* forgeries leave nothing behind */
        assert_int_equal(pair_open_copy(&p, p.buf, p.len), OK);
        assert_int_equal(opener_ssrc_count(p.o), 1);

        p.len = make_rtcp(&p.rng, p.buf, 5);
        assert_int_equal(seal_protect_rtcp(p.s, p.buf, &p.len), OK);
        for (size_t bit = 0; bit < p.len * 8; bit++) {
            uint8_t copy[CAP];
            size_t len = p.len;
            memcpy(copy, p.buf, len);
            copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_not_equal(opener_unprotect_rtcp(p.o, copy, &len), OK);
        }
        assert_int_equal(opener_unprotect_rtcp(p.o, p.buf, &p.len), OK);
        pair_close(&p);
    }
}

static void every_truncated_packet_is_refused(void **state)
{
    (void)state;
    for (enum srtp_suite suite = 0; suite < SRTP_SUITE_COUNT; suite++) {
        struct pair p;
        pair_open(&p, suite);
        pair_seal(&p, 5, 1);
        for (size_t n = 0; n < p.len; n++)
            assert_int_not_equal(pair_open_copy(&p, p.buf, n), OK);
        p.len = make_rtcp(&p.rng, p.buf, 5);
        assert_int_equal(seal_protect_rtcp(p.s, p.buf, &p.len), OK);
        for (size_t n = 0; n < p.len; n++) {
            uint8_t copy[CAP];
            size_t len = n;
            memcpy(copy, p.buf, n);
            assert_int_not_equal(opener_unprotect_rtcp(p.o, copy, &len), OK);
        }
        pair_close(&p);
    }
}

static void reordered_packets_open_once_within_the_window(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, SEAL_AES_128_GCM);
    static uint8_t pkts[1100][CAP];
    size_t lens[1100];
    for (size_t i = 0; i < 1100; i++) {
        pair_seal(&p, 5, (uint16_t)(65000 + i)); /* over a roll-over */
        memcpy(pkts[i], p.buf, p.len);
        lens[i] = p.len;
    }
    assert_int_equal(pair_open_copy(&p, pkts[0], lens[0]), OK);
    assert_int_equal(pair_open_copy(&p, pkts[1099], lens[1099]), OK);
    assert_int_equal(pair_open_copy(&p, pkts[0], lens[0]), ERR_REPLAY);
    assert_int_equal(pair_open_copy(&p, pkts[75], lens[75]), ERR_REPLAY); /* 1024 behind */
    assert_int_equal(pair_open_copy(&p, pkts[76], lens[76]), OK);
    for (size_t i = 1098; i > 76; i--)
        assert_int_equal(pair_open_copy(&p, pkts[i], lens[i]), OK);
    for (size_t i = 0; i < 1100; i++)
        assert_int_equal(pair_open_copy(&p, pkts[i], lens[i]), ERR_REPLAY);
    pair_close(&p);
}

static void a_gap_leaves_room_for_late_packets(void **state)
{
    (void)state;
    struct seal_window w = {0};
    for (uint64_t i = 0; i <= 2000; i++)
        seal_window_take(&w, i);
    seal_window_take(&w, 2900); /* over indices whose bits were set one turn of the ring before */
    for (uint64_t i = 2001; i < 2900; i++)
        assert_int_equal(seal_window_check(&w, i), OK);
    assert_int_equal(seal_window_check(&w, 2000), ERR_REPLAY);
    assert_int_equal(seal_window_check(&w, 2900), ERR_REPLAY);
    assert_int_equal(seal_window_check(&w, 2901), OK);
}

static void a_sequence_number_is_sealed_again_only_on_request(void **state)
{
    (void)state;
    for (enum srtp_suite suite = 0; suite < SRTP_SUITE_COUNT; suite++) {
        struct pair p;
        pair_open(&p, suite);
        uint8_t plain[CAP], again[CAP];
        size_t n = make_rtp(&p.rng, plain, 5, 100), len = n, again_len = n;
        memcpy(p.buf, plain, n);
        memcpy(again, plain, n);
        assert_int_equal(seal_protect_rtp(p.s, p.buf, &len), OK);
        assert_int_equal(seal_protect_rtp(p.s, again, &again_len), ERR_REPLAY);
        assert_int_equal(again_len, n);
        assert_memory_equal(again, plain, n);
        assert_int_equal(seal_protect_rtp_again(p.s, again, &again_len), OK);
        assert_int_equal(again_len, len);
        assert_memory_equal(again, p.buf, len);
        pair_close(&p);
    }
}

static void ssrcs_are_bounded_and_removal_makes_room(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p, SEAL_AES_128_GCM);
    for (uint32_t i = 0; i < SEAL_SSRC_MAX; i++) {
        pair_seal(&p, i * 2654435761u, 1);
        assert_int_equal(pair_open_copy(&p, p.buf, p.len), OK);
    }
    assert_int_equal(seal_add_ssrc(p.s, 77), ERR_FULL);
    seal_remove_ssrc(p.s, 2654435761u);
    assert_int_equal(seal_add_ssrc(p.s, 77), OK);
    assert_int_equal(seal_add_ssrc(p.s, 77), OK);
    pair_seal(&p, 77, 1);
    assert_int_equal(pair_open_copy(&p, p.buf, p.len), ERR_FULL);
    opener_remove_ssrc(p.o, 0);
    assert_int_equal(pair_open_copy(&p, p.buf, p.len), OK);
    assert_int_equal(opener_ssrc_count(p.o), SEAL_SSRC_MAX);
    pair_close(&p);
}

static void the_table_of_ssrcs_keeps_what_was_not_removed(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seeded(&rng, 6);
    struct seal_streams t = {0};
    enum { KEYS = 300 };
    bool present[KEYS] = {false};
    size_t count = 0;
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t k = rng_u32(&rng) % KEYS;
        struct seal_stream *s = seal_streams_find(&t, k);
        assert_int_equal(s != NULL, present[k]);
        if (rng_u32(&rng) % 2) {
            assert_int_equal(seal_streams_get(&t, k, &s), OK);
            assert_int_equal(s->ssrc, k);
            count += !present[k];
            present[k] = true;
        } else {
            seal_streams_remove(&t, k);
            count -= present[k];
            present[k] = false;
        }
        assert_int_equal(t.count, count);
    }
    seal_streams_fini(&t);
}

static void keys_of_the_wrong_length_are_refused(void **state)
{
    (void)state;
    struct rng rng;
    rng_init_seeded(&rng, 7);
    struct sealer *s = NULL;
    struct opener *o = NULL;
    for (enum srtp_suite suite = 0; suite < SRTP_SUITE_COUNT; suite++) {
        struct srtp_key k = random_key(&rng, suite);
        k.key_len--;
        assert_int_equal(seal_open(&s, &k), ERR_RANGE);
        assert_int_equal(opener_open(&o, &k), ERR_RANGE);
        k = random_key(&rng, suite);
        k.salt_len++;
        assert_int_equal(seal_open(&s, &k), ERR_RANGE);
        k.suite = SRTP_SUITE_COUNT;
        assert_int_equal(seal_open(&s, &k), ERR_RANGE);
        assert_int_equal(srtp_suite_by_name(srtp_suite_name(suite)), suite);
    }
    assert_int_equal(srtp_suite_by_name("AES_CM_128_NULL_AUTH"), SRTP_SUITE_COUNT);
    seal_close(NULL);
    opener_close(NULL);
}

/* ---- allocations of OpenSSL ---- */

static size_t allocations;

static void *counting_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return malloc(n);
}

static void *counting_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    allocations++;
    return realloc(p, n);
}

static void counting_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

static void after_the_first_packet_openssl_allocates_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < IMPL_COUNT; i++) {
        for (enum srtp_suite suite = 0; suite < SRTP_SUITE_COUNT && use_impl(i); suite++) {
            struct pair p;
            pair_open(&p, suite);
            size_t before = 0;
            for (uint16_t seq = 0; seq < 20; seq++) {
                if (seq == 1)
                    before = allocations;
                pair_seal(&p, 5, seq);
                assert_int_equal(pair_open_copy(&p, p.buf, p.len), OK);
                p.len = make_rtcp(&p.rng, p.buf, 5);
                assert_int_equal(seal_protect_rtcp(p.s, p.buf, &p.len), OK);
                assert_int_equal(opener_unprotect_rtcp(p.o, p.buf, &p.len), OK);
            }
            assert_true(before > 0);
            assert_int_equal(allocations, before);
            pair_close(&p);
        }
    }
}

static int group_setup(void **state)
{
    (void)state;
    return srtp_init() == srtp_err_status_ok && seal_global_init() == OK ? 0 : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    seal_global_fini();
    return srtp_shutdown() == srtp_err_status_ok ? 0 : -1;
}

int main(void)
{
    if (CRYPTO_set_mem_functions(counting_malloc, counting_realloc, counting_free) != 1)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_keys_are_those_of_rfc_3711_b3),
        cmocka_unit_test(gcm_gives_the_vectors_of_rfc_7714),
        cmocka_unit_test(rtp_and_libsrtp_agree_in_both_directions_over_roll_overs),
        cmocka_unit_test(rtcp_and_libsrtp_agree_in_both_directions),
        cmocka_unit_test(a_payload_from_elsewhere_gives_the_bytes_of_one_in_place),
        cmocka_unit_test(a_batch_gives_the_bytes_of_single_calls),
        cmocka_unit_test(a_bad_job_does_not_hurt_its_neighbours),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(every_truncated_packet_is_refused),
        cmocka_unit_test(reordered_packets_open_once_within_the_window),
        cmocka_unit_test(a_gap_leaves_room_for_late_packets),
        cmocka_unit_test(a_sequence_number_is_sealed_again_only_on_request),
        cmocka_unit_test(ssrcs_are_bounded_and_removal_makes_room),
        cmocka_unit_test(the_table_of_ssrcs_keeps_what_was_not_removed),
        cmocka_unit_test(after_the_first_packet_openssl_allocates_nothing),
        cmocka_unit_test(keys_of_the_wrong_length_are_refused),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
