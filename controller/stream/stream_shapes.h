/* What the API says about streams, and takes. Tables only; no IO. Private to stream/. Times are
 * milliseconds since 1970 UTC, left out where a thing has not happened. */
#ifndef WEIR_CONTROLLER_STREAM_STREAM_SHAPES_H
#define WEIR_CONTROLLER_STREAM_STREAM_SHAPES_H

#include "common/fields.h"
#include "controller/stream/stream_state.h"

#define LIVESTREAM_FIELDS(X, S)                                                                    \
    X(S, str, id, "id", REQ, 1, 36, _, "Of the stream.")                                           \
    X(S, str, room_id, "roomId", REQ, 1, 64, _, "The room whose broadcaster it shows.")            \
    X(S, str, user_id, "userId", REQ, 0, 36, _, "Whose it is; null: nobody's account.")            \
    X(S, str, title, "title", REQ, 0, 560, _, "For people.")                                       \
    X(S, str, description, "description", REQ, 0, 4000, _, "For people, longer.")                  \
    X(S, str, status, "status", REQ, 1, 16, _, "scheduled, live or ended.")                        \
    X(S, i64, scheduled_at, "scheduledAt", OPT, 0, INT64_MAX, _, "When it is to begin.")           \
    X(S, i64, started_at, "startedAt", OPT, 0, INT64_MAX, _, "When it went live.")                 \
    X(S, i64, ended_at, "endedAt", OPT, 0, INT64_MAX, _, "When it ended.")                         \
    X(S, i64, created_at, "createdAt", OPT, 0, INT64_MAX, _, "When it was created.")               \
    X(S, u64, viewer_count, "viewerCount", REQ, 0, INT64_MAX, _, "Who watch now.")                 \
    X(S, u64, viewer_count_peak, "viewerCountPeak", REQ, 0, INT64_MAX, _,                          \
      "Most that watched at one time.")                                                            \
    X(S, flag, recording_enabled, "recordingEnabled", REQ, 0, 0, _, "Whether it is recorded.")     \
    X(S, str, recording_url, "recordingUrl", REQ, 0, 2048, _, "Where its recording is, or null.")  \
    X(S, str, thumbnail_url, "thumbnailUrl", REQ, 0, 2048, _, "A picture of it, or null.")         \
    X(S, str, hls_url, "hlsUrl", REQ, 0, 256, _, "Its playlist while it plays, or null.")          \
    X(S, u32, viewer_limit, "viewerLimit", REQ, 0, UINT32_MAX, _,                                  \
      "Viewers at a time; 0: no limit.")                                                           \
    X(S, str, stream_key, "streamKey", OPT, 0, 64, _, "The secret to send with; to the owner only.")
SHAPE_STRUCT(livestream, LIVESTREAM_FIELDS);

#define LIVESTREAMS_FIELDS(X, S)                                                                   \
    X(S, objs, streams, "streams", REQ, 0, 200, livestream, "The newest first.")
SHAPE_STRUCT(livestreams, LIVESTREAMS_FIELDS);

#define LIVESTREAM_ANSWER_FIELDS(X, S) X(S, obj, stream, "stream", REQ, 0, 0, livestream, "It.")
SHAPE_STRUCT(livestream_answer, LIVESTREAM_ANSWER_FIELDS);

/* ---- in ---- */

#define STREAM_TIME_MAX INT64_C(253402300799999) /* the end of the year 9999 */

#define CREATE_STREAM_BODY_FIELDS(X, S)                                                            \
    X(S, str, title, "title", REQ, 1, STREAM_TITLE_MAX * 4, _, "For people.")                      \
    X(S, str, description, "description", OPT, 0, DESCRIPTION_MAX, _, "For people, longer.")       \
    X(S, flag, recording_enabled, "recordingEnabled", OPT, 0, 0, _, "Record it on the server.")    \
    X(S, i64, scheduled_at, "scheduledAt", OPT, 0, STREAM_TIME_MAX, _,                             \
      "When it is to begin, milliseconds since 1970 UTC; 0 is not said. With it others see it "    \
      "before it begins.")                                                                         \
    X(S, u32, viewer_limit, "viewerLimit", OPT, 0, 1000000, _, "Viewers at a time; 0: no limit.")
