/* Messages out: a queue a stream in front of usrsctp, taken by turns; buffered amounts; resets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dcep.h"
#include "worker/engine/sctp_assoc.h"

/* Unsent bytes that usrsctp may have before it gets another message. What it has it sends, however
 * old: a message whose lifetime ends is dropped here, and so is handed over as late as possible. */
enum { HAND_AHEAD = 16 * 1024, HAND_AHEAD_LIFETIME = 1024 };
/* When nothing moved for this long it gets one in spite of it: sending on also makes usrsctp repeat
 * a FORWARD-TSN that was lost. */
#define STALL (500 * USEC_PER_MSEC)
/* Streams that one request resets (RFC 6525 4.1 has room for more). */
enum { RESET_BATCH = 64 };

static struct out_stream *find(const struct assoc *a, uint16_t sid)
{
    struct out_stream *s;
    HASH_FIND(hh, a->out, &sid, sizeof sid, s);
    return s;
}

static struct out_stream *find_or_make(struct assoc *a, uint16_t sid)
{
    struct out_stream *s = find(a, sid);
    if (s)
        return s;
    s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->sid = sid;
    s->low_threshold = a->config.low_threshold;
    s->last = &s->first;
    s->handed_last = &s->handed_first;
    list_init(&s->in_active);
    HASH_ADD(hh, a->out, sid, sizeof s->sid, s);
    if (!s->hh.tbl) {
        free(s);
        return NULL;
    }
    return s;
}

static size_t buffered(const struct out_stream *s)
{
    return s->waiting + s->handed;
}

static void set_low_due(struct assoc *a, struct out_stream *s, bool due)
{
    if (s->low_due == due)
        return;
    s->low_due = due;
    if (due)
        a->low_due++;
    else
        a->low_due--;
}

static void grew(struct assoc *a, struct out_stream *s)
{
    if (buffered(s) > s->low_threshold) {
        s->above = true;
        set_low_due(a, s, false);
    }
}

static void shrank(struct assoc *a, struct out_stream *s)
{
    if (!s->above || buffered(s) > s->low_threshold)
        return;
    s->above = false;
    set_low_due(a, s, true);
    assocs_mark_ready(a);
}

static void set_reset(struct assoc *a, struct out_stream *s, enum stream_reset to)
{
    if (s->reset == RESET_WANTED)
        a->resets_wanted--;
    if (to == RESET_WANTED)
        a->resets_wanted++;
    s->reset = to;
}

static struct out_message *shift(struct assoc *a, struct out_stream *s)
{
    struct out_message *m = s->first;
    s->first = m->next;
    if (!s->first) {
        s->last = &s->first;
        list_remove(&s->in_active);
    }
    s->waiting -= m->len;
    a->waiting -= m->len;
    return m;
}

static void drop_waiting(struct assoc *a, struct out_stream *s)
{
    while (s->first)
        free(shift(a, s));
}

/* The first one of the list. */
static void drop_handed(struct assoc *a, struct out_stream *s)
{
    struct handed_message *h = s->handed_first;
    s->handed_first = h->next;
    if (!s->handed_first)
        s->handed_last = &s->handed_first;
    s->handed -= h->left;
    a->handed -= h->left;
    free(h);
}

static void add_handed(struct assoc *a, struct out_stream *s, struct handed_message *h)
{
    *s->handed_last = h;
    s->handed_last = &h->next;
    s->handed += h->left;
    a->handed += h->left;
}

/* One that was not taken after all. */
static void take_back(struct assoc *a, struct out_stream *s, struct handed_message *h)
{
    struct handed_message **at = &s->handed_first;
    while (*at != h)
        at = &(*at)->next;
    *at = NULL; /* it is the last */
    s->handed_last = at;
    s->handed -= h->left;
    a->handed -= h->left;
    free(h);
}

static void forget(struct assoc *a, struct out_stream *s)
{
    drop_waiting(a, s);
    while (s->handed_first)
        drop_handed(a, s);
    set_low_due(a, s, false);
    set_reset(a, s, RESET_NONE);
    HASH_DEL(a->out, s);
    free(s);
}

