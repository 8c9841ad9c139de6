#include "proto/stun.h"

/* OpenSSL has a type of that name, which nothing here uses. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#undef ERR_STATE

enum { HMAC_SHA1_LEN = 20, FINGERPRINT_XOR = 0x5354554e, ATTR_HEADER_LEN = 4 };

/* RFC 8489 5: the class bits C1 and C0 are bits 8 and 4 of the type. */
static uint16_t type_of(enum stun_class class, uint16_t method)
{
    unsigned m = method;
    return (uint16_t)((m & 0xf) | (m & 0x70) << 1 | (m & 0xf80) << 2 | ((unsigned)class & 1) << 4 |
                      ((unsigned)class & 2) << 7);
}

static void split_type(uint16_t type, enum stun_class *class, uint16_t *method)
{
    unsigned t = type;
    *class = (enum stun_class)((t >> 4 & 1) | (t >> 7 & 2));
    *method = (uint16_t)((t & 0xf) | (t >> 1 & 0x70) | (t >> 2 & 0xf80));
}

/* ITU V.42, as zlib computes it (RFC 8489 14.7); four bits a step, messages are short. */
static uint32_t crc32_of(uint32_t crc, const uint8_t *p, size_t n)
{
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        crc = table[crc & 0xf] ^ crc >> 4;
        crc = table[crc & 0xf] ^ crc >> 4;
    }
    return ~crc;
}

/* RFC 8489 14.7: the length field that is summed counts the FINGERPRINT; `head` is the message up
 * to it. */
static uint32_t fingerprint_of(const uint8_t *head, size_t n)
{
    uint8_t start[4];
    memcpy(start, head, sizeof start);
    put_u16(start + 2, (uint16_t)(n - STUN_HEADER_LEN + ATTR_HEADER_LEN + 4));
    uint32_t crc = crc32_of(0, start, sizeof start);
    return crc32_of(crc, head + sizeof start, n - sizeof start) ^ FINGERPRINT_XOR;
}

/* RFC 8489 14.5: over the message before MESSAGE-INTEGRITY, with a length field that ends there. */
static bool integrity_of(const uint8_t *head, size_t n, struct slice key,
                         uint8_t out[HMAC_SHA1_LEN])
{
    uint8_t copy[STUN_MESSAGE_MAX];
    unsigned len = 0;
    if (n > sizeof copy || key.n > INT32_MAX)
        return false;
    memcpy(copy, head, n);
    put_u16(copy + 2, (uint16_t)(n - STUN_HEADER_LEN + ATTR_HEADER_LEN + HMAC_SHA1_LEN));
    return HMAC(EVP_sha1(), key.n ? key.p : copy, (int)key.n, copy, n, out, &len) != NULL &&
           len == HMAC_SHA1_LEN;
}

static bool read_address(struct slice value, const uint8_t tid[STUN_TID_LEN], bool xored,
                         struct addr *out)
{
    struct rd r = rd_slice(value);
    rd_skip(&r, 1);
    uint8_t family = rd_u8(&r);
    uint16_t port = rd_u16(&r);
    size_t n = family == 1 ? 4 : 16;
    struct slice ip = rd_bytes(&r, n);
    if (r.bad || rd_left(&r) != 0 || (family != 1 && family != 2))
        return false;
    *out = (struct addr){.family = family == 1 ? 4 : 6, .port = port};
    memcpy(out->ip, ip.p, n);
    if (xored) {
        uint8_t mask[16];
        put_u32(mask, STUN_MAGIC);
        memcpy(mask + 4, tid, STUN_TID_LEN);
        out->port ^= STUN_MAGIC >> 16;
        for (size_t i = 0; i < n; i++)
            out->ip[i] ^= mask[i];
    }
    return true;
}

static bool read_error(struct slice value, struct stun_msg *m)
{
    struct rd r = rd_slice(value);
    rd_skip(&r, 2);
    unsigned hundreds = rd_u8(&r) & 7u;
    unsigned rest = rd_u8(&r);
    if (r.bad || hundreds < 3 || hundreds > 6 || rest > 99)
        return false;
    m->error_code = (uint16_t)(hundreds * 100 + rest);
    m->reason = rd_bytes(&r, rd_left(&r));
    return true;
}

/* Only once for each attribute; later ones are ignored. */
static bool read_u32(struct slice value, bool *has, uint32_t *out)
{
    struct rd r = rd_slice(value);
    uint32_t v = rd_u32(&r);
    if (r.bad || rd_left(&r) != 0)
        return false;
    if (!*has)
        *out = v;
    *has = true;
    return true;
}

static bool read_role(struct slice value, bool *has, struct stun_msg *m)
{
    struct rd r = rd_slice(value);
    uint64_t v = rd_u64(&r);
    if (r.bad || rd_left(&r) != 0)
        return false;
    if (!m->controlling && !m->controlled)
        m->tie_breaker = v;
    *has = true;
    return true;
}

/* RFC 8489 6.3.1: an unknown type below 0x8000 must be understood, so the request is refused. */
static void note_unknown(struct stun_msg *m, uint16_t type)
{
    if (type < 0x8000 && m->n_unknown < STUN_UNKNOWN_MAX)
        m->unknown[m->n_unknown++] = type;
}

