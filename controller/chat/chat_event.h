/* What controllers tell each other of a chat room besides messages: JSON on the room's channel.
 * Private to chat/; structs and tables only. */
#ifndef WEIR_CONTROLLER_CHAT_CHAT_EVENT_H
#define WEIR_CONTROLLER_CHAT_CHAT_EVENT_H

#include "proto/signaling_chat.h"

#define CHAT_EVENT_KIND_MAP(X)                                                                     \
    X(CHAT_EVENT_DELETED, "deleted", "Messages were taken away.")                                  \
    X(CHAT_EVENT_BANNED, "banned", "Somebody was, or for a time.")                                 \
    X(CHAT_EVENT_UNBANNED, "unbanned", "No longer.")                                               \
    X(CHAT_EVENT_MODERATOR, "moderator", "Somebody became one, or no longer is.")                  \
    X(CHAT_EVENT_SETTINGS, "settings", "Slow mode, links, words.")
CHOICE_ENUM(chat_event_kind, CHAT_EVENT_KIND_MAP);

#define CHAT_EVENT_BAN_FIELDS(X, S)                                                                \
    X(S, str, author_id, "authorId", REQ, 1, SIG_CHAT_ID_MAX, _, "Who.")                           \
    X(S, str, address, "address", OPT, 0, 32, _, "Hashed.")                                        \
    X(S, str, display_name, "displayName", OPT, 0, SIG_CHAT_NAME_MAX, _, "Name.")                  \
    X(S, str, reason, "reason", OPT, 0, 200, _, "Why.")                                            \
    X(S, str, by, "by", REQ, 1, SIG_CHAT_ID_MAX, _, "authorId of the moderator.")                  \
    X(S, i64, since, "since", REQ, 0, INT64_MAX, _, "Milliseconds since 1970.")                    \
    X(S, i64, until, "until", OPT, 0, INT64_MAX, _, "For good if left out.")
SHAPE_STRUCT(chat_event_ban, CHAT_EVENT_BAN_FIELDS);

#define CHAT_EVENT_FIELDS(X, S)                                                                    \
    X(S, choice, kind, "kind", REQ, 0, 0, chat_event_kind_names, "What.")                          \
    X(S, str, node, "node", REQ, 1, 36, _, "Which controller says it.")                            \
    X(S, strs, message_ids, "messageIds", OPT, 0, SIG_CHAT_HISTORY, _, "Taken away.")              \
    X(S, str, by, "by", OPT, 1, SIG_CHAT_ID_MAX, _, "By whom.")                                    \
    X(S, obj, ban, "ban", OPT, 0, 0, chat_event_ban, "The ban.")                                   \
    X(S, str, author_id, "authorId", OPT, 1, SIG_CHAT_ID_MAX, _, "Of unbanned, moderator.")        \
    X(S, flag, moderator, "moderator", OPT, 0, 0, _, "Is one now.")                                \
    X(S, obj, settings, "settings", OPT, 0, 0, sig_chat_settings, "All of them.")
SHAPE_STRUCT(chat_event, CHAT_EVENT_FIELDS);

#endif
