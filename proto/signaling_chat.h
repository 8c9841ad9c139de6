/* Chat in the signaling vocabulary: payloads of its methods and events over /ws (DESIGN 5). Structs
 * and tables only; no IO. Times are milliseconds since 1970 UTC. */
#ifndef WEIR_PROTO_SIGNALING_CHAT_H
#define WEIR_PROTO_SIGNALING_CHAT_H

#include "common/fields.h"

enum {
    SIG_CHAT_MAX = 2000,        /* bytes of a message; the service may allow fewer characters */
    SIG_CHAT_HISTORY = 100,     /* messages that everybody gets on joining */
    SIG_CHAT_MENTIONS_MAX = 10, /* people that one message tells */
    SIG_CHAT_ID_MAX = 64,
    SIG_CHAT_NAME_MAX = 64,
    SIG_CHAT_WORDS_MAX = 200,
    SIG_CHAT_SLOW_MAX = 6 * 3600,         /* seconds */
    SIG_CHAT_TIMEOUT_MAX = 14 * 24 * 3600 /* seconds; beyond, it is a ban */
};

#define SIG_CHAT_ROLE_MAP(X)                                                                       \
    X(SIG_CHAT_VIEWER, "viewer", "Anybody.")                                                       \
    X(SIG_CHAT_MODERATOR, "moderator", "Deletes, times out, bans.")                                \
    X(SIG_CHAT_BROADCASTER, "broadcaster", "Whose room it is; makes moderators.")                  \
    X(SIG_CHAT_ADMIN, "admin", "Of the service.")
CHOICE_ENUM(sig_chat_role, SIG_CHAT_ROLE_MAP);

#define SIG_CHAT_REPLY_FIELDS(X, S)                                                                \
    X(S, str, message_id, "messageId", REQ, 1, SIG_CHAT_ID_MAX, _, "What is answered.")            \
    X(S, str, author_id, "authorId", REQ, 1, SIG_CHAT_ID_MAX, _, "Who wrote that.")                \
    X(S, str, display_name, "displayName", REQ, 0, SIG_CHAT_NAME_MAX, _, "Their name.")            \
    X(S, str, message, "message", REQ, 0, SIG_CHAT_MAX, _, "How it begins.")
SHAPE_STRUCT(sig_chat_reply, SIG_CHAT_REPLY_FIELDS);

#define SIG_CHAT_MESSAGE_FIELDS(X, S)                                                              \
    X(S, str, message_id, "messageId", REQ, 1, SIG_CHAT_ID_MAX, _,                                 \
      "A UUID that grows with time (version 7).")                                                  \
    X(S, str, author_id, "authorId", REQ, 1, SIG_CHAT_ID_MAX, _,                                   \
      "Who wrote it: an account, or a guest.")                                                     \
    X(S, str, display_name, "displayName", REQ, 0, SIG_CHAT_NAME_MAX, _,                           \
      "The name at that time; may be empty.")                                                      \
    X(S, choice, role, "role", REQ, 0, 0, sig_chat_role_names, "The role at that time.")           \
    X(S, flag, guest, "guest", REQ, 0, 0, _, "Without an account.")                                \
    X(S, str, message, "message", REQ, 0, SIG_CHAT_MAX, _,                                         \
      "Plain text on one line. Show it as text, never as HTML.")                                   \
    X(S, i64, created_at, "createdAt", REQ, 0, INT64_MAX, _, "When the service got it.")           \
    X(S, strs, mentions, "mentions", OPT, 0, SIG_CHAT_MENTIONS_MAX, _,                             \
      "authorId of people in it by @name.")                                                        \
    X(S, obj, reply_to, "replyTo", OPT, 0, 0, sig_chat_reply, "What it answers.")
SHAPE_STRUCT(sig_chat_message, SIG_CHAT_MESSAGE_FIELDS);

/* ---- methods ---- */

#define SIG_SEND_CHAT_FIELDS(X, S)                                                                 \
    X(S, str, message, "message", REQ, 1, SIG_CHAT_MAX, _,                                         \
      "Text. Line breaks become spaces; control characters are dropped.")                          \
    X(S, str, reply_to, "replyTo", OPT, 1, SIG_CHAT_ID_MAX, _, "messageId of what it answers.")
SHAPE_STRUCT(sig_send_chat, SIG_SEND_CHAT_FIELDS);

#define SIG_SEND_CHAT_ANSWER_FIELDS(X, S)                                                          \
    X(S, str, message_id, "messageId", REQ, 1, SIG_CHAT_ID_MAX, _,                                 \
      "It comes to all, its author too, as chatMessage.")
SHAPE_STRUCT(sig_send_chat_answer, SIG_SEND_CHAT_ANSWER_FIELDS);

