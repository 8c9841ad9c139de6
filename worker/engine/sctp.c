#include "worker/engine/sctp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/engine/sctp_assoc.h"

enum {
    SCTP_HEADER_LEN = 12,
    /* usrsctp takes a message whole or not at all: its buffer must hold the largest, and something
     * besides so that the line does not idle between two. */
    SEND_AHEAD = 128 * 1024,
    /* A message larger than this is read in pieces. */
    PARTIAL_DELIVERY_POINT = 64 * 1024,
    /* RFC 9260 16 has 1 s, 1 s, 60 s; data channels want shorter. RTO_MIN stays above the 200 ms
     * that peers may hold an acknowledgement back. */
    RTO_INITIAL_MS = 500,
    RTO_MIN_MS = 300,
    RTO_MAX_MS = 10 * 1000,
    SACK_DELAY_MS = 20,
    INIT_ATTEMPTS = 10,
    COOKIE_LIFE_MS = 60 * 1000
};

void assoc_set_state(struct assoc *a, enum assoc_state to)
{
    static const uint8_t LEGAL[ASSOC_STATE_COUNT] = {
        [ASSOC_NEW] = 1 << ASSOC_CONNECTING | 1 << ASSOC_CLOSED,
        [ASSOC_CONNECTING] = 1 << ASSOC_CONNECTED | 1 << ASSOC_FAILED | 1 << ASSOC_CLOSED,
        [ASSOC_CONNECTED] = 1 << ASSOC_CLOSED,
        [ASSOC_FAILED] = 0,
        [ASSOC_CLOSED] = 0,
    };
    assert(LEGAL[a->state] >> to & 1);
    a->state = to;
}

static bool set_option(struct assoc *a, int option, const void *value, size_t n)
{
    return usrsctp_setsockopt(a->socket, IPPROTO_SCTP, option, value, (socklen_t)n) == 0;
}

static bool set_events(struct assoc *a)
{
    static const uint16_t TYPES[] = {SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT,
                                     SCTP_PARTIAL_DELIVERY_EVENT, SCTP_SENDER_DRY_EVENT,
                                     SCTP_SEND_FAILED_EVENT};
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        struct sctp_event e = {.se_assoc_id = SCTP_FUTURE_ASSOC, .se_type = TYPES[i], .se_on = 1};
        if (!set_option(a, SCTP_EVENT, &e, sizeof e))
            return false;
    }
    return true;
}

static bool set_sizes(struct assoc *a)
{
    const struct assoc_config *c = &a->config;
    int send = (int)(c->max_send_message + SEND_AHEAD);
    int receive = (int)c->receive_buffer;
    uint32_t partial = PARTIAL_DELIVERY_POINT;
    return usrsctp_setsockopt(a->socket, SOL_SOCKET, SO_SNDBUF, &send, sizeof send) == 0 &&
           usrsctp_setsockopt(a->socket, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive) == 0 &&
           set_option(a, SCTP_PARTIAL_DELIVERY_POINT, &partial, sizeof partial);
}

static bool set_protocol(struct assoc *a)
{
    const struct linger no_linger = {.l_onoff = 1, .l_linger = 0}; /* close means ABORT */
    const int on = 1;
    const uint16_t first = a->config.streams_at_first;
    const uint16_t out = a->config.out_streams;
    const struct sctp_initmsg init = {.sinit_num_ostreams = first > 0 && first < out ? first : out,
                                      .sinit_max_instreams = a->config.in_streams,
                                      .sinit_max_attempts = INIT_ATTEMPTS};
    const struct sctp_rtoinfo rto = {
        .srto_initial = RTO_INITIAL_MS, .srto_max = RTO_MAX_MS, .srto_min = RTO_MIN_MS};
    const struct sctp_assocparams life = {.sasoc_cookie_life = COOKIE_LIFE_MS};
    const struct sctp_sack_info sack = {.sack_delay = SACK_DELAY_MS, .sack_freq = 2};
    const struct sctp_assoc_value reset = {.assoc_id = SCTP_ALL_ASSOC,
                                           .assoc_value = SCTP_ENABLE_RESET_STREAM_REQ |
                                                          SCTP_ENABLE_CHANGE_ASSOC_REQ};
    return usrsctp_setsockopt(a->socket, SOL_SOCKET, SO_LINGER, &no_linger, sizeof no_linger) ==
               0 &&
           set_option(a, SCTP_NODELAY, &on, sizeof on) &&
           set_option(a, SCTP_RECVRCVINFO, &on, sizeof on) &&
           set_option(a, SCTP_INITMSG, &init, sizeof init) &&
           set_option(a, SCTP_RTOINFO, &rto, sizeof rto) &&
           set_option(a, SCTP_ASSOCINFO, &life, sizeof life) &&
           set_option(a, SCTP_DELAYED_SACK, &sack, sizeof sack) &&
           set_option(a, SCTP_ENABLE_STREAM_RESET, &reset, sizeof reset);
}

static struct sockaddr_conn address(const struct assoc *a)
{
    struct sockaddr_conn s;
    memset(&s, 0, sizeof s);
    s.sconn_family = AF_CONN;
    put_u16((uint8_t *)&s.sconn_port, a->config.port);
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    s.sconn_addr = (void *)a->id;
    return s;
}

