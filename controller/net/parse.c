#include "controller/net/parse.h"

#include <string.h>
#include <strings.h>

static const char *const method_names[] = {
#define X(id, name) name,
    HTTP_METHODS(X)
#undef X
};

const char *http_method_name(enum http_method m)
{
    return m < HTTP_METHOD_COUNT ? method_names[m] : "";
}

/* RFC 9110 5.6.2: tchar */
static bool is_tchar(uint8_t c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_ows(uint8_t c)
{
    return c == ' ' || c == '\t';
}

bool slice_is_nocase(struct slice s, const char *text)
{
    return strlen(text) == s.n && strncasecmp((const char *)s.p, text, s.n) == 0;
}

static bool slice_is(struct slice s, const char *text)
{
    return strlen(text) == s.n && memcmp(s.p, text, s.n) == 0;
}

static struct slice trim(struct slice s)
{
    while (s.n > 0 && is_ows(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_ows(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool list_has_token(struct slice list, const char *token)
{
    while (list.n > 0) {
        const uint8_t *comma = memchr(list.p, ',', list.n);
        size_t n = comma ? (size_t)(comma - list.p) : list.n;
        if (slice_is_nocase(trim(slice_of(list.p, n)), token))
            return true;
        if (!comma)
            break;
        list.p += n + 1;
        list.n -= n + 1;
    }
    return false;
}

struct slice head_field(const struct http_head *h, const char *name)
{
    for (size_t i = 0; i < h->n_fields; i++) {
        if (slice_is_nocase(h->fields[i].name, name))
            return h->fields[i].value;
    }
    return (struct slice){0};
}

/* RFC 9112 3.2.2: a server MUST accept the absolute-form. "http://host/path" → authority, "/path".
 */
static bool split_absolute(struct http_head *out)
{
    struct slice t = out->target;
    size_t scheme = 0;
    if (t.n > 7 && strncasecmp((const char *)t.p, "http://", 7) == 0)
        scheme = 7;
    else if (t.n > 8 && strncasecmp((const char *)t.p, "https://", 8) == 0)
        scheme = 8;
    else
        return false;
    size_t i = scheme;
    while (i < t.n && t.p[i] != '/' && t.p[i] != '?')
        i++;
    if (i == scheme)
        return false;
    out->authority = slice_of(t.p + scheme, i - scheme);
    if (i == t.n)
        out->target = slice_of("/", 1);
    else if (t.p[i] == '?')
        return false; /* "http://host?x": has no path, and nothing sends it */
    else
        out->target = slice_of(t.p + i, t.n - i);
    return true;
}

/* 0, or the status to refuse with. */
static int parse_request_line(struct slice line, struct http_head *out)
{
    size_t m = 0;
    while (m < line.n && is_tchar(line.p[m]))
        m++;
    if (m == 0 || m == line.n || line.p[m] != ' ')
        return 400;
    struct slice method = slice_of(line.p, m);
    size_t t = m + 1;
    size_t end = t;
    while (end < line.n && line.p[end] > ' ' && line.p[end] < 0x7f)
        end++;
    if (end == t || end == line.n || line.p[end] != ' ')
        return 400;
    out->target = slice_of(line.p + t, end - t);
    struct slice version = slice_of(line.p + end + 1, line.n - end - 1);
    if (version.n != 8 || memcmp(version.p, "HTTP/", 5) != 0 || version.p[6] != '.' ||
        version.p[5] < '0' || version.p[5] > '9' || version.p[7] < '0' || version.p[7] > '9')
        return 400;
    if (version.p[5] != '1')
        return 505;
    out->minor = version.p[7] == '0' ? 0 : 1;
    if (out->target.n > HTTP_MAX_TARGET)
        return 414;

    out->method = HTTP_METHOD_COUNT;
    for (int i = 0; i < HTTP_METHOD_COUNT; i++) {
        if (slice_is(method, method_names[i]))
            out->method = (enum http_method)i;
    }
    if (out->method == HTTP_METHOD_COUNT)
        return 501;
    if (out->target.p[0] == '/')
        return 0;
    if (out->method == HTTP_OPTIONS && slice_is(out->target, "*"))
        return 0;
    return split_absolute(out) ? 0 : 400;
}

static int parse_field_line(struct slice line, struct http_field *out)
{
    size_t n = 0;
    while (n < line.n && is_tchar(line.p[n]))
        n++;
    if (n == 0 || n == line.n || line.p[n] != ':')
        return 400;
    out->name = slice_of(line.p, n);
    out->value = trim(slice_of(line.p + n + 1, line.n - n - 1));
    for (size_t i = 0; i < out->value.n; i++) {
        uint8_t c = out->value.p[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return 400;
    }
    return 0;
}

/* RFC 9112 6.3: Content-Length is digits, once; anything else is an attack or a broken client. */
static int parse_length(struct slice v, struct http_head *out)
{
    if (out->has_length || v.n == 0 || v.n > 18)
        return 400;
    uint64_t n = 0;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return 400;
        n = n * 10 + (uint64_t)(v.p[i] - '0');
    }
    out->has_length = true;
    out->length = n;
    return 0;
}

struct meaning { /* what several fields say together */
    bool host;
    bool close;
    bool keep_alive;
    bool upgrade;
    bool websocket;
};

static int take_meaning(const struct http_field *f, struct http_head *out, struct meaning *m)
{
    if (slice_is_nocase(f->name, "host")) {
        if (m->host)
            return 400;
        m->host = true;
        if (!out->authority.p)
            out->authority = f->value;
    } else if (slice_is_nocase(f->name, "content-length")) {
        return parse_length(f->value, out);
    } else if (slice_is_nocase(f->name, "transfer-encoding")) {
        if (out->chunked || out->minor == 0)
            return 400;
        if (!slice_is_nocase(f->value, "chunked"))
            return 501;
        out->chunked = true;
    } else if (slice_is_nocase(f->name, "connection")) {
        m->close = m->close || list_has_token(f->value, "close");
        m->keep_alive = m->keep_alive || list_has_token(f->value, "keep-alive");
        m->upgrade = m->upgrade || list_has_token(f->value, "upgrade");
    } else if (slice_is_nocase(f->name, "upgrade")) {
        m->websocket = m->websocket || list_has_token(f->value, "websocket");
    } else if (slice_is_nocase(f->name, "expect")) {
        if (!slice_is_nocase(f->value, "100-continue"))
            return 417;
        out->expect_continue = out->minor > 0;
    }
    return 0;
}

/* p..end: the lines after the request line, each with its CRLF, without the empty one. */
static int parse_fields(const uint8_t *p, const uint8_t *end, struct http_head *out)
{
    if (end - p > HTTP_MAX_HEADERS)
        return 431;
    struct meaning m = {0};
    while (p < end) {
        const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
        if (!lf || lf == p || lf[-1] != '\r')
            return 400;
        if (out->n_fields == PARSE_MAX_FIELDS)
            return 431;
        struct http_field *f = &out->fields[out->n_fields];
        int status = parse_field_line(slice_of(p, (size_t)(lf - 1 - p)), f);
        if (status == 0)
            status = take_meaning(f, out, &m);
        if (status != 0)
            return status;
        out->n_fields++;
        p = lf + 1;
    }
    if (!m.host && out->minor > 0)
        return 400; /* RFC 9112 3.2: MUST respond with 400 to a 1.1 request that lacks Host */
    if (out->chunked && out->has_length)
        return 400;
    out->keep_alive = !m.close && (out->minor > 0 || m.keep_alive);
    out->upgrade_websocket = m.upgrade && m.websocket && out->minor > 0;
    return 0;
}

/* Where the head ends (behind its empty line), or NULL. A bare LF also ends the search, so that it
 * is refused at once rather than waited out. */
static const uint8_t *find_end(const uint8_t *p, size_t n, size_t *scanned)
{
    size_t from = *scanned > 3 ? *scanned - 3 : 0;
    const uint8_t *at = n > from ? memmem(p + from, n - from, "\r\n\r\n", 4) : NULL;
    *scanned = n;
    return at ? at + 4 : NULL;
}

/* An early verdict on a head that is not whole yet. */
static int judge_partial(const uint8_t *p, size_t n)
{
    const uint8_t *lf = memchr(p, '\n', n);
    size_t line = lf ? (size_t)(lf - p) : n;
    if (lf && (lf == p || lf[-1] != '\r'))
        return 400;
    if (line > HTTP_MAX_TARGET + 32)
        return 414;
    if (n - line > HTTP_MAX_HEADERS)
        return 431;
    if (n > 0 && !is_tchar(p[0]))
        return 400; /* for example a TLS hello on a plain port */
    return 0;
}

enum parse_result parse_head(const uint8_t *p, size_t n, size_t *scanned, struct http_head *out,
                             size_t *used, int *status)
{
    /* RFC 9112 2.2: a server SHOULD ignore at least one empty line before the request line. */
    size_t skip = 0;
    while (skip < 4 && n - skip >= 2 && p[skip] == '\r' && p[skip + 1] == '\n')
        skip += 2;
    if (n == skip || (n - skip == 1 && p[skip] == '\r' && skip < 4))
        return PARSE_MORE;
    if (*scanned < skip)
        *scanned = skip;
    size_t seen = *scanned - skip;
    const uint8_t *start = p + skip;
    const uint8_t *end = find_end(start, n - skip, &seen);
    *scanned = seen + skip;
    if (!end) {
        *status = judge_partial(start, n - skip);
        return *status == 0 ? PARSE_MORE : PARSE_BAD;
    }

    out->n_fields = 0;
    out->authority = (struct slice){0};
    out->chunked = out->has_length = out->expect_continue = false;
    out->length = 0;
    const uint8_t *lf = memchr(start, '\n', (size_t)(end - start));
    if (!lf || lf == start || lf[-1] != '\r') {
        *status = 400;
        return PARSE_BAD;
    }
    *status = parse_request_line(slice_of(start, (size_t)(lf - 1 - start)), out);
    if (*status == 0)
        *status = parse_fields(lf + 1, end - 2, out);
    if (*status != 0)
        return PARSE_BAD;
    *used = (size_t)(end - p);
    return PARSE_DONE;
}

/* ---- body ---- */

void body_init(struct body *b, const struct http_head *h)
{
    *b = (struct body){.state = BODY_DONE};
    if (h->chunked) {
        b->state = BODY_CHUNK_SIZE;
    } else if (h->has_length && h->length > 0) {
        b->state = BODY_LENGTH;
        b->left = h->length;
    }
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static enum body_state chunk_size(struct body *b, uint8_t c)
{
    int d = hex_digit(c);
    if (d >= 0) {
        if (++b->digits > 15)
            return BODY_BAD;
        b->left = b->left << 4 | (uint64_t)d;
        return BODY_CHUNK_SIZE;
    }
    if (b->digits == 0)
        return BODY_BAD;
    if (c == '\r')
        return BODY_CHUNK_SIZE_LF;
    return c == ';' || is_ows(c) ? BODY_CHUNK_EXT : BODY_BAD;
}

/* One byte of framing; never called for data. */
static enum body_state body_step(struct body *b, uint8_t c)
{
    switch (b->state) {
    case BODY_CHUNK_SIZE:
        return chunk_size(b, c);
    case BODY_CHUNK_EXT:
        if (c == '\n' || ++b->skipped > PARSE_MAX_TRAILERS)
            return BODY_BAD;
        return c == '\r' ? BODY_CHUNK_SIZE_LF : BODY_CHUNK_EXT;
    case BODY_CHUNK_SIZE_LF:
        b->digits = 0;
        if (c != '\n')
            return BODY_BAD;
        return b->left > 0 ? BODY_CHUNK_DATA : BODY_TRAILER;
    case BODY_CHUNK_CR:
        return c == '\r' ? BODY_CHUNK_LF : BODY_BAD;
    case BODY_CHUNK_LF:
        return c == '\n' ? BODY_CHUNK_SIZE : BODY_BAD;
    case BODY_TRAILER:
        if (c == '\r')
            return BODY_END_LF;
        return ++b->skipped > PARSE_MAX_TRAILERS || c == '\n' ? BODY_BAD : BODY_TRAILER_LINE;
    case BODY_TRAILER_LINE:
        if (++b->skipped > PARSE_MAX_TRAILERS || c == '\n')
            return BODY_BAD;
        return c == '\r' ? BODY_TRAILER_LF : BODY_TRAILER_LINE;
    case BODY_TRAILER_LF:
        return c == '\n' ? BODY_TRAILER : BODY_BAD;
    case BODY_END_LF:
        return c == '\n' ? BODY_DONE : BODY_BAD;
    case BODY_LENGTH:
    case BODY_CHUNK_DATA:
    case BODY_DONE:
    case BODY_BAD:
        break;
    }
    return BODY_BAD;
}

size_t body_input(struct body *b, const uint8_t *p, size_t n, struct slice *data)
{
    *data = (struct slice){.p = p};
    size_t i = 0;
    while (i < n && b->state != BODY_DONE && b->state != BODY_BAD) {
        if (b->state != BODY_LENGTH && b->state != BODY_CHUNK_DATA) {
            b->state = body_step(b, p[i++]);
            continue;
        }
        size_t take = b->left < n - i ? (size_t)b->left : n - i;
        *data = slice_of(p + i, take);
        b->left -= take;
        b->total += take;
        if (b->left == 0)
            b->state = b->state == BODY_LENGTH ? BODY_DONE : BODY_CHUNK_CR;
        return i + take;
    }
    return i;
}
