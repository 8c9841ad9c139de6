#include "common/fields.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most bytes of a string in a list or a dict, and of a dict's key. */
enum { ITEM_MAX = 1024, KEY_MAX = 128 };

/* Where we are in the JSON; lives on the stack, printed only when something is wrong. */
struct where {
    const struct where *up;
    const char *name; /* NULL: an element */
    size_t index;
};

struct decoder {
    struct arena *arena;
    struct field_error *error;
};

static enum err decode_object(struct decoder *d, const struct where *at, const struct shape *shape,
                              json_t *in, void *out);

/* ---- errors ---- */

static size_t path_print(const struct where *at, char *buf, size_t n)
{
    if (!at)
        return 0;
    size_t len = path_print(at->up, buf, n);
    if (len >= n - 1)
        return len;
    if (!at->name) {
        len += (size_t)snprintf(buf + len, n - len, "[%zu]", at->index);
    } else {
        /* Keys of dicts are a remote's: only plain characters, and not all of a long one. */
        if (len > 0)
            buf[len++] = '.';
        for (size_t i = 0; at->name[i] && i < 64 && len < n - 1; i++) {
            char c = at->name[i];
            buf[len++] = c > ' ' && c < 0x7f && c != '"' && c != '\\' ? c : '?';
        }
        buf[len < n ? len : n - 1] = '\0';
    }
    return len < n ? len : n - 1;
}

/* "must be ..." for a field. */
static void expectation(const struct field *f, char *buf, size_t n)
{
    const char *items = "strings";
    long long min = f->min;
    long long max = f->max;
    switch (f->kind) {
    case FIELD_flag:
        snprintf(buf, n, "true or false");
        return;
    case FIELD_u8:
    case FIELD_u16:
    case FIELD_u32:
    case FIELD_u64:
    case FIELD_i64:
        snprintf(buf, n, "an integer from %lld to %lld", min, max);
        return;
    case FIELD_f64:
        snprintf(buf, n, "a number from %lld to %lld", min, max);
        return;
    case FIELD_str:
        snprintf(buf, n, "a string of %lld to %lld bytes", min, max);
        return;
    case FIELD_choice: {
        const char *const *names = f->ref;
        size_t len = (size_t)snprintf(buf, n, "one of ");
        for (size_t i = 0; names[i] && len < n; i++)
            len += (size_t)snprintf(buf + len, n - len, "%s%s", i > 0 ? ", " : "", names[i]);
        return;
    }
    case FIELD_choices: {
        const char *const *names = f->ref;
        size_t len = (size_t)snprintf(buf, n, "an array of %lld to %lld of ", min, max);
        for (size_t i = 0; names[i] && len < n; i++)
            len += (size_t)snprintf(buf + len, n - len, "%s%s", i > 0 ? ", " : "", names[i]);
        return;
    }
    case FIELD_obj:
        snprintf(buf, n, "an object");
        return;
    case FIELD_objs:
        items = "objects";
        break;
    case FIELD_strs:
        break;
    case FIELD_u8s:
        items = "integers from 0 to 255";
        break;
    case FIELD_u16s:
        items = "integers from 0 to 65535";
        break;
    case FIELD_u32s:
        items = "integers from 0 to 4294967295";
        break;
    case FIELD_dict:
        snprintf(buf, n, "an object of %lld to %lld strings, numbers and booleans", min, max);
        return;
    case FIELD_json:
        snprintf(buf, n, "any value");
        return;
    }
    snprintf(buf, n, "an array of %lld to %lld %s", min, max, items);
}

static enum err fail(struct decoder *d, const struct where *at, enum err err, const char *fmt,
                     const char *what)
{
    struct field_error *e = d->error;
    *e = (struct field_error){.err = err};
    path_print(at, e->path, sizeof e->path);
    int n = snprintf(e->reason, sizeof e->reason, "%s ", e->path[0] ? e->path : "the value");
    snprintf(e->reason + n, sizeof e->reason - (size_t)n, fmt, what);
    return err;
}