void assoc_drop_out(struct assoc *a)
{
    struct out_stream *s, *next;
    HASH_ITER(hh, a->out, s, next)
    forget(a, s);
    if (a->hh.tbl)
        assocs_mark_busy(a, false);
}

/* ERR_AGAIN: usrsctp has no room now. Anything else: the message is done with. */
static enum err hand_over(struct assoc *a, usec now, struct out_stream *s,
                          const struct assoc_sending *how, const uint8_t *bytes, size_t n)
{
    struct handed_message *h = malloc(sizeof *h);
    if (!h)
        return ERR_AGAIN;
    *h = (struct handed_message){.id = ++a->last_handed_id, .left = n};
    struct sctp_sendv_spa spa = {.sendv_flags = SCTP_SEND_SNDINFO_VALID};
    uint32_t ppid;
    put_u32((uint8_t *)&ppid, how->ppid);
    spa.sendv_sndinfo.snd_sid = how->stream;
    spa.sendv_sndinfo.snd_ppid = ppid;
    spa.sendv_sndinfo.snd_context = h->id;
    spa.sendv_sndinfo.snd_flags = how->unordered ? SCTP_UNORDERED : 0;
    if (how->reliability != ASSOC_RELIABLE) {
        spa.sendv_flags |= SCTP_SEND_PRINFO_VALID;
        spa.sendv_prinfo.pr_policy =
            how->reliability == ASSOC_MAX_RETRANSMITS ? SCTP_PR_SCTP_RTX : SCTP_PR_SCTP_TTL;
        spa.sendv_prinfo.pr_value = how->limit;
    }
    /* Counted first: a small message leaves within the call. */
    add_handed(a, s, h);
    if (usrsctp_sendv(a->socket, bytes, n, NULL, 0, &spa, sizeof spa, SCTP_SENDV_SPA, 0) >= 0) {
        a->stats.messages_sent++;
        a->progress_at = now;
        return OK;
    }
    int error = errno;
    take_back(a, s, h);
    if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM)
        return ERR_AGAIN;
    return ERR_STATE;
}

static bool has_room(const struct assoc *a, usec now, const struct assoc_sending *how)
{
    size_t limit = how->reliability == ASSOC_MAX_LIFETIME ? HAND_AHEAD_LIFETIME : HAND_AHEAD;
    return a->handed < limit || now - a->progress_at > STALL;
}

static bool pump_messages(struct assoc *a, usec now)
{
    struct list blocked; /* by a reset of their stream, or because it has no memory yet */
    list_init(&blocked);
    bool room = true;
    while (room && !list_empty(&a->active)) {
        struct out_stream *s = container_of(a->active.next, struct out_stream, in_active);
        list_remove(&s->in_active);
        if (s->reset != RESET_NONE || !streams_open_out(a, s->sid)) {
            list_add(&blocked, &s->in_active);
            continue;
        }
        struct out_message *m = s->first;
        enum err e = OK;
        if (now >= m->expires_at)
            a->stats.expired++;
        else if (!has_room(a, now, &m->how))
            e = ERR_AGAIN;
        else
            e = hand_over(a, now, s, &m->how, m->bytes, m->len);
        if (e == ERR_AGAIN) {
            list_add(a->active.next, &s->in_active); /* still the first */
            room = false;
        } else {
            list_add(&a->active, &s->in_active); /* behind the others */
            free(shift(a, s));
            shrank(a, s);
        }
    }
    while (!list_empty(&blocked)) {
        struct list *node = blocked.next;
        list_remove(node);
        list_add(&a->active, node);
    }
    return list_empty(&a->active);
}

