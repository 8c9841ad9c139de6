#include "worker/engine/seal.h"

#include <stdlib.h>
#include <string.h>

#include "common/prefetch.h"
#include "worker/engine/ossl.h"
#include "worker/engine/seal_cipher.h"
#include "worker/engine/seal_index.h"
#include "worker/engine/seal_packet.h"

struct opener {
    struct seal_cipher rtp;
    struct seal_cipher rtcp;
    struct seal_streams rtp_streams;
    struct seal_streams rtcp_streams;
};

enum err opener_open(struct opener **out, const struct srtp_key *key)
{
    if (key->suite >= SRTP_SUITE_COUNT || key->key_len != srtp_suite_key_len(key->suite) ||
        key->salt_len != srtp_suite_salt_len(key->suite))
        return ERR_RANGE;
    struct opener *o = calloc(1, sizeof *o);
    if (!o)
        return ERR_NOMEM;
    enum err e = seal_cipher_init(&o->rtp, key, false, false);
    if (e == OK)
        e = seal_cipher_init(&o->rtcp, key, true, false);
    if (e != OK) {
        opener_close(o);
        return e;
    }
    *out = o;
    return OK;
}

void opener_close(struct opener *o)
{
    if (!o)
        return;
    seal_cipher_fini(&o->rtp);
    seal_cipher_fini(&o->rtcp);
    seal_streams_fini(&o->rtp_streams);
    seal_streams_fini(&o->rtcp_streams);
    free(o);
}

void opener_prefetch_rtcp(const struct opener *o, int step)
{
    if (step == 0) {
        prefetch(&o->rtcp, sizeof o->rtcp);
        prefetch(&o->rtcp_streams, sizeof o->rtcp_streams);
        return;
    }
    prefetch(o->rtcp.cipher, SEAL_KEY_BYTES);
    prefetch(o->rtcp_streams.last, sizeof *o->rtcp_streams.last);
}

/* HMAC over n bytes that lie before tag; false when it differs. */
static bool mac_matches(struct seal_cipher *c, const uint8_t *data, size_t n, const uint8_t *tag)
{
    uint8_t got[SEAL_SHA1];
    c->impl->mac(c, data, n, got);
    return CRYPTO_memcmp(got, tag, c->tag_len) == 0;
}

/* n: bytes before the tag. True when authentic; then the payload is decrypted. */
static bool open_rtp(struct opener *o, uint8_t *pkt, size_t n, const struct seal_rtp_head *h,
                     uint64_t index)
{
    struct seal_cipher *c = &o->rtp;
    if (c->gcm) {
        uint8_t iv[SEAL_GCM_IV_ROOM];
        seal_gcm_iv(iv, c->salt, h->ssrc, index);
        return c->impl->gcm_open(c, iv, pkt, h->len, pkt + h->len, n - h->len, pkt + n);
    }
    /* RFC 3711 4.2: the roll-over counter is hashed behind the packet. Lay it over the tag. */
    uint8_t tag[SEAL_SHA1];
    memcpy(tag, pkt + n, c->tag_len);
    put_u32(pkt + n, (uint32_t)(index >> 16));
    if (!mac_matches(c, pkt, n + 4, tag))
        return false;
    uint8_t iv[SEAL_CTR_IV];
    seal_ctr_iv(iv, c->salt, h->ssrc, index);
    c->impl->ctr(c, iv, pkt + h->len, n - h->len);
    return true;
}

