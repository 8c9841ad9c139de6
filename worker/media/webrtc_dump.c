/* What a WebRTC transport says of itself: how it is reached, and how far it got. */
#include "worker/media/webrtc_state.h"
#include "worker/media/worker_state.h"

/* RFC 8445 5.1.2.1: 2^24 * type preference + 2^8 * local preference + (256 - component). */
static uint32_t priority(const struct webrtc_transport *t, const struct worker_listen *l,
                         size_t index)
{
    enum { TYPE_HOST = 126, LOCAL = 10000, STEP = 100, PREFERRED = 1000 };
    bool tcp = l->proto == TUPLE_TCP;
    uint32_t local = LOCAL - (uint32_t)index * STEP;
    /* Whoever lists the sockets lists them by preference. */
    if (t->sockets[0].own)
        return (uint32_t)TYPE_HOST << 24 | local << 8 | (256 - 1);
    if (tcp ? t->prefer_tcp : t->prefer_udp)
        local += PREFERRED;
    else if (tcp && !t->prefer_tcp)
        local -= PREFERRED; /* a stream that loses no packet delays all that follow a lost one */
    return (uint32_t)TYPE_HOST << 24 | local << 8 | (256 - 1);
}

static void candidate(const struct webrtc_transport *t, const struct worker_listen *l,
                      const char *address, size_t index, struct ice_candidate *out)
{
    bool tcp = l->proto == TUPLE_TCP;
    *out = (struct ice_candidate){.foundation = tcp ? "tcpcandidate" : "udpcandidate",
                                  .priority = priority(t, l, index),
                                  .has_priority = true,
                                  .ip = address,
                                  .address = address,
                                  .protocol = tcp ? PARAM_PROTOCOL_TCP : PARAM_PROTOCOL_UDP,
                                  .has_protocol = true,
                                  .port = l->bound.port,
                                  .has_port = true,
                                  .type = PARAM_ICE_CANDIDATE_HOST,
                                  .has_type = true,
                                  .tcp_type = PARAM_ICE_TCP_PASSIVE,
                                  .has_tcp_type = tcp};
}

static enum err dump_candidates(const struct webrtc_transport *t, struct arena *arena,
                                struct transport_dump_response *out)
{
    out->ice_candidates = arena_array(arena, 2 * t->n_sockets, sizeof *out->ice_candidates);
    if (!out->ice_candidates)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n_sockets; i++) {
        const struct worker_listen *l = &t->sockets[i].at;
        char *ip = arena_alloc(arena, ADDR_TEXT_MAX);
        if (!ip)
            return ERR_NOMEM;
        addr_ip_text(&l->bound, ip, ADDR_TEXT_MAX);
        bool announced = l->announced[0] != '\0';
        size_t n = out->n_ice_candidates;
        candidate(t, l, announced ? l->announced : ip, n, &out->ice_candidates[n]);
        out->n_ice_candidates = ++n;
        if (!announced || !t->sockets[i].expose_internal)
            continue;
        candidate(t, l, ip, n, &out->ice_candidates[n]);
        out->n_ice_candidates = n + 1;
    }
    return OK;
}

static enum err dump_dtls(const struct webrtc_transport *t, struct arena *arena,
                          struct transport_dump_response *out)
{
    struct dtls_parameters *p = arena_alloc(arena, sizeof *p);
    struct dtls_fingerprint *prints = arena_array(arena, DTLS_HASH_COUNT, sizeof *prints);
    if (!p || !prints)
        return ERR_NOMEM;
    for (int i = 0; i < DTLS_HASH_COUNT; i++)
        prints[i] = (struct dtls_fingerprint){
            .algorithm = i,
            .has_algorithm = true,
            .value = dtls_identity_fingerprint(t->base.worker->identity, (enum dtls_hash)i)};
    *p = (struct dtls_parameters){.fingerprints = prints,
                                  .n_fingerprints = DTLS_HASH_COUNT,
                                  .role = (int)dtls_local_role(t->dtls),
                                  .has_role = true};
    out->dtls_parameters = p;
    out->dtls_state = (int)dtls_get_state(t->dtls);
    out->has_dtls_state = true;
    if (dtls_get_state(t->dtls) == DTLS_CONNECTED)
        out->dtls_remote_cert = dtls_remote_cert_pem(t->dtls);
    return OK;
}

static enum err dump_tuple(const struct webrtc_transport *t, struct arena *arena,
                           struct transport_tuple **out)
{
    const struct tuple *selected = ice_selected(&t->ice);
    const struct worker_listen *local = selected ? webrtc_local(t, selected) : NULL;
    *out = local ? tuple_dump(arena, local, &selected->remote) : NULL;
    return local && !*out ? ERR_NOMEM : OK;
}

enum err webrtc_dump(struct transport *base, struct arena *arena,
                     struct transport_dump_response *out)
{
    const struct webrtc_transport *t = webrtc_of(base);
    struct ice_parameters *ice = arena_alloc(arena, sizeof *ice);
    if (!ice)
        return ERR_NOMEM;
    *ice = (struct ice_parameters){.username_fragment = ice_ufrag(&t->ice),
                                   .password = ice_pwd(&t->ice),
                                   .ice_lite = true,
                                   .has_ice_lite = true};
    out->ice_parameters = ice;
    out->ice_role = PARAM_ICE_ROLE_CONTROLLED;
    out->has_ice_role = true;
    out->ice_state = (int)ice_get_state(&t->ice);
    out->has_ice_state = true;
    enum err e = dump_candidates(t, arena, out);
    if (e == OK)
        e = dump_tuple(t, arena, &out->ice_selected_tuple);
    return e == OK ? dump_dtls(t, arena, out) : e;
}

enum err webrtc_stats(struct transport *base, struct arena *arena,
                      struct transport_get_stats_response *out)
{
    const struct webrtc_transport *t = webrtc_of(base);
    out->ice_role = PARAM_ICE_ROLE_CONTROLLED;
    out->has_ice_role = true;
    out->ice_state = (int)ice_get_state(&t->ice);
    out->has_ice_state = true;
    out->dtls_state = (int)dtls_get_state(t->dtls);
    out->has_dtls_state = true;
    return dump_tuple(t, arena, &out->ice_selected_tuple);
}
