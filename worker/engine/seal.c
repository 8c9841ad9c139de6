#include "worker/engine/seal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/prefetch.h"
#include "worker/engine/seal_cipher.h"
#include "worker/engine/seal_index.h"
#include "worker/engine/seal_packet.h"

struct sealer {
    enum srtp_suite suite;
    struct seal_cipher rtp;
    struct seal_cipher rtcp;
    struct seal_streams streams;
    /* One counter for all SSRCs: it never repeats for any of them, and receivers allow gaps. */
    uint32_t rtcp_index;
};

enum err seal_global_init(void)
{
    return seal_select_impl(NULL);
}

void seal_global_fini(void)
{
    enum err e = seal_select_impl(seal_impl_openssl.name);
    assert(e == OK);
    seal_ipsec_close();
}

const char *seal_backend(void)
{
    return seal_selected_impl()->name;
}

enum err seal_open(struct sealer **out, const struct srtp_key *key)
{
    if (key->suite >= SRTP_SUITE_COUNT || key->key_len != srtp_suite_key_len(key->suite) ||
        key->salt_len != srtp_suite_salt_len(key->suite))
        return ERR_RANGE;
    struct sealer *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->suite = key->suite;
    enum err e = seal_cipher_init(&s->rtp, key, false, true);
    if (e == OK)
        e = seal_cipher_init(&s->rtcp, key, true, true);
    if (e != OK) {
        seal_close(s);
        return e;
    }
    *out = s;
    return OK;
}

void seal_close(struct sealer *s)
{
    if (!s)
        return;
    seal_cipher_fini(&s->rtp);
    seal_cipher_fini(&s->rtcp);
    seal_streams_fini(&s->streams);
    free(s);
}

void seal_prefetch(const struct sealer *s, int step)
{
    if (step == 0) {
        prefetch(s, sizeof *s);
        return;
    }
    prefetch(s->rtp.cipher, SEAL_KEY_BYTES);
    prefetch(s->streams.last, sizeof *s->streams.last);
}

enum srtp_suite seal_suite(const struct sealer *s)
{
    return s->suite;
}

size_t seal_overhead(const struct sealer *s)
{
    return s->rtp.tag_len;
}

enum err seal_add_ssrc(struct sealer *s, uint32_t ssrc)
{
    struct seal_stream *stream;
    return seal_streams_get(&s->streams, ssrc, &stream);
}

void seal_remove_ssrc(struct sealer *s, uint32_t ssrc)
{
    seal_streams_remove(&s->streams, ssrc);
}

/* Finds the packet's index and takes it. */
static enum err take_index(struct sealer *s, const struct seal_rtp_head *h, bool again,
                           uint64_t *out)
{
    struct seal_stream *stream;
    enum err e = seal_streams_get(&s->streams, h->ssrc, &stream);
    if (e != OK)
        return e;
    uint64_t index = seal_index_guess(&stream->window, h->seq);
    if (index >= SEAL_INDEX_LIMIT)
        return ERR_REPLAY;
    if (!again) {
        e = seal_window_check(&stream->window, index);
        if (e != OK)
            return e;
    }
    seal_window_take(&stream->window, index);
    *out = index;
    return OK;
}

/* Everything but the HMAC of the AES-CM suites: for them *mac says what remains to be hashed.
 * payload: where it is if not in pkt, or NULL. */
static enum err protect(struct sealer *s, uint8_t *pkt, const uint8_t *payload, size_t *len,
                        bool again, struct seal_mac_job *mac)
{
    struct seal_rtp_head h;
    enum err e = seal_rtp_parse(pkt, *len, &h);
    if (e != OK)
        return e;
    uint64_t index;
    e = take_index(s, &h, again, &index);
    if (e != OK)
        return e;
    size_t n = *len;
    mac->cipher = NULL;
    if (s->rtp.gcm) {
        uint8_t iv[SEAL_GCM_IV_ROOM];
        seal_gcm_iv(iv, s->rtp.salt, h.ssrc, index);
        s->rtp.impl->gcm_seal(&s->rtp, iv, pkt, h.len, payload ? payload : pkt + h.len, pkt + h.len,
                              n - h.len, pkt + n);
    } else {
        uint8_t iv[SEAL_CTR_IV];
        if (payload)
            memcpy(pkt + h.len, payload, n - h.len);
        seal_ctr_iv(iv, s->rtp.salt, h.ssrc, index);
        s->rtp.impl->ctr(&s->rtp, iv, pkt + h.len, n - h.len);
        /* RFC 3711 4.2: the roll-over counter is hashed behind the packet, but not sent. It fits
         * where the tag will be: no tag is shorter than it. */
        put_u32(pkt + n, (uint32_t)(index >> 16));
        mac->cipher = &s->rtp;
        mac->data = pkt;
        mac->n = n + 4;
    }
    *len = n + s->rtp.tag_len;
    return OK;
}

static enum err protect_one(struct sealer *s, uint8_t *pkt, const uint8_t *payload, size_t *len,
                            bool again)
{
    struct seal_mac_job mac;
    enum err e = protect(s, pkt, payload, len, again, &mac);
    if (e == OK && mac.cipher) {
        mac.cipher->impl->mac(mac.cipher, mac.data, mac.n, mac.tag);
        memcpy(pkt + *len - s->rtp.tag_len, mac.tag, s->rtp.tag_len);
    }
    return e;
}

