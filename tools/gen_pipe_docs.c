/* Prints docs/pipe-protocol.md from the tables in proto/pipe.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/frame.h"
#include "proto/pipe.h"
#include "proto/rtp_ext.h"
#include "tools/docs_shapes.h"

static const char intro[] =
    "# Pipe protocol\n"
    "\n"
    "<!-- Made by `make docs-gen` from proto/pipe.h; changes belong there. -->\n"
    "\n"
    "The controller and each media worker speak over a pair of pipes: the worker reads what the\n"
    "controller says from file descriptor 3, and writes what it says itself to file descriptor 4.\n"
    "The vocabulary is that of mediasoup's channel, in JSON: the same methods, the same fields in\n"
    "camelCase, the same split of work. The controller negotiates capabilities and makes all ids;\n"
    "the worker forwards. Weir adds `worker.ping`, `worker.getMetrics` and the `worker` kind of\n"
    "listening.\n"
    "\n"
    "## Frames\n"
    "\n"
    "A frame is a 32-bit little-endian length and then that many bytes of UTF-8: one JSON object.\n"
    "A length of 0 or above %d ends the connection, as the stream cannot be read on.\n"
    "\n"
    "## Messages\n"
    "\n"
    "There are three shapes. A key that is not listed is ignored, a key that stands twice is an\n"
    "error, `null` counts as left out, and 90000.0 counts as an integer.\n"
    "\n"
    "A **request** goes from the controller to the worker. `handlerId` names what it is for, and\n"
    "is left out, or empty, for the worker itself. `id` is a 32-bit number of the controller's\n"
    "choice:\n"
    "\n"
    "```json\n"
    "{\"id\":7,\"method\":\"transport.produce\",\"handlerId\":\"<transport id>\",\"data\":{}}\n"
    "```\n"
    "\n"
    "Every request gets one **response** with its id, in the order of the requests:\n"
    "\n"
    "```json\n"
    "{\"id\":7,\"accepted\":true,\"data\":{}}\n"
    "{\"id\":7,\"error\":\"TypeError\",\"reason\":\"rtpParameters.codecs[1].clockRate must be an "
    "integer from 1 to 1000000\"}\n"
    "```\n"
    "\n"
    "A **notification** goes either way and is not answered. Here the notifications of the worker\n"
    "are called events and those of the controller commands:\n"
    "\n"
    "```json\n"
    "{\"event\":\"producer.score\",\"handlerId\":\"<producer id>\",\"data\":{}}\n"
    "```\n"
    "\n"
    "The first message is the event `worker.running`. It carries the version of this protocol,\n"
    "%d; the controller does not use a worker with another one.\n"
    "\n"
    "## Errors\n"
    "\n"
    "A request that is refused changes nothing. The reason names the field and says what it must\n"
    "be.\n"
    "\n"
    "| Error | When |\n"
    "|---|---|\n"
    "| `TypeError` | A field is missing or has the wrong type, or the method is unknown. |\n"
    "| `RangeError` | A field is out of its bounds. |\n"
    "| `NotFound` | `handlerId` or an id in the data names nothing. |\n"
    "| `AlreadyExists` | An id, an SSRC, a MID or an RID is taken. |\n"
    "| `InvalidStateError` | It is not possible now, such as connecting twice. |\n"
    "| `UnsupportedError` | It is valid, but not supported. |\n"
    "| `Busy` | An address and port is in use. |\n"
    "| `Full` | A bound is reached. |\n"
    "| `OutOfMemory` | There is no memory for it. |\n"
    "\n"
    "Each side bounds what it queues for the other. A worker whose pipe stays full, or that does\n"
    "not answer `worker.ping` in time, is killed and replaced.\n"
    "\n"
    "Binary data (RTP, RTCP and data-channel messages) is a string in base64, with padding.\n"
    "Optional fields that are absent are left out. Ids have 1 to %d bytes. Integers without an\n"
    "upper bound of their own stay below 2^53.\n"
    "\n"
    "## Contents\n"
    "\n";

static const struct docs_enum enums[] = {
    DOCS_ENUM(media_kind, MEDIA_KIND_MAP)                             //
    DOCS_ENUM(rtp_type, RTP_TYPE_MAP)                                 //
    DOCS_ENUM(rtp_stat_type, RTP_STAT_TYPE_MAP)                       //
    DOCS_ENUM(trace_direction, TRACE_DIRECTION_MAP)                   //
    DOCS_ENUM(producer_trace_type, PRODUCER_TRACE_TYPE_MAP)           //
    DOCS_ENUM(consumer_trace_type, CONSUMER_TRACE_TYPE_MAP)           //
    DOCS_ENUM(transport_trace_type, TRANSPORT_TRACE_TYPE_MAP)         //
    DOCS_ENUM(bwe_type, BWE_TYPE_MAP)                                 //
    DOCS_ENUM(transport_type, TRANSPORT_TYPE_MAP)                     //
    DOCS_ENUM(transport_stat_type, TRANSPORT_STAT_TYPE_MAP)           //
    DOCS_ENUM(webrtc_listen_type, WEBRTC_LISTEN_TYPE_MAP)             //
    DOCS_ENUM(param_protocol, PARAM_PROTOCOL_MAP)                     //
    DOCS_ENUM(param_ice_role, PARAM_ICE_ROLE_MAP)                     //
    DOCS_ENUM(param_ice_state, PARAM_ICE_STATE_MAP)                   //
    DOCS_ENUM(param_ice_candidate_type, PARAM_ICE_CANDIDATE_TYPE_MAP) //
    DOCS_ENUM(param_ice_tcp_type, PARAM_ICE_TCP_TYPE_MAP)             //
    DOCS_ENUM(param_dtls_role, PARAM_DTLS_ROLE_MAP)                   //
    DOCS_ENUM(param_dtls_state, PARAM_DTLS_STATE_MAP)                 //
    DOCS_ENUM(param_dtls_hash, PARAM_DTLS_HASH_MAP)                   //
    DOCS_ENUM(param_srtp_suite, PARAM_SRTP_SUITE_MAP)                 //
    DOCS_ENUM(param_sctp_state, PARAM_SCTP_STATE_MAP)                 //
    DOCS_ENUM(data_type, DATA_TYPE_MAP)                               //
    DOCS_ENUM(worker_log_level, WORKER_LOG_LEVEL_MAP)                 //
};

#define HANDLER_DOC(id, text, doc) doc,
static const char *const handler_docs[] = {PIPE_HANDLER_MAP(HANDLER_DOC)};

static void count_all(void)
{
    for (int i = 0; i < PIPE_METHOD_COUNT; i++) {
        docs_count(pipe_methods[i].request);
        docs_count(pipe_methods[i].response);
    }
    for (int i = 0; i < PIPE_EVENT_COUNT; i++)
        docs_count(pipe_events[i].payload);
    for (int i = 0; i < PIPE_COMMAND_COUNT; i++)
        docs_count(pipe_commands[i].payload);
}

static void notifications(const struct pipe_event_row *rows, int n, int handler, const char *what)
{
    for (int i = 0; i < n; i++) {
        if ((int)rows[i].handler != handler)
            continue;
        printf("### %s (%s)\n\n%s\n\n", rows[i].name, what, rows[i].doc);
        docs_payload("Data", rows[i].payload);
    }
}

static void handler(int h)
{
    printf("## Handler: %s\n\n%s\n\n", pipe_handler_names[h], handler_docs[h]);
    for (int i = 0; i < PIPE_METHOD_COUNT; i++) {
        if ((int)pipe_methods[i].handler != h)
            continue;
        printf("### %s\n\n%s\n\n", pipe_methods[i].name, pipe_methods[i].doc);
        docs_payload("Request", pipe_methods[i].request);
        docs_payload("Response", pipe_methods[i].response);
    }
    notifications(pipe_commands, PIPE_COMMAND_COUNT, h, "command");
    notifications(pipe_events, PIPE_EVENT_COUNT, h, "event");
}

static void contents(int h)
{
    printf("- [%s](#handler-", pipe_handler_names[h]);
    for (const char *p = pipe_handler_names[h]; *p; p++)
        putchar(tolower((unsigned char)*p));
    printf(")\n");
}

static void header_extensions(void)
{
    printf("## Header extensions\n\nThese URIs are understood in `headerExtensions`; others are "
           "ignored.\n\n");
    for (int i = 0; i < RTP_EXT_KIND_COUNT; i++)
        printf("- `%s`\n", rtp_ext_uri((enum rtp_ext_kind)i));
    printf("\n");
}

int main(void)
{
    docs_init(enums, sizeof enums / sizeof enums[0]);
    count_all();
    printf(intro, FRAME_MAX, PIPE_PROTOCOL_VERSION, ID_MAX);
    for (int h = 0; pipe_handler_names[h]; h++)
        contents(h);
    printf("- [Types](#types)\n- [Enumerations](#enumerations)\n"
           "- [Header extensions](#header-extensions)\n\n");
    for (int h = 0; pipe_handler_names[h]; h++)
        handler(h);
    printf("## Types\n\n");
    docs_types();
    printf("## Enumerations\n\n");
    docs_enums();
    header_extensions();
    return ferror(stdout) ? 1 : 0;
}
