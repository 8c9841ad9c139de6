#include "test/lib/rtc_peer.h"

#include <stdlib.h>
#include <string.h>

#include "proto/demux.h"
#include "proto/stun.h"

static void copy_text(char *out, size_t n, const char *in)
{
    size_t len = strlen(in);
    if (len >= n)
        len = n - 1;
    memcpy(out, in, len);
    out[len] = '\0';
}

enum err rtc_peer_init(struct rtc_peer *p, const struct rtc_peer_config *config)
{
    *p = (struct rtc_peer){.config = *config, .next_check = USEC_NEVER};
    copy_text(p->remote_ufrag, sizeof p->remote_ufrag, config->remote_ufrag);
    copy_text(p->remote_pwd, sizeof p->remote_pwd, config->remote_pwd);
    rng_token(config->rng, p->ufrag, sizeof p->ufrag);
    rng_token(config->rng, p->pwd, sizeof p->pwd);
    p->tie_breaker = rng_u64(config->rng);
    p->sink = malloc(sizeof *p->sink);
    if (!p->sink)
        return ERR_NOMEM;
    sink_init(p->sink);
    enum err e = dtls_open(&p->dtls, config->identity);
    if (e == OK)
        e = dtls_set_remote(p->dtls, config->dtls_server ? DTLS_CLIENT : DTLS_SERVER, DTLS_SHA256,
                            config->remote_fingerprint);
    if (e != OK)
        rtc_peer_fini(p);
    return e;
}

void rtc_peer_fini(struct rtc_peer *p)
{
    dtls_close(p->dtls);
    seal_close(p->sealer);
    opener_close(p->opener);
    free(p->sink);
    p->dtls = NULL;
    p->sealer = NULL;
    p->opener = NULL;
    p->sink = NULL;
}

const char *rtc_peer_fingerprint(const struct rtc_peer *p)
{
    return dtls_identity_fingerprint(p->config.identity, DTLS_SHA256);
}

static void send_check(struct rtc_peer *p, usec now)
{
    char username[128];
    size_t n = strlen(p->remote_ufrag);
    memcpy(username, p->remote_ufrag, n);
    username[n++] = ':';
    memcpy(username + n, p->ufrag, strlen(p->ufrag));
    n += strlen(p->ufrag);
    struct stun_request q = {
        .username = slice_of(username, n),
        .key = slice_of(p->remote_pwd, strlen(p->remote_pwd)),
        .tie_breaker = p->tie_breaker,
        .priority = 0x7effffff,
        .controlling = true,
        .use_candidate = true,
    };
    rng_bytes(p->config.rng, p->tid, sizeof p->tid);
    memcpy(q.tid, p->tid, sizeof q.tid);
    uint8_t buf[256];
    struct wr w = wr_of(buf, sizeof buf);
    if (stun_write_request(&w, &q) == OK)
        p->config.send(p->config.ctx, buf, wr_len(&w));
    p->next_check = now + (p->ice_done ? RTC_PEER_CHECK_SLOW : RTC_PEER_CHECK_FAST);
}

void rtc_peer_start(struct rtc_peer *p, usec now)
{
    send_check(p, now);
}

static void take_keys(struct rtc_peer *p)
{
    struct srtp_key local;
    struct srtp_key remote;
    if (p->sealer || dtls_srtp_keys(p->dtls, &local, &remote) != OK)
        return;
    if (seal_open(&p->sealer, &local) != OK || opener_open(&p->opener, &remote) != OK)
        p->failed = true;
}

static void drain(struct rtc_peer *p, usec now)
{
    for (size_t i = 0; i < p->sink->count; i++) {
        const struct sink_item *it = &p->sink->items[i];
        if (it->kind == SINK_DATAGRAM)
            p->config.send(p->config.ctx, p->sink->bytes + it->offset, it->len);
        else if (it->code == DTLS_EV_FAILED)
            p->failed = true;
        else if (it->code == DTLS_EV_STATE && it->arg == DTLS_CONNECTED)
            take_keys(p);
        else if (it->code == DTLS_EV_DATA && p->config.on_data)
            p->config.on_data(p->config.ctx, now, sink_bytes(p->sink, it));
    }
    sink_reset(p->sink);
}