static enum err fail_field(struct decoder *d, const struct where *at, const struct field *f,
                           enum err err, bool missing)
{
    char want[192];
    expectation(f, want, sizeof want);
    return fail(d, at, err, missing ? "is missing, it must be %s" : "must be %s", want);
}

static enum err fail_memory(struct decoder *d, const struct where *at)
{
    return fail(d, at, ERR_NOMEM, "needs more memory than there is%s", "");
}

/* ---- scalars ---- */

/* 2^63, the first double that is no int64. */
#define INT64_END 9223372036854775808.0

/* JavaScript writes integers of more than 2^53, and some below, as reals. */
static bool integer_of(json_t *in, int64_t *out)
{
    if (json_is_integer(in)) {
        *out = json_integer_value(in);
        return true;
    }
    if (!json_is_real(in))
        return false;
    double real = json_real_value(in);
    if (!(real >= -INT64_END && real < INT64_END) || floor(real) != real)
        return false;
    *out = (int64_t)real;
    return true;
}

static void *member(const struct field *f, void *out)
{
    return (char *)out + f->offset;
}

static void set_has(const struct field *f, void *out)
{
    *(bool *)(void *)((char *)out + f->extra_offset) = true;
}

static void set_count(const struct field *f, void *out, size_t n)
{
    *(size_t *)(void *)((char *)out + f->extra_offset) = n;
}

static enum err decode_integer(struct decoder *d, const struct where *at, const struct field *f,
                               json_t *in, void *out)
{
    int64_t v;
    if (!integer_of(in, &v))
        return fail_field(d, at, f, ERR_TYPE, false);
    if (v < f->min || v > f->max)
        return fail_field(d, at, f, ERR_RANGE, false);
    void *m = member(f, out);
    if (f->kind == FIELD_u8)
        *(uint8_t *)m = (uint8_t)v;
    else if (f->kind == FIELD_u16)
        *(uint16_t *)m = (uint16_t)v;
    else if (f->kind == FIELD_u32)
        *(uint32_t *)m = (uint32_t)v;
    else if (f->kind == FIELD_u64)
        *(uint64_t *)m = (uint64_t)v;
    else
        *(int64_t *)m = v;
    set_has(f, out);
    return OK;
}

static enum err decode_real(struct decoder *d, const struct where *at, const struct field *f,
                            json_t *in, void *out)
{
    if (!json_is_number(in))
        return fail_field(d, at, f, ERR_TYPE, false);
    double v = json_number_value(in);
    if (!(v >= (double)f->min && v <= (double)f->max))
        return fail_field(d, at, f, ERR_RANGE, false);
    *(double *)member(f, out) = v;
    set_has(f, out);
    return OK;
}

static enum err decode_string(struct decoder *d, const struct where *at, const struct field *f,
                              json_t *in, void *out)
{
    if (!json_is_string(in))
        return fail_field(d, at, f, ERR_TYPE, false);
    size_t n = json_string_length(in);
    if (n < (size_t)f->min || n > (size_t)f->max)
        return fail_field(d, at, f, ERR_RANGE, false);
    *(const char **)member(f, out) = json_string_value(in);
    return OK;
}

int choice_find(const char *const *names, const char *text)
{
    for (int i = 0; text && names[i]; i++)
        if (strcmp(names[i], text) == 0)
            return i;
    return -1;
}

static enum err decode_choice(struct decoder *d, const struct where *at, const struct field *f,
                              json_t *in, void *out)
{
    int v = choice_find(f->ref, json_string_value(in));
    if (v < 0)
        return fail_field(d, at, f, ERR_TYPE, false);
    *(int *)member(f, out) = v;
    set_has(f, out);
    return OK;
}

/* ---- lists ---- */

static size_t item_size(const struct field *f)
{
    if (f->kind == FIELD_objs)
        return ((const struct shape *)f->ref)->size;
    if (f->kind == FIELD_strs)
        return sizeof(const char *);
    if (f->kind == FIELD_choices)
        return sizeof(int);
    return f->kind == FIELD_u8s ? 1 : f->kind == FIELD_u16s ? 2 : 4;
}