static enum err open_socket(struct assoc *a)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    void *id = (void *)a->id;
    a->socket = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, NULL, NULL, 0, NULL);
    if (!a->socket)
        return errno == ENOBUFS || errno == ENOMEM ? ERR_NOMEM : ERR_IO;
    struct sockaddr_conn at = address(a);
    if (usrsctp_set_non_blocking(a->socket, 1) != 0 ||
        usrsctp_set_upcall(a->socket, assocs_upcall, id) != 0 || !set_protocol(a) ||
        !set_sizes(a) || !set_events(a) ||
        usrsctp_bind(a->socket, (struct sockaddr *)&at, sizeof at) != 0)
        return ERR_IO;
    return OK;
}

enum err assoc_open(struct assoc **out, usec now, const struct assoc_config *config)
{
    if (config->out_streams == 0 || config->in_streams == 0 || config->port == 0)
        return ERR_RANGE;
    struct assoc *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->config = *config;
    if (a->config.max_send_message > ASSOC_MESSAGE_MAX)
        a->config.max_send_message = ASSOC_MESSAGE_MAX;
    if (a->config.max_receive_message > ASSOC_MESSAGE_MAX)
        a->config.max_receive_message = ASSOC_MESSAGE_MAX;
    if (a->config.receive_buffer > ASSOC_MESSAGE_MAX)
        a->config.receive_buffer = ASSOC_MESSAGE_MAX;
    if (a->config.receive_buffer < 2 * PARTIAL_DELIVERY_POINT)
        a->config.receive_buffer = 2 * PARTIAL_DELIVERY_POINT;
    list_init(&a->active);
    enum err e = assocs_add(a, now);
    if (e == OK)
        e = open_socket(a);
    if (e != OK) {
        assoc_close(a);
        return e;
    }
    *out = a;
    return OK;
}

static void close_socket(struct assoc *a)
{
    if (!a->socket)
        return;
    usrsctp_set_upcall(a->socket, NULL, NULL);
    usrsctp_close(a->socket);
    a->socket = NULL;
}

void assoc_close(struct assoc *a)
{
    if (!a)
        return;
    close_socket(a);
    assocs_remove(a);
    assoc_drop_out(a);
    assoc_drop_in(a);
    packets_fini(&a->packets);
    free(a);
}

/* Heartbeats off, as ICE knows whether the peer is there; no search for a larger MTU. */
static bool set_path(struct assoc *a)
{
    struct sockaddr_conn at = address(a);
    struct sctp_paddrparams path;
    memset(&path, 0, sizeof path);
    memcpy(&path.spp_address, &at, sizeof at);
    path.spp_flags = SPP_PMTUD_DISABLE | SPP_HB_DISABLE;
    /* Without the common header. */
    path.spp_pathmtu = ASSOC_PACKET_MAX - SCTP_HEADER_LEN;
    return set_option(a, SCTP_PEER_ADDR_PARAMS, &path, sizeof path);
}

enum err assoc_connect(struct assoc *a)
{
    if (a->state != ASSOC_NEW)
        return ERR_STATE;
    struct sockaddr_conn at = address(a);
    if (usrsctp_connect(a->socket, (struct sockaddr *)&at, sizeof at) != 0 && errno != EINPROGRESS)
        return errno == ENOBUFS || errno == ENOMEM ? ERR_NOMEM : ERR_IO;
    if (!set_path(a))
        return ERR_IO;
    assoc_set_state(a, ASSOC_CONNECTING);
    a->state_due = true;
    return OK;
}

void assoc_input(struct assoc *a, usec now, struct slice packet)
{
    if (a->state != ASSOC_CONNECTING && a->state != ASSOC_CONNECTED)
        return;
    if (packet.n < SCTP_HEADER_LEN)
        return;
    streams_input(a, packet);
    assoc_pump(a, now);
}

bool assoc_poll(struct assoc *a, usec now, struct assoc_item *out)
{
    memset(out, 0, sizeof *out);
    if (a->state_due) {
        a->state_due = false;
        out->kind = ASSOC_STATE_CHANGED;
        out->state = ASSOC_CONNECTING;
        return true;
    }
    if (packets_pop(&a->packets, &out->bytes)) {
        out->kind = ASSOC_PACKET;
        return true;
    }
    if (a->socket && assoc_read(a, now, out)) {
        if (a->state == ASSOC_FAILED || a->state == ASSOC_CLOSED) {
            close_socket(a);
            assoc_drop_out(a);
            assoc_drop_in(a);
        }
        return true;
    }
    if (assoc_next_low(a, out))
        return true;
    /* Reading may have made packets: acknowledgements with a wider window. */
    if (packets_pop(&a->packets, &out->bytes)) {
        out->kind = ASSOC_PACKET;
        return true;
    }
    list_remove(&a->in_ready);
    return false;
}

void assoc_abort(struct assoc *a)
{
    if (a->state == ASSOC_FAILED || a->state == ASSOC_CLOSED)
        return;
    close_socket(a);
    assoc_drop_out(a);
    assoc_drop_in(a);
    a->state_due = false;
    assoc_set_state(a, ASSOC_CLOSED);
}

void *assoc_owner(const struct assoc *a)
{
    return a->config.owner;
}

enum assoc_state assoc_get_state(const struct assoc *a)
{
    return a->state;
}

const struct assoc_stats *assoc_get_stats(const struct assoc *a)
{
    return &a->stats;
}

uint16_t assoc_out_streams(const struct assoc *a)
{
    return a->n_out;
}

uint16_t assoc_in_streams(const struct assoc *a)
{
    return a->n_in;
}
