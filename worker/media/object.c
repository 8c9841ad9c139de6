#define HASH_NONFATAL_OOM 1
#include "worker/media/object.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct object_entry {
    struct object *object; /* borrowed; removes itself */
    UT_hash_handle hh;
};

static struct object_entry *find(const struct objects *registry, const char *id)
{
    struct object_entry *entry;
    HASH_FIND_STR(registry->by_id, id, entry);
    return entry;
}

enum err object_init(struct object *o, struct objects *registry, enum object_kind kind,
                     const char *id)
{
    *o = (struct object){.kind = kind};
    if (find(registry, id))
        return ERR_EXISTS;
    struct object_entry *entry = calloc(1, sizeof *entry);
    char *copy = strdup(id);
    if (entry && copy) {
        entry->object = o;
        HASH_ADD_KEYPTR(hh, registry->by_id, copy, strlen(copy), entry);
    }
    if (!entry || !copy || !entry->hh.tbl) {
        free(entry);
        free(copy);
        return ERR_NOMEM;
    }
    o->id = copy;
    o->registry = registry;
    o->entry = entry;
    registry->count++;
    return OK;
}

void object_fini(struct object *o)
{
    if (o->registry) {
        HASH_DEL(o->registry->by_id, o->entry);
        free(o->entry);
        o->registry->count--;
    }
    free(o->id);
    *o = (struct object){0};
}

struct object *object_find(const struct objects *registry, enum object_kind kind, const char *id)
{
    struct object_entry *entry = find(registry, id);
    return entry && entry->object->kind == kind ? entry->object : NULL;
}