#define SIG_GET_CHAT_HISTORY_FIELDS(X, S)                                                          \
    X(S, u16, limit, "limit", OPT, 1, SIG_CHAT_HISTORY, _, "At most; 100 if left out.")            \
    X(S, str, before, "before", OPT, 1, SIG_CHAT_ID_MAX, _,                                        \
      "Only what is older than this messageId: from the database.")
SHAPE_STRUCT(sig_get_chat_history, SIG_GET_CHAT_HISTORY_FIELDS);

#define SIG_CHAT_MESSAGES_FIELDS(X, S)                                                             \
    X(S, objs, messages, "messages", REQ, 0, SIG_CHAT_HISTORY, sig_chat_message,                   \
      "The oldest first.")
SHAPE_STRUCT(sig_chat_messages, SIG_CHAT_MESSAGES_FIELDS);

#define SIG_ON_CHAT_MESSAGE_FIELDS(X, S)                                                           \
    X(S, str, message_id, "messageId", REQ, 1, SIG_CHAT_ID_MAX, _, "Which.")
SHAPE_STRUCT(sig_on_chat_message, SIG_ON_CHAT_MESSAGE_FIELDS);

#define SIG_BAN_FROM_CHAT_FIELDS(X, S)                                                             \
    X(S, str, author_id, "authorId", REQ, 1, SIG_CHAT_ID_MAX, _, "Whom.")                          \
    X(S, u32, seconds, "seconds", OPT, 1, SIG_CHAT_TIMEOUT_MAX, _,                                 \
      "A time-out of so long; for good if left out.")                                              \
    X(S, str, reason, "reason", OPT, 0, 200, _, "Told to them.")
SHAPE_STRUCT(sig_ban_from_chat, SIG_BAN_FROM_CHAT_FIELDS);

#define SIG_ON_CHAT_AUTHOR_FIELDS(X, S)                                                            \
    X(S, str, author_id, "authorId", REQ, 1, SIG_CHAT_ID_MAX, _, "Whom.")
SHAPE_STRUCT(sig_on_chat_author, SIG_ON_CHAT_AUTHOR_FIELDS);

#define SIG_CHAT_BAN_FIELDS(X, S)                                                                  \
    X(S, str, author_id, "authorId", REQ, 1, SIG_CHAT_ID_MAX, _, "Who.")                           \
    X(S, str, display_name, "displayName", REQ, 0, SIG_CHAT_NAME_MAX, _, "The name at that time.") \
    X(S, i64, until, "until", OPT, 0, INT64_MAX, _, "When it ends; for good if left out.")         \
    X(S, str, reason, "reason", OPT, 0, 200, _, "Why.")
SHAPE_STRUCT(sig_chat_ban, SIG_CHAT_BAN_FIELDS);

#define SIG_CHAT_BANS_FIELDS(X, S)                                                                 \
    X(S, objs, bans, "bans", REQ, 0, 65536, sig_chat_ban, "Bans and time-outs that hold now.")
SHAPE_STRUCT(sig_chat_bans, SIG_CHAT_BANS_FIELDS);

#define SIG_SET_CHAT_MODERATOR_FIELDS(X, S)                                                        \
    X(S, str, author_id, "authorId", REQ, 1, SIG_CHAT_ID_MAX, _, "Whom.")                          \
    X(S, flag, moderator, "moderator", REQ, 0, 0, _, "Whether they are from now on.")
SHAPE_STRUCT(sig_set_chat_moderator, SIG_SET_CHAT_MODERATOR_FIELDS);

#define SIG_CHAT_SETTINGS_FIELDS(X, S)                                                             \
    X(S, u32, slow_mode, "slowMode", OPT, 0, SIG_CHAT_SLOW_MAX, _,                                 \
      "Seconds between two messages of a viewer; 0: no slow mode.")                                \
    X(S, flag, links, "links", OPT, 0, 0, _, "Whether viewers may write links.")                   \
    X(S, strs, words, "words", OPT, 0, SIG_CHAT_WORDS_MAX, _,                                      \
      "Words that viewers may not write; told to moderators only.")
SHAPE_STRUCT(sig_chat_settings, SIG_CHAT_SETTINGS_FIELDS);

/* ---- events ---- */

#define SIG_CHAT_HISTORY_FIELDS(X, S)                                                              \
    X(S, objs, messages, "messages", REQ, 0, SIG_CHAT_HISTORY, sig_chat_message,                   \
      "The last ones, the oldest first: all that a client should show.")                           \
    X(S, u32, slow_mode, "slowMode", REQ, 0, SIG_CHAT_SLOW_MAX, _, "Seconds; 0: no slow mode.")    \
    X(S, flag, links, "links", REQ, 0, 0, _, "Whether viewers may write links.")                   \
    X(S, u16, message_max, "messageMax", REQ, 0, SIG_CHAT_MAX, _, "Characters of a message.")
