#include "worker/media/sctp_listener.h"

#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct sctp_listener_entry {
    UT_hash_handle hh;
    uint16_t stream;
    struct data_producer *producer; /* ref: leaves before it goes */
};

static struct sctp_listener_entry *find(const struct sctp_listener *l, uint16_t stream)
{
    struct sctp_listener_entry *e;
    HASH_FIND(hh, l->by_stream, &stream, sizeof stream, e);
    return e;
}

enum err sctp_listener_add(struct sctp_listener *l, uint16_t stream, struct data_producer *p)
{
    if (find(l, stream))
        return ERR_EXISTS;
    struct sctp_listener_entry *e = calloc(1, sizeof *e);
    if (!e)
        return ERR_NOMEM;
    e->stream = stream;
    e->producer = p;
    HASH_ADD(hh, l->by_stream, stream, sizeof e->stream, e);
    if (e->hh.tbl)
        return OK;
    free(e);
    return ERR_NOMEM;
}

void sctp_listener_remove(struct sctp_listener *l, uint16_t stream)
{
    struct sctp_listener_entry *e = find(l, stream);
    if (!e)
        return;
    HASH_DEL(l->by_stream, e);
    free(e);
}

struct data_producer *sctp_listener_find(const struct sctp_listener *l, uint16_t stream)
{
    const struct sctp_listener_entry *e = find(l, stream);
    return e ? e->producer : NULL;
}

void sctp_listener_fini(struct sctp_listener *l)
{
    struct sctp_listener_entry *e, *next;
    HASH_ITER(hh, l->by_stream, e, next)
    {
        HASH_DEL(l->by_stream, e);
        free(e);
    }
}
