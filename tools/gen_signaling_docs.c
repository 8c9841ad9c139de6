/* Prints docs/signaling.md from the tables in proto/signaling.h. */
#include <stdio.h>

#include "proto/signaling.h"
#include "tools/docs_shapes.h"

static const char intro[] =
    "# Signaling\n"
    "\n"
    "<!-- Made by `make docs-gen` from proto/signaling.h; changes belong there. -->\n"
    "\n"
    "Clients speak to the controller over a WebSocket at `/ws`, in the framing of protoo\n"
    "(subprotocol `protoo`): each text message is one JSON object. mediasoup-client does the "
    "media\n"
    "side; the shapes here are what it takes and gives.\n"
    "\n"
    "A client sends **requests**, and gets one **response** with the same id:\n"
    "\n"
    "```json\n"
    "{\"request\":true,\"id\":1,\"method\":\"joinRoom\",\"data\":{\"roomId\":\"r\"}}\n"
    "{\"response\":true,\"id\":1,\"ok\":true,\"data\":{}}\n"
    "{\"response\":true,\"id\":1,\"ok\":false,\"errorCode\":400,\"errorReason\":\"roomId is "
    "missing, it must be a string of 1 to 64 bytes\"}\n"
    "```\n"
    "\n"
    "The service sends **notifications**, which are not answered:\n"
    "\n"
    "```json\n"
    "{\"notification\":true,\"method\":\"peerLeft\",\"data\":{}}\n"
    "```\n"
    "\n"
    "Keys that are not listed are ignored, and `null` counts as left out. A request that is\n"
    "unknown, malformed, too large, too frequent or not allowed gets an error whose reason names\n"
    "the field; the connection stays.\n"
    "\n";

static const struct docs_enum enums[] = {
    DOCS_ENUM(media_kind, MEDIA_KIND_MAP)                             //
    DOCS_ENUM(rtp_type, RTP_TYPE_MAP)                                 //
    DOCS_ENUM(rtp_direction, RTP_DIRECTION_MAP)                       //
    DOCS_ENUM(sig_role, SIG_ROLE_MAP)                                 //
    DOCS_ENUM(sig_chat_role, SIG_CHAT_ROLE_MAP)                       //
    DOCS_ENUM(param_protocol, PARAM_PROTOCOL_MAP)                     //
    DOCS_ENUM(param_ice_candidate_type, PARAM_ICE_CANDIDATE_TYPE_MAP) //
    DOCS_ENUM(param_ice_tcp_type, PARAM_ICE_TCP_TYPE_MAP)             //
    DOCS_ENUM(param_dtls_role, PARAM_DTLS_ROLE_MAP)                   //
    DOCS_ENUM(param_dtls_hash, PARAM_DTLS_HASH_MAP)                   //
};

int main(void)
{
    docs_init(enums, sizeof enums / sizeof enums[0]);
    for (int i = 0; i < SIG_METHOD_COUNT; i++) {
        docs_count(sig_methods[i].request);
        docs_count(sig_methods[i].answer);
    }
    for (int i = 0; i < SIG_EVENT_COUNT; i++)
        docs_count(sig_events[i].payload);
    printf("%s## Methods\n\n", intro);
    for (int i = 0; i < SIG_METHOD_COUNT; i++) {
        printf("### %s\n\n%s\n\n", sig_methods[i].name, sig_methods[i].doc);
        docs_payload("Request", sig_methods[i].request);
        if (sig_methods[i].answer)
            docs_payload("Response", sig_methods[i].answer);
    }
    printf("## Events\n\n");
    for (int i = 0; i < SIG_EVENT_COUNT; i++) {
        printf("### %s\n\n%s\n\n", sig_events[i].name, sig_events[i].doc);
        docs_payload("Data", sig_events[i].payload);
    }
    printf("## Types\n\n");
    docs_types();
    printf("## Enumerations\n\n");
    docs_enums();
    return ferror(stdout) ? 1 : 0;
}