enum err seal_protect_rtp(struct sealer *s, uint8_t *pkt, size_t *len)
{
    return protect_one(s, pkt, NULL, len, false);
}

enum err seal_protect_rtp_from(struct sealer *s, uint8_t *pkt, const uint8_t *payload, size_t *len)
{
    return protect_one(s, pkt, payload, len, false);
}

enum err seal_protect_rtp_again(struct sealer *s, uint8_t *pkt, size_t *len)
{
    return protect_one(s, pkt, NULL, len, true);
}

enum { BATCH_MACS = 32 };

struct batch {
    size_t n;
    struct seal_mac_job macs[BATCH_MACS];
    struct seal_job *jobs[BATCH_MACS];
};

static void batch_flush(struct batch *b)
{
    if (b->n == 0)
        return;
    /* One process, one implementation; it may differ only between ciphers made before and after a
     * seal_select_impl, which tests do: then each by its own. */
    b->macs[0].cipher->impl->mac_many(b->macs, b->n);
    for (size_t i = 0; i < b->n; i++) {
        struct seal_job *j = b->jobs[i];
        size_t tag_len = j->sealer->rtp.tag_len;
        memcpy(j->pkt + j->len - tag_len, b->macs[i].tag, tag_len);
    }
    b->n = 0;
}

void seal_protect_rtp_batch(struct seal_job *jobs, size_t n)
{
    struct batch b;
    b.n = 0;
    for (size_t i = 0; i < n; i++) {
        struct seal_job *j = &jobs[i];
        struct seal_mac_job *mac = &b.macs[b.n];
        j->result = protect(j->sealer, j->pkt, NULL, &j->len, j->again, mac);
        if (j->result != OK || !mac->cipher)
            continue;
        if (b.n > 0 && mac->cipher->impl != b.macs[0].cipher->impl) {
            struct seal_mac_job moved = *mac;
            batch_flush(&b);
            b.macs[0] = moved;
        }
        b.jobs[b.n++] = j;
        if (b.n == BATCH_MACS)
            batch_flush(&b);
    }
    batch_flush(&b);
}

enum err seal_protect_rtcp(struct sealer *s, uint8_t *pkt, size_t *len)
{
    size_t n = *len;
    struct rd r = rd_of(pkt, n);
    uint8_t b0 = rd_u8(&r);
    rd_skip(&r, 3);
    uint32_t ssrc = rd_u32(&r);
    if (r.bad || b0 >> 6 != 2 || n > SEAL_PACKET_MAX)
        return ERR_MALFORMED;
    if (s->rtcp_index + 1 >= SEAL_RTCP_INDEX_LIMIT)
        return ERR_REPLAY;
    uint32_t index = ++s->rtcp_index;
    uint8_t *body = pkt + SEAL_RTCP_CLEAR;
    size_t body_len = n - SEAL_RTCP_CLEAR;
    if (s->rtcp.gcm) {
        /* RFC 7714 9.2: the first 8 bytes, then the word with E and index, are authenticated. */
        uint8_t iv[SEAL_GCM_IV_ROOM], aad[SEAL_RTCP_CLEAR + SEAL_RTCP_INDEX_LEN];
        memcpy(aad, pkt, SEAL_RTCP_CLEAR);
        put_u32(aad + SEAL_RTCP_CLEAR, SEAL_RTCP_E | index);
        seal_gcm_iv(iv, s->rtcp.salt, ssrc, index);
        s->rtcp.impl->gcm_seal(&s->rtcp, iv, aad, sizeof aad, body, body, body_len, pkt + n);
        put_u32(pkt + n + SEAL_GCM_TAG, SEAL_RTCP_E | index);
    } else {
        uint8_t iv[SEAL_CTR_IV], tag[SEAL_SHA1];
        seal_ctr_iv(iv, s->rtcp.salt, ssrc, index);
        s->rtcp.impl->ctr(&s->rtcp, iv, body, body_len);
        put_u32(pkt + n, SEAL_RTCP_E | index);
        s->rtcp.impl->mac(&s->rtcp, pkt, n + SEAL_RTCP_INDEX_LEN, tag);
        memcpy(pkt + n + SEAL_RTCP_INDEX_LEN, tag, s->rtcp.tag_len);
    }
    *len = n + SEAL_RTCP_INDEX_LEN + s->rtcp.tag_len;
    return OK;
}

void seal_cipher_only(struct sealer *s, uint64_t nonce, uint8_t *buf, size_t len)
{
    uint8_t iv[SEAL_CTR_IV] = {0}, tag[SEAL_SHA1];
    memcpy(iv + 4, &nonce, sizeof nonce);
    if (s->rtp.gcm) {
        s->rtp.impl->gcm_seal(&s->rtp, iv, buf, SEAL_RTP_HEADER, buf + SEAL_RTP_HEADER,
                              buf + SEAL_RTP_HEADER, len - SEAL_RTP_HEADER, buf + len);
    } else {
        s->rtp.impl->ctr(&s->rtp, iv, buf + SEAL_RTP_HEADER, len - SEAL_RTP_HEADER);
        s->rtp.impl->mac(&s->rtp, buf, len, tag);
        memcpy(buf + len, tag, s->rtp.tag_len);
    }
}
