/* WebSocket frames as bytes (RFC 6455 section 5), the server's side: a bounded reader that puts
 * messages together, and the writer of headers. Pure, no IO. */
#ifndef WEIR_CONTROLLER_NET_FRAME_H
#define WEIR_CONTROLLER_NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

enum frame_op {
    FRAME_CONTINUATION = 0,
    FRAME_TEXT = 1,
    FRAME_BINARY = 2,
    FRAME_CLOSE = 8,
    FRAME_PING = 9,
    FRAME_PONG = 10
};

enum {
    FRAME_MAX_HEADER = 14,
    FRAME_MAX_CONTROL = 125 /* RFC 6455 5.5: control frames MUST have a payload of 125 or less */
};

/* 0 → accept, 1 → reject; state starts at UTF8_START and ends there when a sequence is whole. */
enum { UTF8_START = 0, UTF8_BAD = 255 };
uint8_t utf8_check(uint8_t state, const uint8_t *p, size_t n);

struct frame_reader {
    size_t max_message;
    uint8_t *message; /* owned */
    size_t n;
    size_t cap;
    uint8_t header[FRAME_MAX_HEADER];
    uint8_t header_n;
    uint8_t control[FRAME_MAX_CONTROL];
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

enum frame_event {
    FRAME_NONE,    /* more bytes are needed */
    FRAME_MESSAGE, /* data: the whole message, NUL behind it, valid until the next call */
    FRAME_CONTROL, /* op and data: a ping, pong or close */
    FRAME_ERROR    /* code: what to close with */
};

struct frame_out {
    enum frame_event event;
    enum frame_op op;
    struct slice data;
    int code;
};

void frame_reader_init(struct frame_reader *r, size_t max_message);
void frame_reader_fini(struct frame_reader *r);
/* Consumes a prefix of p and returns how many bytes; stops after each event. */
size_t frame_input(struct frame_reader *r, const uint8_t *p, size_t n, struct frame_out *out);

/* An unmasked header with FIN for n bytes of payload; returns its length, 2, 4 or 10. */
size_t frame_header(uint8_t out[FRAME_MAX_HEADER], enum frame_op op, size_t n);

/* RFC 6455 7.4: a code that a peer may send in a close frame. */
bool frame_close_code_ok(int code);

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key; false when the key is not 16 bytes of base64. out
 * needs 29 bytes. */
bool frame_accept_key(struct slice key, char out[29]);

#endif