/* One request at a time may be under way (RFC 6525 5.1.1): usrsctp refuses a second one. */
static void pump_resets(struct assoc *a)
{
    struct {
        struct sctp_reset_streams head;
        uint16_t sids[RESET_BATCH];
    } request;
    memset(&request, 0, sizeof request);
    uint16_t n = 0;
    struct out_stream *s, *next;
    HASH_ITER(hh, a->out, s, next)
    if (s->reset == RESET_WANTED && n < RESET_BATCH && streams_open_out(a, s->sid))
        request.sids[n++] = s->sid;
    request.head.srs_assoc_id = SCTP_ALL_ASSOC;
    request.head.srs_flags = SCTP_STREAM_RESET_OUTGOING;
    request.head.srs_number_streams = n;
    if (n == 0 || usrsctp_setsockopt(a->socket, IPPROTO_SCTP, SCTP_RESET_STREAMS, &request,
                                     (socklen_t)(sizeof request.head + n * sizeof(uint16_t))) != 0)
        return;
    for (uint16_t i = 0; i < n; i++) {
        s = find(a, request.sids[i]);
        if (s)
            set_reset(a, s, RESET_UNDER_WAY);
    }
}

void assoc_pump(struct assoc *a, usec now)
{
    if (a->state != ASSOC_CONNECTED || !a->socket)
        return;
    if (a->moved)
        a->progress_at = now;
    a->moved = false;
    if (a->resets_wanted > 0)
        pump_resets(a);
    bool idle = pump_messages(a, now);
    assocs_mark_busy(a, !idle || a->resets_wanted > 0);
}

static enum err check(const struct assoc *a, const struct assoc_sending *how, size_t n)
{
    const struct assoc_config *c = &a->config;
    if (a->state != ASSOC_CONNECTED || !a->socket)
        return ERR_STATE;
    if (how->stream >= a->n_out)
        return ERR_RANGE;
    if (n > c->max_send_message)
        return ERR_TOO_LARGE;
    if (a->waiting + a->handed + n > c->send_buffer)
        return ERR_FULL;
    const struct out_stream *s = find(a, how->stream);
    return (s ? buffered(s) : 0) + n > c->stream_send_buffer ? ERR_FULL : OK;
}

static enum err enqueue(struct assoc *a, usec now, struct out_stream *s,
                        const struct assoc_sending *how, struct slice message)
{
    struct out_message *m = malloc(sizeof *m + message.n);
    if (!m)
        return ERR_NOMEM;
    m->next = NULL;
    m->how = *how;
    m->expires_at = how->reliability == ASSOC_MAX_LIFETIME ? now + (usec)how->limit * USEC_PER_MSEC
                                                           : USEC_NEVER;
    m->len = message.n;
    memcpy(m->bytes, message.p, message.n);
    if (!s->first)
        list_add(&a->active, &s->in_active);
    *s->last = m;
    s->last = &m->next;
    s->waiting += message.n;
    a->waiting += message.n;
    assocs_mark_busy(a, true);
    return OK;
}

enum err assoc_send(struct assoc *a, usec now, const struct assoc_sending *how,
                    struct slice message)
{
    static const uint8_t ZERO = 0;
    struct assoc_sending own = *how;
    if (message.n == 0) {
        /* RFC 8831 6.6: SCTP has no empty messages; one byte, and a PPID that says so. */
        message = slice_of(&ZERO, 1);
        if (own.ppid == PPID_STRING)
            own.ppid = PPID_STRING_EMPTY;
        else if (own.ppid == PPID_BINARY)
            own.ppid = PPID_BINARY_EMPTY;
    }
    enum err e = check(a, &own, message.n);
    if (e != OK)
        return e;
    struct out_stream *s = find_or_make(a, own.stream);
    if (!s)
        return ERR_NOMEM;
    s->we_reset = s->we_reset && s->reset != RESET_NONE;
    e = ERR_AGAIN;
    if (list_empty(&a->active) && has_room(a, now, &own) && s->reset == RESET_NONE &&
        streams_open_out(a, s->sid))
        e = hand_over(a, now, s, &own, message.p, message.n);
    if (e == ERR_AGAIN)
        e = enqueue(a, now, s, &own, message);
    grew(a, s);
    return e;
}

