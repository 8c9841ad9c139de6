/* A message of the pipe protocol, its data decoded by its method's or event's shape; what decodes
 * must encode, decode and encode again to the same. A data that belongs to nothing is tried on the
 * shape that its id chooses. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "proto/pipe_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_LIMIT = 1 << 22 };

static void round_trip(const struct shape *shape, json_t *in)
{
    struct arena arena;
    struct field_error error;
    arena_init(&arena, ARENA_LIMIT);
    void *out = malloc(shape->size);
    if (shape_decode(shape, in, out, &arena, &error) == OK) {
        json_t *first = shape_encode(shape, out);
        assert(first);
        enum err err = shape_decode(shape, first, out, &arena, &error);
        assert(err == OK || err == ERR_NOMEM);
        if (err == OK) {
            json_t *second = shape_encode(shape, out);
            assert(json_equal(first, second));
            json_decref(second);
        }
        json_decref(first);
    } else {
        assert(error.err != OK && error.reason[0]);
    }
    free(out);
    arena_fini(&arena);
}

static const struct shape *shape_of(const struct pipe_message *m)
{
    int i = pipe_method_find(m->method);
    if (i >= 0)
        return m->id % 2 ? pipe_methods[i].response : pipe_methods[i].request;
    i = pipe_event_find(m->event);
    if (i >= 0)
        return pipe_events[i].payload;
    i = pipe_command_find(m->event);
    if (i >= 0)
        return pipe_commands[i].payload;
    uint32_t n = m->id % (2 * PIPE_METHOD_COUNT);
    return n % 2 ? pipe_methods[n / 2].response : pipe_methods[n / 2].request;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pipe_message m;
    struct field_error error;
    if (pipe_message_parse(&m, slice_of(data, size), &error) == OK) {
        const struct shape *shape = shape_of(&m);
        if (shape && m.data)
            round_trip(shape, m.data);
    } else {
        assert(error.err != OK && error.reason[0]);
    }
    pipe_message_fini(&m);
    return 0;
}
