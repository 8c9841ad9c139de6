/* WebSocket frames as bytes (RFC 6455 section 5), the server's side: a bounded reader that puts
 * messages together, and the writer of headers. Pure, no IO. */
#ifndef WEIR_CONTROLLER_NET_FRAME_H
#define WEIR_CONTROLLER_NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

enum ws_frame_op {
    WS_FRAME_CONTINUATION = 0,
    WS_FRAME_TEXT = 1,
    WS_FRAME_BINARY = 2,
    WS_FRAME_CLOSE = 8,
    WS_FRAME_PING = 9,
    WS_FRAME_PONG = 10
};

enum {
    WS_FRAME_MAX_HEADER = 14,
    WS_FRAME_MAX_CONTROL = 125 /* RFC 6455 5.5: control frames MUST have a payload of 125 or less */
};

/* 0 → accept, 1 → reject; state starts at UTF8_START and ends there when a sequence is whole. */
enum { UTF8_START = 0, UTF8_BAD = 255 };
uint8_t utf8_check(uint8_t state, const uint8_t *p, size_t n);

struct ws_frame_reader {
    size_t max_message;
    uint8_t *message; /* owned */
    size_t n;
    size_t cap;
    uint8_t header[WS_FRAME_MAX_HEADER];
    uint8_t header_n;
    uint8_t control[WS_FRAME_MAX_CONTROL];
    uint8_t control_n;
    uint64_t left; /* of this frame's payload */
    uint8_t mask[4];
    uint8_t mask_at;
    uint8_t op;         /* of this frame */
    uint8_t message_op; /* of the message under way; 0: none */
    bool fin;
    bool in_payload;
    uint8_t utf8;
};

enum ws_frame_event {
    WS_FRAME_NONE,    /* more bytes are needed */
    WS_FRAME_MESSAGE, /* data: the whole message, NUL behind it, valid until the next call */
    WS_FRAME_CONTROL, /* op and data: a ping, pong or close */
    WS_FRAME_ERROR    /* code: what to close with */
};

struct ws_frame_out {
    enum ws_frame_event event;
    enum ws_frame_op op;
    struct slice data;
    int code;
};

void ws_frame_reader_init(struct ws_frame_reader *r, size_t max_message);
void ws_frame_reader_fini(struct ws_frame_reader *r);
/* Consumes a prefix of p and returns how many bytes; stops after each event. */
size_t ws_frame_input(struct ws_frame_reader *r, const uint8_t *p, size_t n,
                      struct ws_frame_out *out);

/* An unmasked header with FIN for n bytes of payload; returns its length, 2, 4 or 10. */
size_t ws_frame_header(uint8_t out[WS_FRAME_MAX_HEADER], enum ws_frame_op op, size_t n);

/* RFC 6455 7.4: a code that a peer may send in a close frame. */
bool ws_frame_close_code_ok(int code);

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key; false when the key is not 16 bytes of base64. out
 * needs 29 bytes. */
bool ws_frame_accept_key(struct slice key, char out[29]);

#endif