void assoc_note_sent(struct assoc *a, uint16_t sid, size_t n)
{
    struct out_stream *s = find(a, sid);
    struct handed_message *h = s ? s->handed_first : NULL;
    if (!h)
        return;
    size_t less = n < h->left ? n : h->left;
    h->left -= less;
    s->handed -= less;
    a->handed -= less;
    a->moved = true;
    if (h->left == 0)
        drop_handed(a, s);
    shrank(a, s);
}

void assoc_note_given_up(struct assoc *a, uint16_t sid, uint32_t id)
{
    struct out_stream *s = find(a, sid);
    if (!s)
        return;
    /* Older ones that were not sent by now never will be. */
    while (s->handed_first && (int32_t)(s->handed_first->id - id) <= 0)
        drop_handed(a, s);
    shrank(a, s);
}

void assoc_note_dry(struct assoc *a)
{
    struct out_stream *s, *next;
    HASH_ITER(hh, a->out, s, next)
    {
        while (s->handed_first)
            drop_handed(a, s);
        shrank(a, s);
    }
}

uint32_t assoc_buffered(const struct assoc *a, uint16_t sid)
{
    const struct out_stream *s = find(a, sid);
    return s ? (uint32_t)buffered(s) : 0;
}

enum err assoc_set_low_threshold(struct assoc *a, uint16_t sid, uint32_t bytes)
{
    struct out_stream *s = find_or_make(a, sid);
    if (!s)
        return ERR_NOMEM;
    s->low_threshold = bytes;
    grew(a, s);
    shrank(a, s);
    return OK;
}

bool assoc_next_low(struct assoc *a, struct assoc_item *out)
{
    if (a->low_due == 0)
        return false;
    struct out_stream *s, *next;
    HASH_ITER(hh, a->out, s, next)
    {
        if (!s->low_due)
            continue;
        set_low_due(a, s, false);
        out->kind = ASSOC_BUFFERED_LOW;
        out->stream = s->sid;
        out->buffered = (uint32_t)buffered(s);
        return true;
    }
    return false;
}

/* ---- resets ---- */

static void want_reset(struct assoc *a, struct out_stream *s)
{
    drop_waiting(a, s);
    s->above = false;
    set_low_due(a, s, false);
    if (s->reset == RESET_NONE)
        set_reset(a, s, RESET_WANTED);
}

void assoc_reset_stream(struct assoc *a, usec now, uint16_t sid)
{
    if (a->state != ASSOC_CONNECTED || sid >= a->n_out)
        return;
    struct out_stream *s = find_or_make(a, sid);
    if (!s)
        return;
    s->we_reset = true;
    want_reset(a, s);
    assoc_pump(a, now);
}

static void reset_done(struct assoc *a, struct out_stream *s)
{
    if (s->reset != RESET_UNDER_WAY)
        return;
    set_reset(a, s, RESET_NONE);
    if (!s->we_reset && !s->first && s->handed == 0)
        forget(a, s);
}

void assoc_note_reset_done(struct assoc *a, const uint16_t *sids, size_t n)
{
    struct out_stream *s, *next;
    for (size_t i = 0; i < n; i++) {
        s = find(a, sids[i]);
        if (s)
            reset_done(a, s);
    }
    if (n == 0)
        HASH_ITER(hh, a->out, s, next)
    reset_done(a, s);
}

/* RFC 8831 6.7: a data channel is closed by both sides resetting their outgoing stream. */
void assoc_note_reset_by_peer(struct assoc *a, usec now, const uint16_t *sids, size_t n)
{
    if (!a->config.data_channels)
        return;
    for (size_t i = 0; i < n; i++) {
        struct out_stream *s = sids[i] < a->n_out ? find_or_make(a, sids[i]) : NULL;
        if (!s)
            continue;
        if (s->we_reset)
            s->we_reset = false; /* its answer to ours */
        else
            want_reset(a, s);
    }
    assoc_pump(a, now);
}