enum err opener_unprotect_rtp(struct opener *o, uint8_t *pkt, size_t *len)
{
    if (*len < o->rtp.tag_len)
        return ERR_MALFORMED;
    size_t n = *len - o->rtp.tag_len;
    struct seal_rtp_head h;
    enum err e = seal_rtp_parse(pkt, n, &h);
    if (e != OK)
        return e;
    static const struct seal_window unseen;
    struct seal_stream *stream = seal_streams_find(&o->rtp_streams, h.ssrc);
    const struct seal_window *window = stream ? &stream->window : &unseen;
    uint64_t index = seal_index_guess(window, h.seq);
    if (index >= SEAL_INDEX_LIMIT || seal_window_check(window, index) != OK)
        return ERR_REPLAY;
    if (!open_rtp(o, pkt, n, &h, index))
        return ERR_AUTH;
    if (!stream) {
        e = seal_streams_get(&o->rtp_streams, h.ssrc, &stream);
        if (e != OK)
            return e;
    }
    seal_window_take(&stream->window, index);
    *len = n;
    return OK;
}

/* n: bytes of the RTCP packet proper. True when authentic; then it is decrypted. */
static bool open_rtcp(struct opener *o, uint8_t *pkt, size_t n, uint32_t ssrc, uint32_t word)
{
    struct seal_cipher *c = &o->rtcp;
    uint8_t *body = pkt + SEAL_RTCP_CLEAR;
    size_t body_len = n - SEAL_RTCP_CLEAR;
    uint32_t index = word & ~SEAL_RTCP_E;
    if (c->gcm) {
        uint8_t iv[SEAL_GCM_IV_ROOM], aad[SEAL_RTCP_CLEAR + SEAL_RTCP_INDEX_LEN];
        memcpy(aad, pkt, SEAL_RTCP_CLEAR);
        put_u32(aad + SEAL_RTCP_CLEAR, word);
        seal_gcm_iv(iv, c->salt, ssrc, index);
        return c->impl->gcm_open(c, iv, aad, sizeof aad, body, body_len, pkt + n);
    }
    if (!mac_matches(c, pkt, n + SEAL_RTCP_INDEX_LEN, pkt + n + SEAL_RTCP_INDEX_LEN))
        return false;
    uint8_t iv[SEAL_CTR_IV];
    seal_ctr_iv(iv, c->salt, ssrc, index);
    c->impl->ctr(c, iv, body, body_len);
    return true;
}

enum err opener_unprotect_rtcp(struct opener *o, uint8_t *pkt, size_t *len)
{
    size_t trailer = (size_t)o->rtcp.tag_len + SEAL_RTCP_INDEX_LEN;
    if (*len < SEAL_RTCP_CLEAR + trailer || *len > SEAL_PACKET_MAX)
        return ERR_MALFORMED;
    size_t n = *len - trailer;
    struct rd head = rd_of(pkt, n);
    uint8_t b0 = rd_u8(&head);
    rd_skip(&head, 3);
    uint32_t ssrc = rd_u32(&head);
    struct rd tail = rd_of(pkt + n + (o->rtcp.gcm ? SEAL_GCM_TAG : 0), SEAL_RTCP_INDEX_LEN);
    uint32_t word = rd_u32(&tail);
    /* Every suite here encrypts RTCP (RFC 5764 4.1.2): without the E flag it is not from the peer.
     */
    if (b0 >> 6 != 2 || !(word & SEAL_RTCP_E))
        return ERR_MALFORMED;
    uint32_t index = word & ~SEAL_RTCP_E;
    struct seal_stream *stream = seal_streams_find(&o->rtcp_streams, ssrc);
    if (stream && seal_window_check(&stream->window, index) != OK)
        return ERR_REPLAY;
    if (!open_rtcp(o, pkt, n, ssrc, word))
        return ERR_AUTH;
    if (!stream) {
        enum err e = seal_streams_get(&o->rtcp_streams, ssrc, &stream);
        if (e != OK)
            return e;
    }
    seal_window_take(&stream->window, index);
    *len = n;
    return OK;
}

void opener_remove_ssrc(struct opener *o, uint32_t ssrc)
{
    seal_streams_remove(&o->rtp_streams, ssrc);
    seal_streams_remove(&o->rtcp_streams, ssrc);
}

size_t opener_ssrc_count(const struct opener *o)
{
    return o->rtp_streams.count;
}
