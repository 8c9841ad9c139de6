#include "controller/net/frame.h"

/* OpenSSL has a type of the same name as our error code. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/evp.h>
#undef ERR_STATE
#include <stdlib.h>
#include <string.h>

#include "controller/net/ws.h"

/* A byte-wise automaton. A state other than start holds how many continuation bytes are missing
 * (low two bits) and which range the next of them must be in. */
enum {
    U8_C1 = 1, /* one more, 80..BF */
    U8_C2 = 2,
    U8_C3 = 3,
    U8_E0 = 4, /* two more, the next A0..BF: no overlong forms */
    U8_ED = 5, /* two more, the next 80..9F: no surrogates */
    U8_F0 = 6, /* three more, the next 90..BF */
    U8_F4 = 7  /* three more, the next 80..8F: up to U+10FFFF */
};

static uint8_t utf8_lead(uint8_t c)
{
    if (c < 0x80)
        return UTF8_START;
    if (c >= 0xc2 && c <= 0xdf)
        return U8_C1;
    if (c == 0xe0)
        return U8_E0;
    if (c == 0xed)
        return U8_ED;
    if (c >= 0xe1 && c <= 0xef)
        return U8_C2;
    if (c == 0xf0)
        return U8_F0;
    if (c >= 0xf1 && c <= 0xf3)
        return U8_C3;
    return c == 0xf4 ? U8_F4 : UTF8_BAD;
}

static uint8_t utf8_next(uint8_t state, uint8_t c)
{
    static const struct {
        uint8_t lo, hi, then;
    } rules[] = {
        [U8_C1] = {0x80, 0xbf, UTF8_START}, [U8_C2] = {0x80, 0xbf, U8_C1},
        [U8_C3] = {0x80, 0xbf, U8_C2},      [U8_E0] = {0xa0, 0xbf, U8_C1},
        [U8_ED] = {0x80, 0x9f, U8_C1},      [U8_F0] = {0x90, 0xbf, U8_C2},
        [U8_F4] = {0x80, 0x8f, U8_C2},
    };
    return c >= rules[state].lo && c <= rules[state].hi ? rules[state].then : UTF8_BAD;
}

uint8_t utf8_check(uint8_t state, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n && state != UTF8_BAD; i++) {
        /* Runs of ASCII, eight bytes a step. */
        while (state == UTF8_START && n - i >= 8) {
            uint64_t w;
            memcpy(&w, p + i, 8);
            if (w & 0x8080808080808080U)
                break;
            i += 8;
        }
        if (i == n)
            break;
        state = state == UTF8_START ? utf8_lead(p[i]) : utf8_next(state, p[i]);
    }
    return state;
}

void ws_frame_reader_init(struct ws_frame_reader *r, size_t max_message)
{
    *r = (struct ws_frame_reader){.max_message = max_message};
}

void ws_frame_reader_fini(struct ws_frame_reader *r)
{
    free(r->message);
    r->message = NULL;
}

static void fail(struct ws_frame_out *out, int code)
{
    out->event = WS_FRAME_ERROR;
    out->code = code;
}

/* Bytes that the header has, as far as its first bytes tell; all client frames carry a mask. */
static uint8_t header_size(const struct ws_frame_reader *r)
{
    if (r->header_n < 2)
        return 2;
    uint8_t len = r->header[1] & 0x7f;
    return (uint8_t)(2 + (len == 126 ? 2 : len == 127 ? 8 : 0) + 4);
}

/* 0, or the code to close with. */
static int check_start(const struct ws_frame_reader *r)
{
    uint8_t op = r->header[0] & 0x0f;
    bool fin = r->header[0] & 0x80;
    if (r->header[0] & 0x70)
        return WS_CLOSE_PROTOCOL; /* no extension was negotiated */
    if (!(r->header[1] & 0x80))
        return WS_CLOSE_PROTOCOL; /* RFC 6455 5.1: a server MUST close on an unmasked frame */
    if (op >= 8) {
        if (op > WS_FRAME_PONG || !fin || (r->header[1] & 0x7f) > WS_FRAME_MAX_CONTROL)
            return WS_CLOSE_PROTOCOL;
        return 0;
    }
    if (op > WS_FRAME_BINARY)
        return WS_CLOSE_PROTOCOL;
    if ((op == WS_FRAME_CONTINUATION) != (r->message_op != 0))
        return WS_CLOSE_PROTOCOL;
    return 0;
}

static bool reserve(struct ws_frame_reader *r, size_t n)
{
    if (n + 1 <= r->cap)
        return true;
    size_t cap = r->cap ? r->cap : 1024;
    while (cap < n + 1)
        cap *= 2;
    uint8_t *p = realloc(r->message, cap);
    if (!p)
        return false;
    r->message = p;
    r->cap = cap;
    return true;
}

