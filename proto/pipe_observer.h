/* Payloads of the pipe protocol: RTP observers (audio levels, active speaker). Structs and tables
 * only; no IO. */
#ifndef WEIR_PROTO_PIPE_OBSERVER_H
#define WEIR_PROTO_PIPE_OBSERVER_H

#include "proto/pipe_common.h"

#define RTP_OBSERVER_ADD_PRODUCER_REQUEST_FIELDS(X, S)                                             \
    X(S, str, producer_id, "producerId", REQ, 1, ID_MAX, _, "Audio producer to observe.")
SHAPE_STRUCT(rtp_observer_add_producer_request, RTP_OBSERVER_ADD_PRODUCER_REQUEST_FIELDS);

#define RTP_OBSERVER_REMOVE_PRODUCER_REQUEST_FIELDS(X, S)                                          \
    X(S, str, producer_id, "producerId", REQ, 1, ID_MAX, _, "Producer to leave alone.")
SHAPE_STRUCT(rtp_observer_remove_producer_request, RTP_OBSERVER_REMOVE_PRODUCER_REQUEST_FIELDS);

#define ACTIVE_SPEAKER_OBSERVER_DOMINANT_SPEAKER_EVENT_FIELDS(X, S)                                \
    X(S, str, producer_id, "producerId", REQ, 1, ID_MAX, _, "Who speaks now.")
SHAPE_STRUCT(active_speaker_observer_dominant_speaker_event,
             ACTIVE_SPEAKER_OBSERVER_DOMINANT_SPEAKER_EVENT_FIELDS);

#define AUDIO_VOLUME_FIELDS(X, S)                                                                  \
    X(S, str, producer_id, "producerId", REQ, 1, ID_MAX, _, "Whose volume.")                       \
    X(S, i64, volume, "volume", REQ, -127, 0, _, "Average of the interval in dBov.")
SHAPE_STRUCT(audio_volume, AUDIO_VOLUME_FIELDS);

#define AUDIO_LEVEL_OBSERVER_VOLUMES_EVENT_FIELDS(X, S)                                            \
    X(S, objs, volumes, "volumes", REQ, 1, UINT16_MAX, audio_volume, "The loudest first.")
SHAPE_STRUCT(audio_level_observer_volumes_event, AUDIO_LEVEL_OBSERVER_VOLUMES_EVENT_FIELDS);

#endif
