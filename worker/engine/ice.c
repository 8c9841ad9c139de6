#include "worker/engine/ice.h"

#include <assert.h>
#include <string.h>

#include "proto/stun.h"
#include "worker/engine/ossl.h"

enum { RESPONSE_MAX = 256 };

static const char *const STATE_NAMES[ICE_STATE_COUNT] = {
    [ICE_NEW] = "new",
    [ICE_CONNECTED] = "connected",
    [ICE_COMPLETED] = "completed",
    [ICE_DISCONNECTED] = "disconnected",
};

void ice_init(struct ice *ice, struct rng *rng, usec consent_ttl)
{
    memset(ice, 0, sizeof *ice);
    ice->rng = rng;
    ice->state = ICE_NEW;
    ice->selected = -1;
    ice->consent_ttl = consent_ttl;
    ice->consent_until = USEC_NEVER;
    rng_token(rng, ice->ufrag, sizeof ice->ufrag);
    rng_token(rng, ice->pwd, sizeof ice->pwd);
}

void ice_fini(struct ice *ice)
{
    OPENSSL_cleanse(ice, sizeof *ice);
}

/* ---- state, selection, tuples ---- */

static void set_state(struct ice *ice, enum ice_state to, struct sink *out)
{
    static const uint8_t LEGAL[ICE_STATE_COUNT] = {
        [ICE_NEW] = 1 << ICE_CONNECTED | 1 << ICE_COMPLETED,
        [ICE_CONNECTED] = 1 << ICE_COMPLETED | 1 << ICE_DISCONNECTED,
        [ICE_COMPLETED] = 1 << ICE_DISCONNECTED,
        [ICE_DISCONNECTED] = 1 << ICE_CONNECTED | 1 << ICE_COMPLETED,
    };
    if (ice->state == to)
        return;
    assert(LEGAL[ice->state] >> to & 1);
    ice->state = to;
    sink_event(out, ICE_EV_STATE, to, NULL);
}

/* i: -1 for none. */
static void select_tuple(struct ice *ice, int i, struct sink *out)
{
    if (ice->selected == i)
        return;
    ice->selected = (int8_t)i;
    sink_event(out, ICE_EV_SELECTED, 0, i < 0 ? NULL : &ice->tuples[i].tuple);
}

static int find_tuple(const struct ice *ice, const struct tuple *t)
{
    for (int i = 0; i < ice->tuple_count; i++)
        if (tuple_eq(&ice->tuples[i].tuple, t))
            return i;
    return -1;
}

/* Takes it out of the list without a look at the selection, except to keep its index right. */
static void drop_tuple(struct ice *ice, int i, struct sink *out)
{
    struct tuple gone = ice->tuples[i].tuple;
    ice->tuple_count--;
    memmove(&ice->tuples[i], &ice->tuples[i + 1],
            (size_t)(ice->tuple_count - i) * sizeof ice->tuples[0]);
    if (ice->selected > i)
        ice->selected--;
    sink_event(out, ICE_EV_TUPLE_REMOVED, 0, &gone);
}

/* The one without a valid request for the longest time, other than the selected one. */
static int oldest_unselected(const struct ice *ice)
{
    int oldest = -1;
    for (int i = 0; i < ice->tuple_count; i++)
        if (i != ice->selected &&
            (oldest < 0 || ice->tuples[i].seen_at < ice->tuples[oldest].seen_at))
            oldest = i;
    return oldest;
}

static int keep_tuple(struct ice *ice, usec now, const struct tuple *t, struct sink *out)
{
    int i = find_tuple(ice, t);
    if (i < 0) {
        struct ice_tuple fresh = {.tuple = *t};
        sink_event(out, ICE_EV_TUPLE_ADDED, 0, t);
        if (ice->tuple_count == ICE_TUPLES_MAX)
            drop_tuple(ice, oldest_unselected(ice), out);
        i = ice->tuple_count++;
        ice->tuples[i] = fresh;
    }
    ice->tuples[i].seen_at = now;
    return i;
}

/* ---- requests ---- */

static struct slice text_slice(const char *text)
{
    return slice_of(text, strlen(text));
}

