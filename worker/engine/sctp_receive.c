/* What usrsctp has for us: notifications, and messages put together from the pieces in which large
 * ones are delivered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/engine/sctp_assoc.h"

/* One reading at most. Every message in one piece is handed on from here without a copy. */
enum { READ_BYTES = 256 * 1024 };
/* Messages in pieces, of all streams together, take this many times the largest one. */
enum { ASSEMBLING_MESSAGES = 4 };

static _Alignas(8) uint8_t read_buffer[READ_BYTES];

static void drop_stream(struct assoc *a, struct in_stream *s)
{
    a->assembling -= s->len;
    HASH_DEL(a->in, s);
    free(s->bytes);
    free(s);
}

void assoc_drop_in(struct assoc *a)
{
    struct in_stream *s, *next;
    HASH_ITER(hh, a->in, s, next)
    drop_stream(a, s);
    a->finished = NULL;
}

static struct in_stream *find(const struct assoc *a, uint16_t sid)
{
    struct in_stream *s;
    HASH_FIND(hh, a->in, &sid, sizeof sid, s);
    return s;
}

static void drop_partial(struct assoc *a, uint16_t sid)
{
    struct in_stream *s = find(a, sid);
    if (!s)
        return;
    a->stats.dropped_messages++;
    drop_stream(a, s);
}

static bool grow(struct in_stream *s, size_t n, size_t limit)
{
    size_t cap = s->cap ? s->cap : (size_t)64 * 1024;
    while (cap < n)
        cap *= 2;
    if (cap > limit)
        cap = limit;
    uint8_t *bytes = cap >= n ? realloc(s->bytes, cap) : NULL;
    if (!bytes)
        return false;
    s->bytes = bytes;
    s->cap = cap;
    return true;
}

static struct in_stream *begin(struct assoc *a, uint16_t sid, uint32_t ppid)
{
    struct in_stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->sid = sid;
    s->ppid = ppid;
    HASH_ADD(hh, a->in, sid, sizeof s->sid, s);
    if (!s->hh.tbl) {
        free(s);
        return NULL;
    }
    return s;
}

static void append(struct assoc *a, struct in_stream *s, const uint8_t *bytes, size_t n)
{
    size_t limit = a->config.max_receive_message;
    if (s->dropping)
        return;
    if (n > limit - s->len || a->assembling + n > ASSEMBLING_MESSAGES * limit ||
        (s->cap - s->len < n && !grow(s, s->len + n, limit))) {
        a->assembling -= s->len;
        s->len = 0;
        s->dropping = true;
        return;
    }
    memcpy(s->bytes + s->len, bytes, n);
    s->len += n;
    a->assembling += n;
}

static bool message(struct assoc *a, uint16_t sid, uint32_t ppid, struct slice bytes,
                    struct assoc_item *out)
{
    a->stats.messages_received++;
    out->kind = ASSOC_MESSAGE;
    out->stream = sid;
    out->ppid = ppid;
    out->bytes = bytes;
    return true;
}

/* A piece of a message, or a whole one; true: there is an item. */
static bool piece(struct assoc *a, const struct sctp_rcvinfo *info, const uint8_t *bytes, size_t n,
                  bool end, struct assoc_item *out)
{
    struct rd r = rd_of(&info->rcv_ppid, sizeof info->rcv_ppid); /* in network order */
    uint32_t ppid = rd_u32(&r);
    struct in_stream *s = find(a, info->rcv_sid);
    if (!s && end && n <= a->config.max_receive_message)
        return message(a, info->rcv_sid, ppid, slice_of(bytes, n), out);
    if (!s)
        s = begin(a, info->rcv_sid, ppid);
    if (!s) {
        a->stats.dropped_messages++;
        return false;
    }
    append(a, s, bytes, n);
    if (!end)
        return false;
    if (s->dropping) {
        drop_partial(a, info->rcv_sid);
        return false;
    }
    a->finished = s; /* freed by the next reading */
    return message(a, info->rcv_sid, ppid, slice_of(s->bytes, s->len), out);
}

