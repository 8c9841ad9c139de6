#include "worker/media/shape_copy.h"

#include <string.h>

static enum err copy_text(const char **text, struct arena *arena)
{
    if (!*text)
        return OK;
    *text = arena_strndup(arena, *text, strlen(*text));
    return *text ? OK : ERR_NOMEM;
}

/* A list of n elements of the given size at *list, replaced by its copy. */
static enum err copy_flat(void **list, size_t n, size_t size, struct arena *arena)
{
    if (!*list)
        return OK;
    void *copy = arena_array(arena, n, size);
    if (!copy)
        return ERR_NOMEM;
    memcpy(copy, *list, n * size);
    *list = copy;
    return OK;
}

static size_t element_size(const struct field *f)
{
    switch (f->kind) {
    case FIELD_objs:
        return ((const struct shape *)f->ref)->size;
    case FIELD_strs:
        return sizeof(char *);
    case FIELD_dict:
        return sizeof(struct dict_entry);
    case FIELD_choices:
        return sizeof(int);
    case FIELD_u8s:
        return sizeof(uint8_t);
    case FIELD_u16s:
        return sizeof(uint16_t);
    case FIELD_u32s:
        return sizeof(uint32_t);
    case FIELD_flag:
    case FIELD_u8:
    case FIELD_u16:
    case FIELD_u32:
    case FIELD_u64:
    case FIELD_i64:
    case FIELD_f64:
    case FIELD_str:
    case FIELD_choice:
    case FIELD_obj:
    case FIELD_json:
        break;
    }
    return 0;
}

static enum err copy_list(const struct field *f, void **list, size_t n, struct arena *arena)
{
    const char *in = *list;
    size_t size = element_size(f);
    enum err e = copy_flat(list, n, size, arena);
    for (size_t i = 0; e == OK && i < n; i++) {
        char *at = (char *)*list + i * size;
        if (f->kind == FIELD_objs) {
            e = shape_copy(f->ref, in + i * size, at, arena);
        } else if (f->kind == FIELD_strs) {
            e = copy_text((const char **)(void *)at, arena);
        } else if (f->kind == FIELD_dict) {
            struct dict_entry *entry = (struct dict_entry *)(void *)at;
            e = copy_text(&entry->key, arena);
            if (e == OK)
                e = copy_text(&entry->str, arena);
        }
    }
    return e;
}

static enum err copy_field(const struct field *f, char *base, struct arena *arena)
{
    void *at = base + f->offset;
    void **pointer = at;
    switch (f->kind) {
    case FIELD_str:
        return copy_text(at, arena);
    case FIELD_obj: {
        const struct shape *shape = f->ref;
        const void *in = *pointer;
        if (!in)
            return OK;
        *pointer = arena_alloc(arena, shape->size);
        return *pointer ? shape_copy(shape, in, *pointer, arena) : ERR_NOMEM;
    }
    case FIELD_objs:
    case FIELD_strs:
    case FIELD_choices:
    case FIELD_u8s:
    case FIELD_u16s:
    case FIELD_u32s:
    case FIELD_dict: {
        size_t n;
        memcpy(&n, base + f->extra_offset, sizeof n);
        return copy_list(f, pointer, n, arena);
    }
    case FIELD_json:
        *pointer = NULL;
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

enum err shape_copy(const struct shape *shape, const void *in, void *out, struct arena *arena)
{
    memcpy(out, in, shape->size);
    enum err e = OK;
    for (size_t i = 0; e == OK && i < shape->n_fields; i++)
        e = copy_field(&shape->fields[i], out, arena);
    return e;
}