/* RFC 8445 7.2.2: the username is ours, a colon, theirs. */
static bool username_is_for(struct slice username, const char *ufrag)
{
    size_t n = strlen(ufrag);
    return n > 0 && username.n > n && memcmp(username.p, ufrag, n) == 0 && username.p[n] == ':';
}

static void respond(struct ice *ice, const struct tuple *to, const struct wr *w, struct sink *out)
{
    if (sink_datagram(out, to, slice_of(w->start, wr_len(w)))) {
        ice->stats.responses++;
        ice->stats.bytes_out += wr_len(w);
    }
}

/* key: NULL before the request has authenticated. */
static void reject(struct ice *ice, usec now, const struct tuple *to, const struct stun_msg *m,
                   uint16_t code, const char *key, struct sink *out)
{
    ice->stats.rejected++;
    if (now - ice->errors_since >= USEC_PER_SEC) {
        ice->errors_since = now;
        ice->error_count = 0;
    }
    if (ice->error_count++ >= ICE_ERRORS_PER_SEC)
        return;
    uint8_t buf[RESPONSE_MAX];
    struct wr w = wr_of(buf, sizeof buf);
    struct slice k = key ? text_slice(key) : slice_of(NULL, 0);
    if (stun_write_error(&w, m, code, k) == OK)
        respond(ice, to, &w, out);
}

/* 0 when the request is valid, else the code to answer with. *key: the password that it proved to
 * know, NULL when none. */
static uint16_t check_request(const struct ice *ice, const struct stun_msg *m, const char **key)
{
    *key = NULL;
    /* RFC 8489 9.1.3: without username or integrity: 400. RFC 8445 7: FINGERPRINT must be there. */
    if (!m->username.p || m->integrity_at == 0 || !m->has_fingerprint)
        return STUN_CODE_BAD_REQUEST;
    const char *pwd = NULL;
    if (username_is_for(m->username, ice->ufrag))
        pwd = ice->pwd;
    else if (username_is_for(m->username, ice->old_ufrag))
        pwd = ice->old_pwd;
    if (!pwd || stun_check_integrity(m, text_slice(pwd)) != OK)
        return STUN_CODE_UNAUTHENTICATED;
    *key = pwd;
    if (m->n_unknown > 0)
        return STUN_CODE_UNKNOWN_ATTRIBUTE;
    /* RFC 8445 7.1.1: PRIORITY must be there. */
    if (!m->has_priority)
        return STUN_CODE_BAD_REQUEST;
    /* RFC 8445 6.1.1, 7.3.1.1: a lite agent is controlled; so the peer cannot be. */
    if (m->controlled)
        return STUN_CODE_ROLE_CONFLICT;
    return 0;
}

static bool nominates(struct ice *ice, const struct stun_msg *m)
{
    if (!m->has_nomination)
        return m->use_candidate;
    /* draft-thatcher-ice-renomination: the highest value counts; older checks may arrive late. */
    if (ice->has_nomination && m->nomination <= ice->nomination)
        return false;
    ice->has_nomination = true;
    ice->nomination = m->nomination;
    return true;
}

static void end_restart(struct ice *ice, struct sink *out)
{
    if (!ice->old_ufrag[0])
        return;
    sink_event_bytes(out, ICE_EV_OLD_UFRAG_DROPPED, text_slice(ice->old_ufrag));
    OPENSSL_cleanse(ice->old_pwd, sizeof ice->old_pwd);
    ice->old_ufrag[0] = '\0';
}

static void accept_request(struct ice *ice, usec now, const struct tuple *from,
                           const struct stun_msg *m, const char *key, struct sink *out)
{
    ice->stats.requests++;
    if (key == ice->pwd)
        end_restart(ice, out);
    if (ice->consent_ttl > 0)
        ice->consent_until = now + ice->consent_ttl;
    int i = keep_tuple(ice, now, from, out);
    bool nominated = nominates(ice, m);
    if (nominated || ice->selected < 0)
        select_tuple(ice, i, out);
    if (nominated)
        set_state(ice, ICE_COMPLETED, out);
    else if (ice->state == ICE_NEW || ice->state == ICE_DISCONNECTED)
        set_state(ice, ICE_CONNECTED, out);
}