static bool association_changed(struct assoc *a, const struct sctp_assoc_change *c,
                                struct assoc_item *out)
{
    enum assoc_state to = a->state;
    switch (c->sac_state) {
    case SCTP_COMM_UP:
    case SCTP_RESTART:
        streams_up(a, c->sac_state == SCTP_RESTART);
        to = ASSOC_CONNECTED;
        break;
    case SCTP_CANT_STR_ASSOC:
        to = a->state == ASSOC_CONNECTING ? ASSOC_FAILED : ASSOC_CLOSED;
        break;
    case SCTP_COMM_LOST:
    case SCTP_SHUTDOWN_COMP:
        to = a->state == ASSOC_CONNECTING ? ASSOC_FAILED : ASSOC_CLOSED;
        break;
    default:
        break;
    }
    if (to == a->state)
        return false;
    assoc_set_state(a, to);
    out->kind = ASSOC_STATE_CHANGED;
    out->state = to;
    return true;
}

static bool streams_reset(struct assoc *a, usec now, const struct sctp_stream_reset_event *e,
                          size_t len, struct assoc_item *out)
{
    size_t n = (len - sizeof *e) / sizeof(uint16_t);
    const uint16_t *sids = e->strreset_stream_list;
    if (e->strreset_flags & SCTP_STREAM_RESET_OUTGOING_SSN)
        assoc_note_reset_done(a, sids, n);
    if (!(e->strreset_flags & SCTP_STREAM_RESET_INCOMING_SSN) ||
        e->strreset_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED))
        return false;
    for (size_t i = 0; i < n; i++)
        drop_partial(a, sids[i]);
    assoc_note_reset_by_peer(a, now, sids, n);
    out->kind = ASSOC_STREAMS_RESET;
    out->streams = sids;
    out->n_streams = n;
    return true;
}

static bool notification(struct assoc *a, usec now, size_t n, struct assoc_item *out)
{
    const union sctp_notification *what = (const void *)read_buffer;
    if (n < sizeof what->sn_header || what->sn_header.sn_length > n)
        return false;
    size_t len = what->sn_header.sn_length;
    switch (what->sn_header.sn_type) {
    case SCTP_ASSOC_CHANGE:
        return len >= sizeof what->sn_assoc_change &&
               association_changed(a, &what->sn_assoc_change, out);
    case SCTP_STREAM_RESET_EVENT:
        return len >= sizeof what->sn_strreset_event &&
               streams_reset(a, now, &what->sn_strreset_event, len, out);
    case SCTP_PARTIAL_DELIVERY_EVENT:
        /* The peer gave up the rest of a message (RFC 3758). */
        if (len >= sizeof what->sn_pdapi_event)
            drop_partial(a, (uint16_t)what->sn_pdapi_event.pdapi_stream);
        return false;
    case SCTP_SENDER_DRY_EVENT:
        assoc_note_dry(a);
        return false;
    case SCTP_SEND_FAILED_EVENT:
        if (len >= sizeof what->sn_send_failed_event)
            assoc_note_given_up(a, what->sn_send_failed_event.ssfe_info.snd_sid,
                                what->sn_send_failed_event.ssfe_info.snd_context);
        return false;
    default:
        return false;
    }
}

bool assoc_read(struct assoc *a, usec now, struct assoc_item *out)
{
    if (a->finished) {
        drop_stream(a, a->finished);
        a->finished = NULL;
    }
    for (;;) {
        struct sctp_rcvinfo info;
        memset(&info, 0, sizeof info);
        socklen_t info_len = sizeof info;
        unsigned int info_type = SCTP_RECVV_NOINFO;
        struct sockaddr_conn from;
        socklen_t from_len = sizeof from;
        int flags = 0;
        ssize_t n =
            usrsctp_recvv(a->socket, read_buffer, sizeof read_buffer, (struct sockaddr *)&from,
                          &from_len, &info, &info_len, &info_type, &flags);
        if (n <= 0)
            return false;
        if (flags & MSG_NOTIFICATION) {
            if (notification(a, now, (size_t)n, out))
                return true;
        } else if (info_type == SCTP_RECVV_RCVINFO &&
                   piece(a, &info, read_buffer, (size_t)n, flags & MSG_EOR, out)) {
            return true;
        }
    }
}
