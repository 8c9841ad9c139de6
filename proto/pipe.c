#include "proto/pipe.h"

#include <string.h>

CHOICE_DEFINE(pipe_handler, PIPE_HANDLER_MAP)

const struct pipe_method_row pipe_methods[PIPE_METHOD_COUNT] = {
#define X(id, name, handler, request, response, doc) {name, handler, request, response, doc},
    PIPE_METHODS(X)
#undef X
};

const struct pipe_event_row pipe_events[PIPE_EVENT_COUNT] = {
#define X(id, name, handler, payload, doc) {name, handler, payload, doc},
    PIPE_EVENTS(X)
#undef X
};

const struct pipe_event_row pipe_commands[PIPE_COMMAND_COUNT] = {
#define X(id, name, handler, payload, doc) {name, handler, payload, doc},
    PIPE_COMMANDS(X)
#undef X
};

/* Some 80 names: a walk takes under a microsecond, and messages are few. */
int pipe_method_find(const char *name)
{
    for (int i = 0; name && i < PIPE_METHOD_COUNT; i++)
        if (strcmp(pipe_methods[i].name, name) == 0)
            return i;
    return -1;
}

static int row_find(const struct pipe_event_row *rows, int n, const char *name)
{
    for (int i = 0; name && i < n; i++)
        if (strcmp(rows[i].name, name) == 0)
            return i;
    return -1;
}

int pipe_event_find(const char *name)
{
    return row_find(pipe_events, PIPE_EVENT_COUNT, name);
}

int pipe_command_find(const char *name)
{
    return row_find(pipe_commands, PIPE_COMMAND_COUNT, name);
}