static enum err decode_item(struct decoder *d, const struct where *at, const struct field *f,
                            json_t *in, void *item)
{
    if (f->kind == FIELD_objs)
        return decode_object(d, at, f->ref, in, item);
    if (f->kind == FIELD_strs) {
        if (!json_is_string(in))
            return fail(d, at, ERR_TYPE, "must be a string%s", "");
        if (json_string_length(in) > ITEM_MAX)
            return fail(d, at, ERR_RANGE, "must be a string of at most 1024 bytes%s", "");
        *(const char **)item = json_string_value(in);
        return OK;
    }
    if (f->kind == FIELD_choices) {
        int v = choice_find(f->ref, json_string_value(in));
        if (v < 0) {
            struct field one = *f;
            one.kind = FIELD_choice;
            return fail_field(d, at, &one, ERR_TYPE, false);
        }
        *(int *)item = v;
        return OK;
    }
    int64_t v;
    int64_t max = f->kind == FIELD_u8s    ? UINT8_MAX
                  : f->kind == FIELD_u16s ? UINT16_MAX
                                          : UINT32_MAX;
    const struct field one = {.kind = FIELD_u32, .max = max};
    if (!integer_of(in, &v))
        return fail_field(d, at, &one, ERR_TYPE, false);
    if (v < 0 || v > max)
        return fail_field(d, at, &one, ERR_RANGE, false);
    if (f->kind == FIELD_u8s)
        *(uint8_t *)item = (uint8_t)v;
    else if (f->kind == FIELD_u16s)
        *(uint16_t *)item = (uint16_t)v;
    else
        *(uint32_t *)item = (uint32_t)v;
    return OK;
}

static enum err decode_list(struct decoder *d, const struct where *at, const struct field *f,
                            json_t *in, void *out)
{
    if (!json_is_array(in))
        return fail_field(d, at, f, ERR_TYPE, false);
    size_t n = json_array_size(in);
    if (n < (size_t)f->min || n > (size_t)f->max)
        return fail_field(d, at, f, ERR_RANGE, false);
    size_t size = item_size(f);
    char *items = arena_array(d->arena, n, size);
    if (!items)
        return fail_memory(d, at);
    for (size_t i = 0; i < n; i++) {
        const struct where here = {.up = at, .index = i};
        enum err err = decode_item(d, &here, f, json_array_get(in, i), items + i * size);
        if (err)
            return err;
    }
    *(void **)member(f, out) = items;
    set_count(f, out, n);
    return OK;
}

static bool dict_value(json_t *in, struct dict_entry *e)
{
    if (json_is_string(in)) {
        e->type = DICT_STR;
        e->str = json_string_value(in);
    } else if (json_is_integer(in)) {
        e->type = DICT_INT;
        e->num = json_integer_value(in);
    } else if (json_is_boolean(in)) {
        e->type = DICT_BOOL;
        e->num = json_is_true(in);
    } else if (json_is_real(in)) {
        e->type = integer_of(in, &e->num) ? DICT_INT : DICT_REAL;
        e->real = json_real_value(in);
    } else {
        return false;
    }
    return true;
}

static enum err decode_dict(struct decoder *d, const struct where *at, const struct field *f,
                            json_t *in, void *out)
{
    if (!json_is_object(in))
        return fail_field(d, at, f, ERR_TYPE, false);
    size_t n = json_object_size(in);
    if (n < (size_t)f->min || n > (size_t)f->max)
        return fail_field(d, at, f, ERR_RANGE, false);
    struct dict_entry *entries = arena_array(d->arena, n, sizeof *entries);
    if (!entries)
        return fail_memory(d, at);
    size_t used = 0;
    const char *key;
    json_t *value;
    json_object_foreach(in, key, value)
    {
        const struct where here = {.up = at, .name = key};
        if (json_is_null(value))
            continue;
        struct dict_entry *e = &entries[used];
        e->key = key;
        if (!dict_value(value, e))
            return fail(d, &here, ERR_TYPE, "must be a string, a number or a boolean%s", "");
        if (strlen(key) > KEY_MAX || (e->str && strlen(e->str) > ITEM_MAX))
            return fail(d, &here, ERR_RANGE, "is too long%s", "");
        used++;
    }
    *(struct dict_entry **)member(f, out) = entries;
    set_count(f, out, used);
    return OK;
}

