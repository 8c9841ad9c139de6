#include "test/bench/janus_viewers.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "proto/sdp.h"
#include "test/bench/viewer.h"

enum { ANSWER_MAX = 4096 /* Janus takes requests of up to 8 KiB */ };

static struct slice text_slice(const char *text)
{
    return slice_of(text, strlen(text));
}

static void copy(char *out, size_t n, struct slice in)
{
    snprintf(out, n, "%.*s", (int)in.n, (const char *)in.p);
}

/* Where Janus receives what this viewer sends, and what it is going to send. */
static void take_offer(struct viewer *v, const struct sdp *offer, struct dtls_identity *identity)
{
    const struct sdp_media *m = &offer->media[0];
    const struct sdp_transport *t = m->transport.n_fingerprints ? &m->transport : &offer->transport;
    char ufrag[64];
    char pwd[128];
    char print[128];
    char address[64];
    struct addr remote;
    if (m->n_candidates == 0 || m->n_groups == 0 || t->n_fingerprints == 0)
        viewer_die("Janus's offer", "lacks a candidate, its SSRCs or a fingerprint");
    copy(ufrag, sizeof ufrag, sdp_ufrag(offer, m));
    copy(pwd, sizeof pwd, sdp_pwd(offer, m));
    copy(print, sizeof print, t->fingerprints[0].value);
    copy(address, sizeof address, m->candidates[0].address);
    v->ssrc = m->groups[0].ssrcs[0];
    v->worker.sin_port = htons(m->candidates[0].port);
    if (inet_pton(AF_INET, address, &v->worker.sin_addr) != 1 ||
        addr_parse(&remote, address, m->candidates[0].port) != OK)
        viewer_die("Janus's candidate", address);
    struct rtc_peer_config config = {.rng = &v->all->rng,
                                     .identity = identity,
                                     .remote_ufrag = ufrag,
                                     .remote_pwd = pwd,
                                     .remote_fingerprint = print,
                                     .remote = remote,
                                     .send = viewer_send,
                                     .on_rtp = viewer_on_rtp,
                                     .on_rtcp = viewer_on_rtcp,
                                     .ctx = v};
    if (rtc_peer_init(&v->rtc, &config) != OK)
        viewer_die("rtc_peer_init", address);
}

/* The offer with everything accepted, and this viewer's side of the transport. */
static const char *answer_to(struct viewer *v, struct sdp *s)
{
    static char text[ANSWER_MAX];
    char address[INET_ADDRSTRLEN] = "";
    const struct sockaddr_in *at = &v->all->addresses[v - v->all->all];
    struct sdp_media *m = &s->media[0];
    struct wr w = wr_of((uint8_t *)text, sizeof text - 1);
    inet_ntop(AF_INET, &at->sin_addr, address, sizeof address);
    s->ice_lite = false;
    m->direction = SDP_RECVONLY;
    m->has_direction = true;
    m->n_ssrcs = m->n_groups = 0;
    m->msid = (struct slice){0};
    s->transport = (struct sdp_transport){0};
    m->transport = (struct sdp_transport){
        .ice_ufrag = text_slice(v->rtc.ufrag),
        .ice_pwd = text_slice(v->rtc.pwd),
        .fingerprints = {{.algorithm = text_slice("sha-256"),
                          .value = text_slice(rtc_peer_fingerprint(&v->rtc))}},
        .n_fingerprints = 1,
        .setup = SDP_SETUP_ACTIVE};
    m->candidates[0] = (struct sdp_candidate){.foundation = text_slice("1"),
                                              .transport = text_slice("udp"),
                                              .address = text_slice(address),
                                              .type = text_slice("host"),
                                              .priority = 0x7effffff,
                                              .component = 1,
                                              .port = ntohs(at->sin_port)};
    m->n_candidates = 1;
    m->end_of_candidates = true;
    if (sdp_print(s, &w) != OK)
        viewer_die("the answer to Janus", "does not fit");
    text[wr_len(&w)] = '\0';
    return text;
}

static void watch(struct viewer *v, struct janus *j)
{
    static struct sdp offer;
    unsigned line = 0;
    json_int_t handle = janus_attach(j);
    json_t *event = janus_message(
        j, handle, json_pack("{s:s,s:i}", "request", "watch", "id", JANUS_MOUNTPOINT), NULL);
    const char *text = json_string_value(json_object_get(json_object_get(event, "jsep"), "sdp"));
    if (!text || sdp_parse(&offer, text_slice(text), &line) != OK || offer.n_media != 1)
        viewer_die("Janus's offer", text ? text : "none");
    take_offer(v, &offer, viewers_identity());
    json_t *jsep =
        json_pack("{s:s,s:s,s:b}", "type", "answer", "sdp", answer_to(v, &offer), "trickle", 0);
    json_decref(event);
    json_decref(janus_message(j, handle, json_pack("{s:s}", "request", "start"), jsep));
    viewer_connect(v);
}

void janus_viewers_open(struct viewers *all, struct janus *j, const struct call *call)
{
    viewers_prepare(all, call, j->address.s_addr);
    for (size_t i = 0; i < all->n; i++)
        watch(&all->all[i], j);
}
