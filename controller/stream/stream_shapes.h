/* What the API says about streams, and takes. Tables only; no IO. Private to stream/. Times are
 * milliseconds since 1970 UTC, left out where a thing has not happened. */
#ifndef WEIR_CONTROLLER_STREAM_STREAM_SHAPES_H
#define WEIR_CONTROLLER_STREAM_STREAM_SHAPES_H

#include "common/fields.h"

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
    X(S, str, stream_key, "streamKey", OPT, 0, 64, _, "The secret to send with; to the owner only.")
SHAPE_STRUCT(livestream, LIVESTREAM_FIELDS);

#define LIVESTREAMS_FIELDS(X, S)                                                                   \
    X(S, objs, streams, "streams", REQ, 0, 200, livestream, "The newest first.")
SHAPE_STRUCT(livestreams, LIVESTREAMS_FIELDS);

#define LIVE_PRODUCER_FIELDS(X, S)                                                                 \
    X(S, str, producer_id, "producerId", REQ, 1, 64, _, "Of the producer.")                        \
    X(S, str, room_id, "roomId", REQ, 1, 64, _, "Where it is.")                                    \
    X(S, str, peer_id, "peerId", REQ, 1, 64, _, "Who produces.")                                   \
    X(S, str, kind, "kind", REQ, 1, 8, _, "audio or video.")                                       \
    X(S, flag, paused, "paused", REQ, 0, 0, _, "It does not send now.")
SHAPE_STRUCT(live_producer, LIVE_PRODUCER_FIELDS);

#endif
