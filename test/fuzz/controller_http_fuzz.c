/* What a client's bytes meet first: request heads, bodies, targets, WebSocket frames. The first
 * byte chooses which; whatever the pieces in which the rest comes, the outcome is the same. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "controller/net/frame.h"
#include "controller/net/parse.h"
#include "controller/net/range.h"
#include "controller/net/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_target(struct slice target)
{
    char *path = malloc(target.n + 1);
    char *pairs = malloc(2 * target.n + 2);
    struct slice p = target_path(target);
    if (target_decode_path(p, path) == OK) {
        assert(strlen(path) <= p.n);
        assert(!strstr(path, "/../"));
    }
    size_t n = query_decode(target_query(target), pairs);
    (void)query_find(pairs, n, "a");
    free(path);
    free(pairs);
}

static void fuzz_head(const uint8_t *p, size_t n)
{
    struct http_head whole;
    struct http_head parts;
    size_t scanned = 0;
    size_t used = 0;
    int status = 0;
    enum parse_result r = parse_head(p, n, &scanned, &whole, &used, &status);
    if (r != PARSE_DONE)
        return;
    assert(used <= n && whole.n_fields <= PARSE_MAX_FIELDS);
    fuzz_target(whole.target);
    size_t scanned_parts = 0;
    size_t used_parts = 0;
    for (size_t i = 0; i < used; i += 7)
        assert(parse_head(p, i, &scanned_parts, &parts, &used_parts, &status) == PARSE_MORE);
    assert(parse_head(p, n, &scanned_parts, &parts, &used_parts, &status) == PARSE_DONE);
    assert(used == used_parts && parts.n_fields == whole.n_fields);
}

static uint64_t hash(uint64_t h, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 1099511628211U;
    return h;
}

static uint64_t run_body(const uint8_t *p, size_t n, size_t step)
{
    struct http_head h = {.chunked = true};
    struct body b;
    body_init(&b, &h);
    uint64_t sum = 1;
    size_t at = 0;
    while (at < n && !body_done(&b) && b.state != BODY_BAD) {
        struct slice data;
        at += body_input(&b, p + at, n - at < step ? n - at : step, &data);
        sum = hash(sum, data.p, data.n);
    }
    return hash(sum, (const uint8_t *)&b.state, sizeof b.state) + at;
}

static uint64_t run_frames(const uint8_t *p, size_t n, size_t step)
{
    struct ws_frame_reader r;
    ws_frame_reader_init(&r, 5000);
    uint64_t sum = 1;
    size_t at = 0;
    struct ws_frame_out f = {.event = WS_FRAME_NONE};
    while (at < n && f.event != WS_FRAME_ERROR) {
        at += ws_frame_input(&r, p + at, n - at < step ? n - at : step, &f);
        if (f.event == WS_FRAME_MESSAGE || f.event == WS_FRAME_CONTROL)
            sum = hash(sum, f.data.p, f.data.n);
        if (f.event == WS_FRAME_MESSAGE && f.op == WS_FRAME_TEXT)
            assert(utf8_check(UTF8_START, f.data.p, f.data.n) == UTF8_START);
    }
    assert(r.cap <= 16384);
    ws_frame_reader_fini(&r);
    return sum + (f.event == WS_FRAME_ERROR ? (uint64_t)f.code : 0);
}

static void fuzz_fields(const uint8_t *p, size_t n)
{
    char *text = malloc(n + 1);
    memcpy(text, p, n);
    text[n] = '\0';
    uint64_t first = 0;
    uint64_t last = 0;
    if (range_parse(text, 1000, &first, &last) == RANGE_ONE)
        assert(first <= last && last < 1000);
    time_t t;
    (void)http_date_parse(text, &t);
    (void)etag_listed(text, "\"a\"");
    (void)accepts_gzip(text);
    char key[29];
    (void)ws_frame_accept_key(slice_of(p, n), key);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const uint8_t *p = data + 1;
    size_t n = size - 1;
    switch (data[0] % 5) {
    case 0:
        fuzz_head(p, n);
        break;
    case 1:
        assert(run_body(p, n, n + 1) == run_body(p, n, 1 + data[0] / 5U));
        break;
    case 2:
        assert(run_frames(p, n, n + 1) == run_frames(p, n, 1 + data[0] / 5U));
        break;
    case 3:
        fuzz_fields(p, n);
        break;
    default:
        fuzz_target(slice_of(p, n));
        break;
    }
    return 0;
}
