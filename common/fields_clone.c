#include "common/fields_clone.h"

#include <string.h>

static enum err clone_string(const char **slot, struct arena *arena)
{
    if (!*slot)
        return OK;
    *slot = arena_strndup(arena, *slot, strlen(*slot));
    return *slot ? OK : ERR_NOMEM;
}

static enum err clone_numbers(void **slot, size_t n, size_t size, struct arena *arena)
{
    void *copy = arena_array(arena, n, size);
    if (!copy)
        return ERR_NOMEM;
    memcpy(copy, *slot, n * size);
    *slot = copy;
    return OK;
}

static enum err clone_strings(const char ***slot, size_t n, struct arena *arena)
{
    const char **copy = arena_array(arena, n, sizeof *copy);
    if (!copy)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        copy[i] = arena_strndup(arena, (*slot)[i], strlen((*slot)[i]));
        if (!copy[i])
            return ERR_NOMEM;
    }
    *slot = copy;
    return OK;
}

static enum err clone_dict(struct dict_entry **slot, size_t n, struct arena *arena)
{
    struct dict_entry *copy = arena_array(arena, n, sizeof *copy);
    if (!copy)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        copy[i] = (*slot)[i];
        copy[i].key = arena_strndup(arena, copy[i].key, strlen(copy[i].key));
        if (copy[i].str)
            copy[i].str = arena_strndup(arena, copy[i].str, strlen(copy[i].str));
        if (!copy[i].key || ((*slot)[i].str && !copy[i].str))
            return ERR_NOMEM;
    }
    *slot = copy;
    return OK;
}

static enum err clone_objects(const struct shape *shape, void **slot, size_t n, struct arena *arena)
{
    const char *from = *slot;
    char *copy = arena_array(arena, n, shape->size);
    enum err e = copy ? OK : ERR_NOMEM;
    for (size_t i = 0; i < n && e == OK; i++)
        e = shape_clone(shape, from + i * shape->size, copy + i * shape->size, arena);
    *slot = copy;
    return e;
}

static bool is_list(enum field_kind k)
{
    return k == FIELD_objs || k == FIELD_strs || k == FIELD_u8s || k == FIELD_u16s ||
           k == FIELD_u32s || k == FIELD_choices || k == FIELD_dict;
}

static enum err clone_field(const struct field *f, char *out, struct arena *arena)
{
    void *slot = out + f->offset;
    size_t n = 0;
    if (is_list(f->kind)) {
        memcpy(&n, out + f->extra_offset, sizeof n);
        if (!*(void **)slot)
            return OK;
    }
    switch (f->kind) {
    case FIELD_str:
        return clone_string(slot, arena);
    case FIELD_strs:
        return clone_strings(slot, n, arena);
    case FIELD_u8s:
        return clone_numbers(slot, n, sizeof(uint8_t), arena);
    case FIELD_u16s:
        return clone_numbers(slot, n, sizeof(uint16_t), arena);
    case FIELD_u32s:
        return clone_numbers(slot, n, sizeof(uint32_t), arena);
    case FIELD_choices:
        return clone_numbers(slot, n, sizeof(int), arena);
    case FIELD_dict:
        return clone_dict(slot, n, arena);
    case FIELD_objs:
        return clone_objects(f->ref, slot, n, arena);
    case FIELD_obj:
        return *(void **)slot ? clone_objects(f->ref, slot, 1, arena) : OK;
    case FIELD_json:
        *(json_t **)slot = NULL;
        return OK;
    case FIELD_flag:
    case FIELD_u8:
    case FIELD_u16:
    case FIELD_u32:
    case FIELD_u64:
    case FIELD_i64:
    case FIELD_f64:
    case FIELD_choice:
        return OK;
    }
    return OK;
}

enum err shape_clone(const struct shape *shape, const void *in, void *out, struct arena *arena)
{
    memcpy(out, in, shape->size);
    for (size_t i = 0; i < shape->n_fields; i++) {
        enum err e = clone_field(&shape->fields[i], out, arena);
        if (e != OK)
            return e;
    }
    return OK;
}
