/* One signaling message as a client may send it: framing, then its data by its method's shape. What
 * is refused can be answered (every reason is valid JSON text), and what is accepted says the same
 * when it is printed and read again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "controller/room/protoo.h"
#include "proto/signaling.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_LIMIT = 1 << 20 };

/* As a session sends it: a message that cannot be printed would leave the client waiting. */
static void must_print(json_t *message)
{
    assert(message);
    char *text = json_dumps(message, JSON_COMPACT);
    assert(text);
    free(text);
    json_decref(message);
}

static void decode(const struct protoo_request *r)
{
    int method = sig_method_find(r->method);
    if (method < 0)
        method = (int)(r->id % SIG_METHOD_COUNT); /* the data is tried all the same */
    const struct shape *shape = sig_methods[method].request;
    if (!shape)
        return;
    struct arena arena;
    struct field_error error;
    arena_init(&arena, ARENA_LIMIT);
    void *out = malloc(shape->size);
    json_t *in = r->data ? json_incref(r->data) : json_object();
    if (shape_decode(shape, in, out, &arena, &error) == OK) {
        json_t *first = shape_encode(shape, out);
        assert(first);
        enum err e = shape_decode(shape, first, out, &arena, &error);
        assert(e == OK || e == ERR_NOMEM);
        json_decref(first);
    } else {
        assert(error.reason[0]);
        must_print(protoo_error(r->id, 400, error.reason));
    }
    json_decref(in);
    free(out);
    arena_fini(&arena);
}

static void again(const struct protoo_request *r)
{
    char *text = json_dumps(r->root, JSON_COMPACT);
    char reason[PROTOO_REASON_MAX];
    struct protoo_request other;
    assert(text);
    enum err e = protoo_parse(&other, text, strlen(text), reason);
    assert(e == OK && other.id == r->id && strcmp(other.method, r->method) == 0);
    assert(!other.data == !r->data && (!r->data || json_equal(other.data, r->data)));
    protoo_request_fini(&other);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct protoo_request r;
    char reason[PROTOO_REASON_MAX] = "";
    enum err e = protoo_parse(&r, (const char *)data, size, reason);
    if (e == OK) {
        assert(r.has_id && strlen(r.method) <= PROTOO_METHOD_MAX);
        again(&r);
        decode(&r);
    } else if (e != ERR_STATE) {
        assert(reason[0]);
        must_print(protoo_error(r.id, 400, reason));
        must_print(protoo_notification(
            "error", json_pack("{s:i,s:s}", "errorCode", 400, "errorReason", reason)));
    }
    protoo_request_fini(&r);
    return 0;
}
