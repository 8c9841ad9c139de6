/* Chat between controllers, by Redis: a list of the last hundred messages a room, that Redis puts
 * in order for all, and a channel a room on which every controller hears what it is to show. While
 * Redis is away each controller goes on by itself; when it is back what each has is put together.
 * Private to chat/. */
#ifndef WEIR_CONTROLLER_CHAT_CHAT_BUS_H
#define WEIR_CONTROLLER_CHAT_CHAT_BUS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "controller/chat/chat_history.h"
#include "controller/chat/chat_rules.h"

struct chat;
struct chat_bus;
struct chat_room;

MUST_CHECK enum err chat_bus_open(struct chat *c, struct chat_bus **out);

/* All take NULL for the bus: there is none. */
void chat_bus_close(struct chat_bus *b);
/* About once a second. */
void chat_bus_tick(struct chat_bus *b);
void chat_bus_join(struct chat_bus *b, struct chat_room *r);
void chat_bus_leave(struct chat_bus *b, struct chat_room *r);

/* True: m is taken over, and comes to the room in its turn. False: it cannot be said there now. */
bool chat_bus_say(struct chat_bus *b, struct chat_room *r, struct chat_message *m);
/* What was done here, for the others. */
void chat_bus_deleted(struct chat_bus *b, struct chat_room *r, const char *const *ids, size_t n,
                      const char *by);
void chat_bus_banned(struct chat_bus *b, struct chat_room *r, const struct chat_ban *ban);
void chat_bus_unbanned(struct chat_bus *b, struct chat_room *r, const char *author_id);
void chat_bus_moderator(struct chat_bus *b, struct chat_room *r, const char *author_id, bool is);
void chat_bus_settings(struct chat_bus *b, struct chat_room *r);

#endif