static bool read_attr(struct stun_msg *m, uint16_t type, struct slice value)
{
    struct addr plain;
    switch (type) {
    case STUN_USERNAME:
        if (m->username.p == NULL)
            m->username = value;
        return value.n <= STUN_USERNAME_MAX;
    case STUN_XOR_MAPPED_ADDRESS:
        return read_address(value, m->tid, true, &m->mapped);
    case STUN_MAPPED_ADDRESS:
        if (!read_address(value, m->tid, false, &plain))
            return false;
        if (m->mapped.family == 0)
            m->mapped = plain;
        return true;
    case STUN_ERROR_CODE:
        return read_error(value, m);
    case STUN_PRIORITY:
        return read_u32(value, &m->has_priority, &m->priority);
    case STUN_NOMINATION:
        return read_u32(value, &m->has_nomination, &m->nomination);
    case STUN_USE_CANDIDATE:
        m->use_candidate = true;
        return value.n == 0;
    case STUN_ICE_CONTROLLING:
        return read_role(value, &m->controlling, m);
    case STUN_ICE_CONTROLLED:
        return read_role(value, &m->controlled, m);
    case STUN_SOFTWARE:
        if (m->software.p == NULL)
            m->software = value;
        return true;
    case STUN_UNKNOWN_ATTRIBUTES:
    case STUN_REALM:
    case STUN_NONCE:
        return true;
    default:
        note_unknown(m, type);
        return true;
    }
}

static bool read_fingerprint(struct stun_msg *m, struct slice value, size_t at, bool last)
{
    struct rd r = rd_slice(value);
    uint32_t crc = rd_u32(&r);
    if (r.bad || rd_left(&r) != 0 || !last)
        return false;
    m->has_fingerprint = true;
    return crc == fingerprint_of(m->whole.p, at);
}

static enum err read_attrs(struct stun_msg *m, struct rd *r)
{
    while (rd_left(r) > 0) {
        size_t at = (size_t)(r->p - m->whole.p);
        uint16_t type = rd_u16(r);
        uint16_t n = rd_u16(r);
        struct slice value = rd_bytes(r, n);
        rd_skip(r, (4 - n % 4u) % 4);
        if (r->bad)
            return ERR_TRUNCATED;
        bool ok = true;
        if (type == STUN_FINGERPRINT) {
            ok = read_fingerprint(m, value, at, rd_left(r) == 0);
        } else if (m->integrity_at != 0) {
            continue; /* not protected, so not believed */
        } else if (type == STUN_MESSAGE_INTEGRITY) {
            m->integrity_at = (uint16_t)at;
            ok = n == HMAC_SHA1_LEN;
        } else {
            ok = read_attr(m, type, value);
        }
        if (!ok)
            return ERR_MALFORMED;
    }
    return OK;
}

enum err stun_parse(struct stun_msg *m, const void *data, size_t len)
{
    memset(m, 0, sizeof *m);
    if (len > STUN_MESSAGE_MAX)
        return ERR_TOO_LARGE;
    m->whole = slice_of(data, len);
    struct rd r = rd_of(data, len);
    uint16_t type = rd_u16(&r);
    uint16_t n = rd_u16(&r);
    uint32_t magic = rd_u32(&r);
    struct slice tid = rd_bytes(&r, STUN_TID_LEN);
    if (r.bad)
        return ERR_TRUNCATED;
    /* RFC 8489 5: the two top bits are zero, the length is a multiple of 4. */
    if ((type & 0xc000) != 0 || magic != STUN_MAGIC || n % 4 != 0)
        return ERR_MALFORMED;
    if (n != rd_left(&r))
        return n > rd_left(&r) ? ERR_TRUNCATED : ERR_MALFORMED;
    split_type(type, &m->class, &m->method);
    memcpy(m->tid, tid.p, STUN_TID_LEN);
    return read_attrs(m, &r);
}

enum err stun_check_integrity(const struct stun_msg *m, struct slice key)
{
    uint8_t mac[HMAC_SHA1_LEN];
    if (m->integrity_at == 0)
        return ERR_NOT_FOUND;
    if (!integrity_of(m->whole.p, m->integrity_at, key, mac))
        return ERR_CRYPTO;
    const uint8_t *theirs = m->whole.p + m->integrity_at + ATTR_HEADER_LEN;
    return CRYPTO_memcmp(mac, theirs, sizeof mac) == 0 ? OK : ERR_AUTH;
}

void stun_begin(struct wr *w, enum stun_class class, uint16_t method,
                const uint8_t tid[STUN_TID_LEN])
{
    wr_u16(w, type_of(class, method));
    wr_u16(w, 0);
    wr_u32(w, STUN_MAGIC);
    wr_bytes(w, tid, STUN_TID_LEN);
}

void stun_put_bytes(struct wr *w, enum stun_attr type, const void *value, size_t n)
{
    if (n > STUN_MESSAGE_MAX) {
        w->bad = true;
        return;
    }
    wr_u16(w, (uint16_t)type);
    wr_u16(w, (uint16_t)n);
    wr_bytes(w, value, n);
    wr_zeros(w, (4 - n % 4) % 4);
}

