/* Which stream a session is about: asked of the database, while the session may go. */
#include <stdlib.h>
#include <string.h>

#include "controller/whip/whip_state.h"

struct lookup {
    struct whip *whip;
    whip_found_fn *found;
    char session[WHIP_ID_LEN];
};

static void on_row(void *ctx, enum err e, const struct stream_row *row)
{
    struct lookup *l = ctx;
    struct whip *w = l->whip;
    whip_found_fn *found = l->found;
    struct whip_session *s = whip_find(w, l->session);
    free(l);
    if (s && !s->ended)
        found(s, e, row);
    whip_release(w);
}

void whip_lookup(struct whip_session *s, whip_ask_fn *ask, const char *text, whip_found_fn *found)
{
    struct lookup *l = malloc(sizeof *l);
    enum err e = l ? OK : ERR_NOMEM;
    if (l) {
        *l = (struct lookup){.whip = s->whip, .found = found};
        memcpy(l->session, s->id, sizeof l->session);
        whip_hold(s->whip);
        e = ask(s->whip->config.db, text, on_row, l);
    }
    if (e == OK)
        return;
    if (l)
        whip_release(s->whip);
    free(l);
    /* What is no text the database does not take, so nothing has that name. */
    found(s, e == ERR_MALFORMED ? ERR_NOT_FOUND : e, NULL);
}
