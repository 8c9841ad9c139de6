/* What the API says about recordings, and takes. Tables only; no IO. Private to record/. */
#ifndef WEIR_CONTROLLER_RECORD_RECORDING_SHAPES_H
#define WEIR_CONTROLLER_RECORD_RECORDING_SHAPES_H

#include "common/fields.h"

#define RECORDING_ANSWER_FIELDS(X, S)                                                              \
    X(S, str, id, "id", REQ, 36, 36, _, "Of the recording.")                                       \
    X(S, str, room_id, "roomId", REQ, 1, 64, _, "Where it was.")                                   \
    X(S, str, stream_id, "streamId", REQ, 0, 36, _, "Which stream it is of.")                      \
    X(S, str, title, "title", REQ, 0, 200, _, "For people.")                                       \
    X(S, str, kind, "kind", REQ, 1, 8, _, "stream or clip.")                                       \
    X(S, str, status, "status", REQ, 1, 16, _, "recording, processing, ready or failed.")          \
    X(S, str, visibility, "visibility", REQ, 1, 16, _, "private, unlisted or public.")             \
    X(S, i64, started_at, "startedAt", REQ, 0, INT64_MAX, _, "Milliseconds since 1970 UTC.")       \
    X(S, json, ended_at, "endedAt", REQ, 0, 0, _, "As startedAt; null while it goes on.")          \
    X(S, i64, duration_ms, "durationMs", REQ, 0, INT64_MAX, _, "Milliseconds.")                    \
    X(S, i64, size_bytes, "sizeBytes", REQ, 0, INT64_MAX, _, "Of its files.")                      \
    X(S, str, failure, "failure", REQ, 0, 1024, _, "Why it failed or ended early, or null.")       \
    X(S, str, video_url, "videoUrl", OPT, 0, 128, _, "Once it is ready, as the others.")           \
    X(S, str, poster_url, "posterUrl", OPT, 0, 128, _, "A picture in full size.")                  \
    X(S, str, thumbnail_url, "thumbnailUrl", OPT, 0, 128, _, "A small picture.")                   \
    X(S, str, sprite_url, "spriteUrl", OPT, 0, 128, _, "WebVTT of small pictures for seeking.")
SHAPE_STRUCT(recording_answer, RECORDING_ANSWER_FIELDS);

#define RECORDINGS_ANSWER_FIELDS(X, S)                                                             \
    X(S, objs, recordings, "recordings", REQ, 0, 200, recording_answer, "The newest first.")
SHAPE_STRUCT(recordings_answer, RECORDINGS_ANSWER_FIELDS);

#define RECORDING_CHANGE_FIELDS(X, S)                                                              \
    X(S, str, title, "title", OPT, 0, 200, _, "The title.")                                        \
    X(S, str, visibility, "visibility", OPT, 0, 16, _, "private, unlisted or public.")
SHAPE_STRUCT(recording_change, RECORDING_CHANGE_FIELDS);

#endif