SHAPE_STRUCT(create_stream_body, CREATE_STREAM_BODY_FIELDS);

#define CHANGE_STREAM_BODY_FIELDS(X, S)                                                            \
    X(S, str, title, "title", OPT, 1, STREAM_TITLE_MAX * 4, _, "For people.")                      \
    X(S, str, description, "description", OPT, 0, DESCRIPTION_MAX, _, "For people, longer.")       \
    X(S, flag, recording_enabled, "recordingEnabled", OPT, 0, 0, _, "Record it on the server.")    \
    X(S, i64, scheduled_at, "scheduledAt", OPT, 0, STREAM_TIME_MAX, _, "0 takes it away.")         \
    X(S, u32, viewer_limit, "viewerLimit", OPT, 0, 1000000, _, "Viewers at a time; 0: no limit.")
SHAPE_STRUCT(change_stream_body, CHANGE_STREAM_BODY_FIELDS);

#define END_STREAM_BODY_FIELDS(X, S)                                                               \
    X(S, str, recording_url, "recordingUrl", OPT, 1, STREAM_URL_MAX - 1, _,                        \
      "Where its recording is: http://, https:// or a path on this site.")
SHAPE_STRUCT(end_stream_body, END_STREAM_BODY_FIELDS);

#define LEAVE_STREAM_BODY_FIELDS(X, S)                                                             \
    X(S, str, viewer_id, "viewerId", OPT, 1, 36, _,                                                \
      "What join answered; not needed by users and by browsers, which have a cookie.")
SHAPE_STRUCT(leave_stream_body, LEAVE_STREAM_BODY_FIELDS);

/* ---- out ---- */

#define CREATED_STREAM_FIELDS(X, S)                                                                \
    X(S, str, stream_id, "streamId", REQ, 36, 36, _, "Also the room to broadcast in.")             \
    X(S, str, stream_key, "streamKey", REQ, 32, 32, _, "Secret: who has it may broadcast.")
SHAPE_STRUCT(created_stream, CREATED_STREAM_FIELDS);

#define STREAM_KEY_ANSWER_FIELDS(X, S)                                                             \
    X(S, str, stream_key, "streamKey", REQ, 32, 32, _, "The new one; the old one is worth nothing.")
SHAPE_STRUCT(stream_key_answer, STREAM_KEY_ANSWER_FIELDS);

#define SUCCESS_FIELDS(X, S) X(S, flag, success, "success", REQ, 0, 0, _, "true.")
SHAPE_STRUCT(success, SUCCESS_FIELDS);

#define JOINED_STREAM_FIELDS(X, S)                                                                 \
    X(S, flag, success, "success", REQ, 0, 0, _, "true.")                                          \
    X(S, json, ice_servers, "iceServers", REQ, 0, 0, _, "RTCIceServer objects.")                   \
    X(S, str, viewer_id, "viewerId", REQ, 36, 36, _, "To leave with.")
SHAPE_STRUCT(joined_stream, JOINED_STREAM_FIELDS);

#define LIVE_PRODUCER_FIELDS(X, S)                                                                 \
    X(S, str, producer_id, "producerId", REQ, 1, 64, _, "Of the producer.")                        \
    X(S, str, room_id, "roomId", REQ, 1, 64, _, "Where it is.")                                    \
    X(S, str, peer_id, "peerId", REQ, 1, 64, _, "Who produces.")                                   \
    X(S, str, kind, "kind", REQ, 1, 8, _, "audio or video.")                                       \
    X(S, flag, paused, "paused", REQ, 0, 0, _, "It does not send now.")
SHAPE_STRUCT(live_producer, LIVE_PRODUCER_FIELDS);

#endif