/* False: it is no check, or not of our peer. */
static bool answer_check(const struct rtc_peer *p, const struct stun_msg *m)
{
    struct slice key = slice_of(p->pwd, strlen(p->pwd));
    uint8_t buf[256];
    struct wr w = wr_of(buf, sizeof buf);
    if (m->class != STUN_REQUEST || p->config.remote.family == 0 ||
        stun_check_integrity(m, key) != OK ||
        stun_write_success(&w, m, &p->config.remote, key) != OK)
        return false;
    p->config.send(p->config.ctx, buf, wr_len(&w));
    return true;
}

static void on_stun(struct rtc_peer *p, usec now, const void *bytes, size_t n)
{
    struct stun_msg m;
    if (stun_parse(&m, bytes, n) != OK) {
        p->bad_in++;
        return;
    }
    if (m.class == STUN_INDICATION || answer_check(p, &m)) /* keep-alive: RFC 8445 11 */
        return;
    if (m.class == STUN_SUCCESS && memcmp(m.tid, p->tid, sizeof p->tid) != 0)
        return; /* to an earlier check */
    if (m.class != STUN_SUCCESS ||
        stun_check_integrity(&m, slice_of(p->remote_pwd, strlen(p->remote_pwd))) != OK) {
        p->bad_in++;
        return;
    }
    if (p->ice_done)
        return;
    p->ice_done = true;
    p->next_check = now + RTC_PEER_CHECK_SLOW;
    if (dtls_start(p->dtls, now, p->sink) != OK)
        p->failed = true;
    drain(p, now);
}

static void on_media(struct rtc_peer *p, usec now, uint8_t *bytes, size_t n, bool rtcp)
{
    enum err e = !p->opener ? ERR_STATE
                 : rtcp     ? opener_unprotect_rtcp(p->opener, bytes, &n)
                            : opener_unprotect_rtp(p->opener, bytes, &n);
    if (e != OK) {
        p->bad_in++;
        return;
    }
    void (*tell)(void *, usec, uint8_t *, size_t) = rtcp ? p->config.on_rtcp : p->config.on_rtp;
    *(rtcp ? &p->rtcp_in : &p->rtp_in) += 1;
    if (tell)
        tell(p->config.ctx, now, bytes, n);
}

void rtc_peer_input(struct rtc_peer *p, usec now, const void *bytes, size_t n)
{
    uint8_t copy[RTC_PEER_PACKET_MAX];
    if (n > sizeof copy) {
        p->bad_in++;
        return;
    }
    memcpy(copy, bytes, n);
    switch (packet_class(copy, n)) {
    case PACKET_STUN:
        on_stun(p, now, copy, n);
        break;
    case PACKET_DTLS:
        dtls_input(p->dtls, now, slice_of(copy, n), p->sink);
        drain(p, now);
        break;
    case PACKET_RTP:
        on_media(p, now, copy, n, false);
        break;
    case PACKET_RTCP:
        on_media(p, now, copy, n, true);
        break;
    case PACKET_UNKNOWN:
        p->bad_in++;
        break;
    }
}

void rtc_peer_timeout(struct rtc_peer *p, usec now)
{
    if (p->next_check <= now) {
        if (p->silent)
            p->next_check = USEC_NEVER;
        else
            send_check(p, now);
    }
    if (dtls_deadline(p->dtls) <= now) {
        dtls_timeout(p->dtls, now, p->sink);
        drain(p, now);
    }
}

usec rtc_peer_deadline(const struct rtc_peer *p)
{
    return usec_min(p->next_check, dtls_deadline(p->dtls));
}

static bool send_sealed(struct rtc_peer *p, const void *bytes, size_t n, bool rtcp)
{
    uint8_t buf[RTC_PEER_PACKET_MAX];
    if (!p->sealer || n + SEAL_OVERHEAD > sizeof buf)
        return false;
    memcpy(buf, bytes, n);
    enum err e =
        rtcp ? seal_protect_rtcp(p->sealer, buf, &n) : seal_protect_rtp(p->sealer, buf, &n);
    if (e != OK)
        return false;
    p->config.send(p->config.ctx, buf, n);
    return true;
}

bool rtc_peer_send_rtp(struct rtc_peer *p, const void *bytes, size_t n)
{
    return send_sealed(p, bytes, n, false);
}

bool rtc_peer_send_rtcp(struct rtc_peer *p, const void *bytes, size_t n)
{
    return send_sealed(p, bytes, n, true);
}

bool rtc_peer_send_data(struct rtc_peer *p, usec now, struct slice message)
{
    if (dtls_send(p->dtls, now, message, p->sink) != OK)
        return false;
    drain(p, now);
    return true;
}
