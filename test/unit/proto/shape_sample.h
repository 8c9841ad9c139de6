/* Sample JSON for any shape, for tests that walk the tables. */
#ifndef WEIR_TEST_SHAPE_SAMPLE_H
#define WEIR_TEST_SHAPE_SAMPLE_H

#include <jansson.h>
#include <string.h>

#include "common/fields.h"

enum sample { SAMPLE_LEAST, SAMPLE_MOST, SAMPLE_REQUIRED };

static inline json_t *shape_sample(const struct shape *shape, enum sample how);

static inline json_t *text_sample(size_t n)
{
    char buf[512];
    n = n < sizeof buf ? n : sizeof buf - 1;
    memset(buf, 'a', n);
    return json_stringn(buf, n);
}

static inline json_t *list_sample(const struct field *f, enum sample how)
{
    const char *const *names = f->ref;
    json_t *list = json_array();
    int64_t most = f->max < 3 ? f->max : 3;
    int64_t n = how == SAMPLE_MOST && most > f->min ? most : f->min;
    for (int64_t i = 0; i < n; i++) {
        json_t *item;
        if (f->kind == FIELD_objs)
            item = shape_sample(f->ref, how);
        else if (f->kind == FIELD_strs)
            item = text_sample((size_t)i);
        else if (f->kind == FIELD_choices)
            item = json_string(names[0]);
        else
            item = json_integer(f->kind == FIELD_u8s    ? UINT8_MAX
                                : f->kind == FIELD_u16s ? UINT16_MAX
                                                        : UINT32_MAX);
        json_array_append_new(list, item);
    }
    return list;
}

static inline json_t *dict_sample(const struct field *f, enum sample how)
{
    json_t *dict = json_object();
    if (how == SAMPLE_MOST && f->max >= 4) {
        json_object_set_new(dict, "text", json_string("42e01f"));
        json_object_set_new(dict, "number", json_integer(-7));
        json_object_set_new(dict, "flag", json_true());
        json_object_set_new(dict, "fraction", json_real(0.5));
    }
    return dict;
}

static inline json_t *field_sample(const struct field *f, enum sample how)
{
    const char *const *names = f->ref;
    size_t n = 0;
    switch (f->kind) {
    case FIELD_flag:
        return json_boolean(how == SAMPLE_MOST);
    case FIELD_u8:
    case FIELD_u16:
    case FIELD_u32:
    case FIELD_u64:
    case FIELD_i64:
        return json_integer(how == SAMPLE_MOST ? f->max : f->min);
    case FIELD_f64:
        return json_real((double)(how == SAMPLE_MOST ? f->max : f->min));
    case FIELD_str:
        return text_sample((size_t)(how == SAMPLE_MOST && f->max < 500 ? f->max : f->min));
    case FIELD_choice:
        while (how == SAMPLE_MOST && names[n + 1])
            n++;
        return json_string(names[n]);
    case FIELD_obj:
        return shape_sample(f->ref, how);
    case FIELD_choices:
    case FIELD_objs:
    case FIELD_strs:
    case FIELD_u8s:
    case FIELD_u16s:
    case FIELD_u32s:
        return list_sample(f, how);
    case FIELD_dict:
        return dict_sample(f, how);
    case FIELD_json:
        return json_pack("{s:[i]}", "any", 1);
    }
    return NULL;
}

/* LEAST and MOST have all fields, with the least and the greatest values; REQUIRED only what must
 * be there. */
static inline json_t *shape_sample(const struct shape *shape, enum sample how)
{
    json_t *object = json_object();
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if (how != SAMPLE_REQUIRED || f->presence == FIELD_REQ)
            json_object_set_new(object, f->name, field_sample(f, how));
    }
    return object;
}

#endif