SHAPE_STRUCT(sig_chat_history, SIG_CHAT_HISTORY_FIELDS);

#define SIG_CHAT_DELETED_FIELDS(X, S)                                                              \
    X(S, strs, message_ids, "messageIds", REQ, 1, SIG_CHAT_HISTORY, _, "Which.")
SHAPE_STRUCT(sig_chat_deleted, SIG_CHAT_DELETED_FIELDS);

#define SIG_CHAT_IDENTITY_FIELDS(X, S)                                                             \
    X(S, str, author_id, "authorId", REQ, 1, SIG_CHAT_ID_MAX, _, "Of one's own messages.")         \
    X(S, str, display_name, "displayName", REQ, 0, SIG_CHAT_NAME_MAX, _, "One's name.")            \
    X(S, choice, role, "role", REQ, 0, 0, sig_chat_role_names, "One's role in this chat.")         \
    X(S, flag, banned, "banned", REQ, 0, 0, _, "May not write now.")                               \
    X(S, i64, until, "until", OPT, 0, INT64_MAX, _, "When that ends; never if left out.")          \
    X(S, str, reason, "reason", OPT, 0, 200, _, "Why that is.")
SHAPE_STRUCT(sig_chat_identity, SIG_CHAT_IDENTITY_FIELDS);

#define SIG_CHAT_RULES_FIELDS(X, S)                                                                \
    X(S, u32, slow_mode, "slowMode", REQ, 0, SIG_CHAT_SLOW_MAX, _, "Seconds; 0: no slow mode.")    \
    X(S, flag, links, "links", REQ, 0, 0, _, "Whether viewers may write links.")
SHAPE_STRUCT(sig_chat_rules, SIG_CHAT_RULES_FIELDS);

/* Rows of SIGNALING_METHODS and SIGNALING_EVENTS. */
#define SIGNALING_CHAT_METHODS(X)                                                                  \
    X(SIG_SEND_CHAT, "sendChat", &sig_send_chat_shape, &sig_send_chat_answer_shape,                \
      "Writes to the room's chat.")                                                                \
    X(SIG_GET_CHAT_HISTORY, "getChatHistory", &sig_get_chat_history_shape,                         \
      &sig_chat_messages_shape, "The last messages, or older ones.")                               \
    X(SIG_DELETE_CHAT_MESSAGE, "deleteChatMessage", &sig_on_chat_message_shape, NULL,              \
      "Takes a message away: moderators any but the broadcaster's, others their own.")             \
    X(SIG_BAN_FROM_CHAT, "banFromChat", &sig_ban_from_chat_shape, NULL,                            \
      "Bans somebody, or for a time, and takes their messages away. Moderators only.")             \
    X(SIG_UNBAN_FROM_CHAT, "unbanFromChat", &sig_on_chat_author_shape, NULL,                       \
      "Ends a ban or time-out. Moderators only.")                                                  \
    X(SIG_GET_CHAT_BANS, "getChatBans", NULL, &sig_chat_bans_shape,                                \
      "Who may not write. Moderators only.")                                                       \
    X(SIG_SET_CHAT_MODERATOR, "setChatModerator", &sig_set_chat_moderator_shape, NULL,             \
      "Makes somebody a moderator, or no longer. Broadcaster only.")                               \
    X(SIG_GET_CHAT_SETTINGS, "getChatSettings", NULL, &sig_chat_settings_shape,                    \
      "The room's rules. Moderators only.")                                                        \
    X(SIG_SET_CHAT_SETTINGS, "setChatSettings", &sig_chat_settings_shape,                          \
      &sig_chat_settings_shape, "Changes them; what is left out stays. Moderators only.")

#define SIGNALING_CHAT_EVENTS(X)                                                                   \
    X(SIG_EVENT_CHAT_MESSAGE, "chatMessage", &sig_chat_message_shape, "Somebody wrote.")           \
    X(SIG_EVENT_CHAT_DELETED, "chatMessageDeleted", &sig_chat_deleted_shape,                       \
      "Messages were taken away.")                                                                 \
    X(SIG_EVENT_CHAT_HISTORY, "chatHistory", &sig_chat_history_shape,                              \
      "After joining, and when what was shown has to be replaced.")                                \
    X(SIG_EVENT_CHAT_IDENTITY, "chatIdentity", &sig_chat_identity_shape,                           \
      "After joining, and when one's name, role or ban changes.")                                  \
    X(SIG_EVENT_CHAT_RULES, "chatRules", &sig_chat_rules_shape, "The room's rules changed.")

#endif
