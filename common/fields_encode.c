/* shape_encode: struct -> JSON by the table. */
#include "common/fields.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const void *member(const struct field *f, const void *in)
{
    return (const char *)in + f->offset;
}

static bool has(const struct field *f, const void *in)
{
    return *(const bool *)(const void *)((const char *)in + f->extra_offset);
}

static size_t count(const struct field *f, const void *in)
{
    return *(const size_t *)(const void *)((const char *)in + f->extra_offset);
}

/* JSON is UTF-8. A string from a peer that is not gets a ? for each byte that is not ASCII. */
static json_t *string(const char *s)
{
    json_t *json = json_string(s);
    if (json)
        return json;
    char *copy = strdup(s);
    if (!copy)
        return NULL;
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    json = json_string(copy);
    free(copy);
    return json;
}

static json_t *name_of(const struct field *f, int v)
{
    const char *const *names = f->ref;
    int n = 0;
    while (names[n])
        n++;
    assert(v >= 0 && v < n);
    return json_string(names[v]);
}

/* JSON has no infinities; such a value is our bug, but no reason to lose a whole report. */
static json_t *real(double v)
{
    return json_real(isfinite(v) ? v : 0);
}

static json_t *encode_number(const struct field *f, const void *in)
{
    const void *m = member(f, in);
    if (f->kind == FIELD_u8)
        return json_integer(*(const uint8_t *)m);
    if (f->kind == FIELD_u16)
        return json_integer(*(const uint16_t *)m);
    if (f->kind == FIELD_u32)
        return json_integer(*(const uint32_t *)m);
    if (f->kind == FIELD_i64)
        return json_integer(*(const int64_t *)m);
    if (f->kind == FIELD_f64)
        return real(*(const double *)m);
    uint64_t v = *(const uint64_t *)m;
    return json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v);
}

static json_t *encode_item(const struct field *f, const void *items, size_t i)
{
    if (f->kind == FIELD_objs) {
        const struct shape *shape = f->ref;
        return shape_encode(shape, (const char *)items + i * shape->size);
    }
    if (f->kind == FIELD_strs)
        return string(((const char *const *)items)[i]);
    if (f->kind == FIELD_choices)
        return name_of(f, ((const int *)items)[i]);
    if (f->kind == FIELD_u8s)
        return json_integer(((const uint8_t *)items)[i]);
    if (f->kind == FIELD_u16s)
        return json_integer(((const uint16_t *)items)[i]);
    return json_integer(((const uint32_t *)items)[i]);
}

static json_t *encode_list(const struct field *f, const void *in)
{
    const void *items = *(const void *const *)member(f, in);
    json_t *array = json_array();
    size_t n = items ? count(f, in) : 0;
    for (size_t i = 0; array && i < n; i++) {
        if (json_array_append_new(array, encode_item(f, items, i)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *encode_dict(const struct field *f, const void *in)
{
    const struct dict_entry *entries = *(const struct dict_entry *const *)member(f, in);
    json_t *object = json_object();
    size_t n = entries ? count(f, in) : 0;
    for (size_t i = 0; object && i < n; i++) {
        const struct dict_entry *e = &entries[i];
        json_t *value = e->type == DICT_STR    ? string(e->str)
                        : e->type == DICT_INT  ? json_integer(e->num)
                        : e->type == DICT_BOOL ? json_boolean(e->num)
                                               : real(e->real);
        if (json_object_set_new(object, e->key, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* Whether the member has no value. */
static bool absent(const struct field *f, const void *in)
{
    switch (f->kind) {
    case FIELD_flag:
    case FIELD_u8:
    case FIELD_u16:
    case FIELD_u32:
    case FIELD_u64:
    case FIELD_i64:
    case FIELD_f64:
    case FIELD_choice:
        return !has(f, in);
    case FIELD_str:
    case FIELD_obj:
    case FIELD_json:
    case FIELD_choices:
    case FIELD_objs:
    case FIELD_strs:
    case FIELD_u8s:
    case FIELD_u16s:
    case FIELD_u32s:
    case FIELD_dict:
        return !*(const void *const *)member(f, in);
    }
    return true;
}

static json_t *encode_pointer(const struct field *f, const void *in)
{
    const void *pointer = *(const void *const *)member(f, in);
    if (!pointer)
        return json_null();
    if (f->kind == FIELD_str)
        return string(pointer);
    if (f->kind == FIELD_obj)
        return shape_encode(f->ref, pointer);
    return json_incref(*(json_t *const *)member(f, in));
}

static json_t *encode_field(const struct field *f, const void *in)
{
    switch (f->kind) {
    case FIELD_flag:
        return json_boolean(*(const bool *)member(f, in));
    case FIELD_u8:
    case FIELD_u16:
    case FIELD_u32:
    case FIELD_u64:
    case FIELD_i64:
    case FIELD_f64:
        return encode_number(f, in);
    case FIELD_choice:
        return name_of(f, *(const int *)member(f, in));
    case FIELD_str:
    case FIELD_obj:
    case FIELD_json:
        return encode_pointer(f, in);
    case FIELD_choices:
    case FIELD_objs:
    case FIELD_strs:
    case FIELD_u8s:
    case FIELD_u16s:
    case FIELD_u32s:
        return encode_list(f, in);
    case FIELD_dict:
        return encode_dict(f, in);
    }
    return NULL;
}

json_t *shape_encode(const struct shape *shape, const void *in)
{
    json_t *object = json_object();
    for (size_t i = 0; object && i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if (f->presence == FIELD_OPT && absent(f, in))
            continue;
        if (json_object_set_new_nocheck(object, f->name, encode_field(f, in)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}
