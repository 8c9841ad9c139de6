#include "proto/signaling.h"

#include <string.h>

CHOICE_DEFINE(sig_role, SIG_ROLE_MAP)

SHAPE_DEFINE(sig_room_hls, SIG_ROOM_HLS_FIELDS)
SHAPE_DEFINE(sig_create_room, SIG_CREATE_ROOM_FIELDS)
SHAPE_DEFINE(sig_create_room_answer, SIG_CREATE_ROOM_ANSWER_FIELDS)
SHAPE_DEFINE(sig_join_room, SIG_JOIN_ROOM_FIELDS)
SHAPE_DEFINE(sig_peer_info, SIG_PEER_INFO_FIELDS)
SHAPE_DEFINE(sig_producer_info, SIG_PRODUCER_INFO_FIELDS)
SHAPE_DEFINE(sig_data_producer_info, SIG_DATA_PRODUCER_INFO_FIELDS)
SHAPE_DEFINE(sig_join_room_answer, SIG_JOIN_ROOM_ANSWER_FIELDS)
SHAPE_DEFINE(sig_create_transport, SIG_CREATE_TRANSPORT_FIELDS)
SHAPE_DEFINE(sig_transport_answer, SIG_TRANSPORT_ANSWER_FIELDS)
SHAPE_DEFINE(sig_connect_transport, SIG_CONNECT_TRANSPORT_FIELDS)
SHAPE_DEFINE(sig_connect_transport_answer, SIG_CONNECT_TRANSPORT_ANSWER_FIELDS)
SHAPE_DEFINE(sig_on_transport, SIG_ON_TRANSPORT_FIELDS)
SHAPE_DEFINE(sig_restart_ice_answer, SIG_RESTART_ICE_ANSWER_FIELDS)
SHAPE_DEFINE(sig_produce, SIG_PRODUCE_FIELDS)
SHAPE_DEFINE(sig_id_answer, SIG_ID_ANSWER_FIELDS)
SHAPE_DEFINE(sig_consume, SIG_CONSUME_FIELDS)
SHAPE_DEFINE(sig_consume_answer, SIG_CONSUME_ANSWER_FIELDS)
SHAPE_DEFINE(sig_on_producer, SIG_ON_PRODUCER_FIELDS)
SHAPE_DEFINE(sig_on_consumer, SIG_ON_CONSUMER_FIELDS)
SHAPE_DEFINE(sig_preferred_layers, SIG_PREFERRED_LAYERS_FIELDS)
SHAPE_DEFINE(sig_priority, SIG_PRIORITY_FIELDS)
SHAPE_DEFINE(sig_produce_data, SIG_PRODUCE_DATA_FIELDS)
SHAPE_DEFINE(sig_consume_data, SIG_CONSUME_DATA_FIELDS)
SHAPE_DEFINE(sig_on_data_producer, SIG_ON_DATA_PRODUCER_FIELDS)
SHAPE_DEFINE(sig_on_data_consumer, SIG_ON_DATA_CONSUMER_FIELDS)
SHAPE_DEFINE(sig_consume_data_answer, SIG_CONSUME_DATA_ANSWER_FIELDS)
SHAPE_DEFINE(sig_change_display_name, SIG_CHANGE_DISPLAY_NAME_FIELDS)

CHOICE_DEFINE(sig_chat_role, SIG_CHAT_ROLE_MAP)
SHAPE_DEFINE(sig_chat_reply, SIG_CHAT_REPLY_FIELDS)
SHAPE_DEFINE(sig_chat_message, SIG_CHAT_MESSAGE_FIELDS)
SHAPE_DEFINE(sig_send_chat, SIG_SEND_CHAT_FIELDS)
SHAPE_DEFINE(sig_send_chat_answer, SIG_SEND_CHAT_ANSWER_FIELDS)
SHAPE_DEFINE(sig_get_chat_history, SIG_GET_CHAT_HISTORY_FIELDS)
SHAPE_DEFINE(sig_chat_messages, SIG_CHAT_MESSAGES_FIELDS)
SHAPE_DEFINE(sig_on_chat_message, SIG_ON_CHAT_MESSAGE_FIELDS)
SHAPE_DEFINE(sig_ban_from_chat, SIG_BAN_FROM_CHAT_FIELDS)
SHAPE_DEFINE(sig_on_chat_author, SIG_ON_CHAT_AUTHOR_FIELDS)
SHAPE_DEFINE(sig_chat_ban, SIG_CHAT_BAN_FIELDS)
SHAPE_DEFINE(sig_chat_bans, SIG_CHAT_BANS_FIELDS)
SHAPE_DEFINE(sig_set_chat_moderator, SIG_SET_CHAT_MODERATOR_FIELDS)
SHAPE_DEFINE(sig_chat_settings, SIG_CHAT_SETTINGS_FIELDS)
SHAPE_DEFINE(sig_chat_history, SIG_CHAT_HISTORY_FIELDS)
SHAPE_DEFINE(sig_chat_deleted, SIG_CHAT_DELETED_FIELDS)
SHAPE_DEFINE(sig_chat_identity, SIG_CHAT_IDENTITY_FIELDS)
SHAPE_DEFINE(sig_chat_rules, SIG_CHAT_RULES_FIELDS)

SHAPE_DEFINE(sig_producer_gone, SIG_PRODUCER_GONE_FIELDS)
SHAPE_DEFINE(sig_data_producer_gone, SIG_DATA_PRODUCER_GONE_FIELDS)
SHAPE_DEFINE(sig_data_producers_changed, SIG_DATA_PRODUCERS_CHANGED_FIELDS)
SHAPE_DEFINE(sig_data_consumer_closed, SIG_DATA_CONSUMER_CLOSED_FIELDS)
SHAPE_DEFINE(sig_producers_changed, SIG_PRODUCERS_CHANGED_FIELDS)
SHAPE_DEFINE(sig_peer_left, SIG_PEER_LEFT_FIELDS)
SHAPE_DEFINE(sig_producer_score, SIG_PRODUCER_SCORE_FIELDS)
SHAPE_DEFINE(sig_consumer_score, SIG_CONSUMER_SCORE_FIELDS)
SHAPE_DEFINE(sig_layers_changed, SIG_LAYERS_CHANGED_FIELDS)
SHAPE_DEFINE(sig_consumer_closed, SIG_CONSUMER_CLOSED_FIELDS)
SHAPE_DEFINE(sig_viewer_count, SIG_VIEWER_COUNT_FIELDS)
SHAPE_DEFINE(sig_hls_ready, SIG_HLS_READY_FIELDS)
SHAPE_DEFINE(sig_stream_ended, SIG_STREAM_ENDED_FIELDS)
SHAPE_DEFINE(sig_reconnect, SIG_RECONNECT_FIELDS)

const struct sig_method_row sig_methods[SIG_METHOD_COUNT] = {
#define X(id, name, request, answer, doc) [id] = {name, request, answer, doc},
    SIGNALING_METHODS(X)
#undef X
};

const struct sig_event_row sig_events[SIG_EVENT_COUNT] = {
#define X(id, name, payload, doc) [id] = {name, payload, doc},
    SIGNALING_EVENTS(X)
#undef X
};

int sig_method_find(const char *name)
{
    for (int i = 0; i < SIG_METHOD_COUNT; i++) {
        if (strcmp(sig_methods[i].name, name) == 0)
            return i;
    }
    return -1;
}