void stun_put_u32(struct wr *w, enum stun_attr type, uint32_t v)
{
    uint8_t b[4];
    put_u32(b, v);
    stun_put_bytes(w, type, b, sizeof b);
}

void stun_put_u64(struct wr *w, enum stun_attr type, uint64_t v)
{
    uint8_t b[8];
    put_u32(b, (uint32_t)(v >> 32));
    put_u32(b + 4, (uint32_t)v);
    stun_put_bytes(w, type, b, sizeof b);
}

void stun_put_address(struct wr *w, enum stun_attr type, const struct addr *a)
{
    uint8_t b[20] = {0};
    bool xored = type == STUN_XOR_MAPPED_ADDRESS;
    size_t n = a->family == 6 ? 16 : 4;
    if (a->family == 0 || w->bad || wr_len(w) < STUN_HEADER_LEN) {
        w->bad = true;
        return;
    }
    b[1] = a->family == 6 ? 2 : 1;
    put_u16(b + 2, xored ? (uint16_t)(a->port ^ STUN_MAGIC >> 16) : a->port);
    for (size_t i = 0; i < n; i++) /* the cookie and the transaction id, as they stand */
        b[4 + i] = xored ? a->ip[i] ^ w->start[4 + i] : a->ip[i];
    stun_put_bytes(w, type, b, 4 + n);
}

void stun_put_error(struct wr *w, uint16_t code, const char *reason)
{
    size_t n = strlen(reason);
    wr_u16(w, STUN_ERROR_CODE);
    wr_u16(w, (uint16_t)(4 + n));
    wr_u16(w, 0);
    wr_u8(w, (uint8_t)(code / 100));
    wr_u8(w, (uint8_t)(code % 100));
    wr_bytes(w, reason, n);
    wr_zeros(w, (4 - n % 4) % 4);
}

enum err stun_finish(struct wr *w, struct slice key)
{
    if (w->bad || wr_len(w) < STUN_HEADER_LEN)
        return ERR_TOO_LARGE;
    if (key.n > 0) {
        uint8_t mac[HMAC_SHA1_LEN];
        if (!integrity_of(w->start, wr_len(w), key, mac))
            return wr_len(w) > STUN_MESSAGE_MAX ? ERR_TOO_LARGE : ERR_CRYPTO;
        stun_put_bytes(w, STUN_MESSAGE_INTEGRITY, mac, sizeof mac);
    }
    stun_put_u32(w, STUN_FINGERPRINT, 0);
    if (w->bad || wr_len(w) > STUN_MESSAGE_MAX)
        return ERR_TOO_LARGE;
    put_u16(w->start + 2, (uint16_t)(wr_len(w) - STUN_HEADER_LEN));
    put_u32(w->p - 4, fingerprint_of(w->start, wr_len(w) - ATTR_HEADER_LEN - 4));
    return OK;
}

enum err stun_write_request(struct wr *w, const struct stun_request *q)
{
    stun_begin(w, STUN_REQUEST, STUN_BINDING, q->tid);
    stun_put_bytes(w, STUN_USERNAME, q->username.p, q->username.n);
    stun_put_u32(w, STUN_PRIORITY, q->priority);
    stun_put_u64(w, q->controlling ? STUN_ICE_CONTROLLING : STUN_ICE_CONTROLLED, q->tie_breaker);
    if (q->use_candidate)
        stun_put_bytes(w, STUN_USE_CANDIDATE, NULL, 0);
    if (q->nomination != 0)
        stun_put_u32(w, STUN_NOMINATION, q->nomination);
    return stun_finish(w, q->key);
}

enum err stun_write_success(struct wr *w, const struct stun_msg *request, const struct addr *mapped,
                            struct slice key)
{
    stun_begin(w, STUN_SUCCESS, request->method, request->tid);
    stun_put_address(w, STUN_XOR_MAPPED_ADDRESS, mapped);
    return stun_finish(w, key);
}

static const char *reason_of(uint16_t code)
{
    switch (code) {
    case STUN_CODE_BAD_REQUEST:
        return "Bad Request";
    case STUN_CODE_UNAUTHENTICATED:
        return "Unauthenticated";
    case STUN_CODE_UNKNOWN_ATTRIBUTE:
        return "Unknown Attribute";
    case STUN_CODE_ROLE_CONFLICT:
        return "Role Conflict";
    default:
        return "";
    }
}

enum err stun_write_error(struct wr *w, const struct stun_msg *request, uint16_t code,
                          struct slice key)
{
    stun_begin(w, STUN_ERROR, request->method, request->tid);
    stun_put_error(w, code, reason_of(code));
    if (code == STUN_CODE_UNKNOWN_ATTRIBUTE) {
        uint8_t list[2 * STUN_UNKNOWN_MAX];
        for (size_t i = 0; i < request->n_unknown; i++)
            put_u16(list + 2 * i, request->unknown[i]);
        stun_put_bytes(w, STUN_UNKNOWN_ATTRIBUTES, list, 2u * request->n_unknown);
    }
    return stun_finish(w, key);
}
