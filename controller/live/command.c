#include "controller/live/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 64 * 1024 };

void command_init(struct command *c)
{
    *c = (struct command){0};
    arena_init(&c->arena, TEXT_BYTES_MAX);
}

void command_fini(struct command *c)
{
    arena_fini(&c->arena);
}

static void push(struct command *c, const char *arg)
{
    if (!arg || c->n >= COMMAND_ARGS_MAX) {
        c->bad = true;
        return;
    }
    c->args[c->n++] = arg;
    c->args[c->n] = NULL;
}

void command_add(struct command *c, ...)
{
    va_list args;
    va_start(args, c);
    for (const char *a = va_arg(args, const char *); a; a = va_arg(args, const char *))
        push(c, a);
    va_end(args);
}

static void push_formatted(struct command *c, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *text = n >= 0 ? arena_alloc(&c->arena, (size_t)n + 1) : NULL;
    if (text)
        vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    push(c, text);
}

void command_opt(struct command *c, const char *option, const char *fmt, ...)
{
    va_list args;
    push(c, option);
    va_start(args, fmt);
    push_formatted(c, fmt, args);
    va_end(args);
}

void command_arg(struct command *c, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    push_formatted(c, fmt, args);
    va_end(args);
}

const char *command_pattern_path(struct command *c, const char *path)
{
    static const char protocol[] = "file:";
    size_t n = strlen(path);
    char *text = arena_alloc(&c->arena, sizeof protocol + 2 * n);
    if (!text)
        return NULL;
    char *at = stpcpy(text, protocol);
    for (size_t i = 0; i < n; i++) {
        *at++ = path[i];
        if (path[i] == '%')
            *at++ = '%';
    }
    *at = '\0';
    return text;
}