/* ---- objects ---- */

static enum err decode_field(struct decoder *d, const struct where *at, const struct field *f,
                             json_t *in, void *out)
{
    switch (f->kind) {
    case FIELD_flag:
        if (!json_is_boolean(in))
            return fail_field(d, at, f, ERR_TYPE, false);
        *(bool *)member(f, out) = json_is_true(in);
        set_has(f, out);
        return OK;
    case FIELD_u8:
    case FIELD_u16:
    case FIELD_u32:
    case FIELD_u64:
    case FIELD_i64:
        return decode_integer(d, at, f, in, out);
    case FIELD_f64:
        return decode_real(d, at, f, in, out);
    case FIELD_str:
        return decode_string(d, at, f, in, out);
    case FIELD_choice:
        return decode_choice(d, at, f, in, out);
    case FIELD_obj: {
        if (!json_is_object(in))
            return fail_field(d, at, f, ERR_TYPE, false);
        const struct shape *shape = f->ref;
        void *object = arena_alloc(d->arena, shape->size);
        if (!object)
            return fail_memory(d, at);
        *(void **)member(f, out) = object;
        return decode_object(d, at, shape, in, object);
    }
    case FIELD_choices:
    case FIELD_objs:
    case FIELD_strs:
    case FIELD_u8s:
    case FIELD_u16s:
    case FIELD_u32s:
        return decode_list(d, at, f, in, out);
    case FIELD_dict:
        return decode_dict(d, at, f, in, out);
    case FIELD_json:
        *(json_t **)member(f, out) = in;
        return OK;
    }
    return OK;
}

static enum err decode_object(struct decoder *d, const struct where *at, const struct shape *shape,
                              json_t *in, void *out)
{
    memset(out, 0, shape->size);
    if (!json_is_object(in))
        return fail(d, at, ERR_TYPE, "must be an object%s", "");
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        const struct where here = {.up = at, .name = f->name};
        json_t *value = json_object_get(in, f->name);
        enum err err = OK;
        if (value && !json_is_null(value))
            err = decode_field(d, &here, f, value, out);
        else if (f->presence == FIELD_REQ)
            err = fail_field(d, &here, f, ERR_TYPE, true);
        if (err)
            return err;
    }
    return OK;
}

enum err shape_decode(const struct shape *shape, json_t *in, void *out, struct arena *arena,
                      struct field_error *error)
{
    struct decoder d = {.arena = arena, .error = error};
    return decode_object(&d, NULL, shape, in, out);
}

/* ---- dicts ---- */

const struct dict_entry *dict_find(const struct dict_entry *entries, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(entries[i].key, key) == 0)
            return &entries[i];
    return NULL;
}

int64_t dict_int(const struct dict_entry *entries, size_t n, const char *key, int64_t fallback)
{
    const struct dict_entry *e = dict_find(entries, n, key);
    if (!e)
        return fallback;
    if (e->type == DICT_INT || e->type == DICT_BOOL)
        return e->num;
    if (e->type != DICT_STR || !e->str[0])
        return fallback;
    int64_t v = 0;
    for (const char *p = e->str; *p; p++) {
        if (*p < '0' || *p > '9' || v > (INT64_MAX - 9) / 10)
            return fallback;
        v = v * 10 + (*p - '0');
    }
    return v;
}

const char *dict_str(const struct dict_entry *entries, size_t n, const char *key)
{
    const struct dict_entry *e = dict_find(entries, n, key);
    return e && e->type == DICT_STR ? e->str : NULL;
}