/* The header is whole. 0, or the code to close with. */
static int begin_frame(struct ws_frame_reader *r)
{
    struct rd rd = rd_of(r->header, r->header_n);
    uint8_t first = rd_u8(&rd);
    uint64_t len = rd_u8(&rd) & 0x7f;
    if (len == 126)
        len = rd_u16(&rd);
    else if (len == 127)
        len = rd_u64(&rd);
    memcpy(r->mask, r->header + r->header_n - 4, 4);
    r->op = first & 0x0f;
    r->fin = first & 0x80;
    r->left = len;
    r->mask_at = 0;
    r->in_payload = true;
    r->header_n = 0;
    r->control_n = 0;
    if (r->op >= 8)
        return 0;
    if (len > r->max_message || r->n + len > r->max_message)
        return WS_CLOSE_TOO_LARGE;
    if (r->op != WS_FRAME_CONTINUATION) {
        r->message_op = r->op;
        r->utf8 = UTF8_START;
        r->n = 0;
    }
    return 0;
}

static void unmask(struct ws_frame_reader *r, uint8_t *dst, const uint8_t *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = src[i] ^ r->mask[(r->mask_at + i) & 3];
    r->mask_at = (uint8_t)((r->mask_at + n) & 3);
}

static void end_frame(struct ws_frame_reader *r, struct ws_frame_out *out)
{
    r->in_payload = false;
    if (r->op >= 8) {
        out->event = WS_FRAME_CONTROL;
        out->op = (enum ws_frame_op)r->op;
        out->data = slice_of(r->control, r->control_n);
        return;
    }
    if (!r->fin)
        return;
    if (r->message_op == WS_FRAME_TEXT && r->utf8 != UTF8_START) {
        fail(out, WS_CLOSE_BAD_DATA);
        return;
    }
    if (!reserve(r, r->n)) {
        fail(out, WS_CLOSE_TRY_AGAIN_LATER);
        return;
    }
    r->message[r->n] = '\0';
    out->event = WS_FRAME_MESSAGE;
    out->op = (enum ws_frame_op)r->message_op;
    out->data = slice_of(r->message, r->n);
    r->message_op = 0;
    r->n = 0;
}

static void take_payload(struct ws_frame_reader *r, const uint8_t *p, size_t n,
                         struct ws_frame_out *out)
{
    if (r->op >= 8) {
        unmask(r, r->control + r->control_n, p, n);
        r->control_n = (uint8_t)(r->control_n + n);
        return;
    }
    if (!reserve(r, r->n + n)) {
        fail(out, WS_CLOSE_TRY_AGAIN_LATER);
        return;
    }
    unmask(r, r->message + r->n, p, n);
    if (r->message_op == WS_FRAME_TEXT)
        r->utf8 = utf8_check(r->utf8, r->message + r->n, n);
    r->n += n;
    if (r->utf8 == UTF8_BAD)
        fail(out, WS_CLOSE_BAD_DATA);
}

size_t ws_frame_input(struct ws_frame_reader *r, const uint8_t *p, size_t n,
                      struct ws_frame_out *out)
{
    *out = (struct ws_frame_out){.event = WS_FRAME_NONE};
    size_t i = 0;
    while (out->event == WS_FRAME_NONE) {
        if (!r->in_payload) {
            if (i == n)
                break;
            r->header[r->header_n++] = p[i++];
            int code = r->header_n == 2 ? check_start(r) : 0;
            if (code == 0 && r->header_n >= 2 && r->header_n == header_size(r))
                code = begin_frame(r);
            if (code != 0)
                fail(out, code);
        } else if (r->left > 0) {
            if (i == n)
                break;
            size_t take = r->left < n - i ? (size_t)r->left : n - i;
            take_payload(r, p + i, take, out);
            r->left -= take;
            i += take;
        }
        if (out->event == WS_FRAME_NONE && r->in_payload && r->left == 0)
            end_frame(r, out);
    }
    return i;
}

size_t ws_frame_header(uint8_t out[WS_FRAME_MAX_HEADER], enum ws_frame_op op, size_t n)
{
    struct wr w = wr_of(out, WS_FRAME_MAX_HEADER);
    wr_u8(&w, (uint8_t)(0x80 | op));
    if (n < 126) {
        wr_u8(&w, (uint8_t)n);
    } else if (n <= 0xffff) {
        wr_u8(&w, 126);
        wr_u16(&w, (uint16_t)n);
    } else {
        wr_u8(&w, 127);
        wr_u64(&w, n);
    }
    return wr_len(&w);
}

bool ws_frame_close_code_ok(int code)
{
    if (code >= 3000 && code <= 4999)
        return true;
    return code >= 1000 && code <= 1014 && code != 1004 && code != WS_CLOSE_NO_STATUS &&
           code != WS_CLOSE_ABNORMAL;
}

bool ws_frame_accept_key(struct slice key, char out[29])
{
    /* RFC 6455 1.3: the GUID that is appended to the key before it is hashed */
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t raw[18];
    if (key.n != 24 || key.p[22] != '=' || key.p[23] != '=' ||
        EVP_DecodeBlock(raw, key.p, (int)key.n) != 18)
        return false;
    uint8_t joined[24 + sizeof guid - 1];
    memcpy(joined, key.p, 24);
    memcpy(joined + 24, guid, sizeof guid - 1);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_n = 0;
    if (EVP_Digest(joined, sizeof joined, digest, &digest_n, EVP_sha1(), NULL) != 1)
        return false;
    return EVP_EncodeBlock((uint8_t *)out, digest, (int)digest_n) == 28;
}