void ice_input(struct ice *ice, usec now, const struct tuple *from, struct slice datagram,
               struct sink *out)
{
    struct stun_msg m;
    ice->stats.bytes_in += datagram.n;
    if (stun_parse(&m, datagram.p, datagram.n) != OK || m.class != STUN_REQUEST ||
        m.method != STUN_BINDING) {
        ice->stats.ignored++;
        return;
    }
    const char *key;
    uint16_t code = check_request(ice, &m, &key);
    if (code != 0) {
        reject(ice, now, from, &m, code, key, out);
        return;
    }
    uint8_t buf[RESPONSE_MAX];
    struct wr w = wr_of(buf, sizeof buf);
    if (stun_write_success(&w, &m, &from->remote, text_slice(key)) == OK)
        respond(ice, from, &w, out);
    accept_request(ice, now, from, &m, key, out);
}

/* ---- the rest of the life cycle ---- */

void ice_timeout(struct ice *ice, usec now, struct sink *out)
{
    if (now < ice->consent_until)
        return;
    ice->consent_until = USEC_NEVER;
    ice->has_nomination = false;
    ice->nomination = 0;
    ice->selected = -1;
    while (ice->tuple_count > 0)
        drop_tuple(ice, ice->tuple_count - 1, out);
    sink_event(out, ICE_EV_SELECTED, 0, NULL);
    set_state(ice, ICE_DISCONNECTED, out);
}

usec ice_deadline(const struct ice *ice)
{
    return ice->consent_until;
}

void ice_restart(struct ice *ice, usec now, struct sink *out)
{
    if (ice->old_ufrag[0]) {
        sink_event_bytes(out, ICE_EV_OLD_UFRAG_DROPPED, text_slice(ice->ufrag));
    } else {
        memcpy(ice->old_ufrag, ice->ufrag, sizeof ice->ufrag);
        memcpy(ice->old_pwd, ice->pwd, sizeof ice->pwd);
    }
    rng_token(ice->rng, ice->ufrag, sizeof ice->ufrag);
    rng_token(ice->rng, ice->pwd, sizeof ice->pwd);
    ice->has_nomination = false;
    ice->nomination = 0;
    if (ice->consent_until != USEC_NEVER)
        ice->consent_until = now + ice->consent_ttl;
}

void ice_tuple_gone(struct ice *ice, usec now, const struct tuple *tuple, struct sink *out)
{
    (void)now;
    int i = find_tuple(ice, tuple);
    if (i < 0)
        return;
    bool was_selected = ice->selected == i;
    if (was_selected)
        ice->selected = -1;
    drop_tuple(ice, i, out);
    if (!was_selected)
        return;
    if (ice->tuple_count > 0) {
        int latest = 0;
        for (int k = 1; k < ice->tuple_count; k++)
            if (ice->tuples[k].seen_at > ice->tuples[latest].seen_at)
                latest = k;
        select_tuple(ice, latest, out);
        return;
    }
    sink_event(out, ICE_EV_SELECTED, 0, NULL);
    ice->consent_until = USEC_NEVER;
    ice->has_nomination = false;
    ice->nomination = 0;
    set_state(ice, ICE_DISCONNECTED, out);
}

bool ice_accepts(const struct ice *ice, const struct tuple *tuple)
{
    if (ice->selected >= 0 && tuple_eq(&ice->tuples[ice->selected].tuple, tuple))
        return true;
    return find_tuple(ice, tuple) >= 0;
}

const struct tuple *ice_selected(const struct ice *ice)
{
    return ice->selected < 0 ? NULL : &ice->tuples[ice->selected].tuple;
}

enum ice_state ice_get_state(const struct ice *ice)
{
    return ice->state;
}

const char *ice_state_name(enum ice_state state)
{
    return STATE_NAMES[state];
}

const char *ice_ufrag(const struct ice *ice)
{
    return ice->ufrag;
}

const char *ice_pwd(const struct ice *ice)
{
    return ice->pwd;
}

const char *ice_old_ufrag(const struct ice *ice)
{
    return ice->old_ufrag;
}

size_t ice_tuple_count(const struct ice *ice)
{
    return ice->tuple_count;
}

const struct tuple *ice_tuple_at(const struct ice *ice, size_t i)
{
    assert(i < ice->tuple_count);
    return &ice->tuples[i].tuple;
}
