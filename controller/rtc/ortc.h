/* Capability negotiation between endpoints and a router (ORTC, as mediasoup does it): what a router
 * understands, how a producer's payload types and SSRCs map to the router's, what a consumer gets.
 * Pure: structs in, structs out of an arena; no IO. Outputs borrow from inputs and from the arena.
 */
#ifndef WEIR_CONTROLLER_RTC_ORTC_H
#define WEIR_CONTROLLER_RTC_ORTC_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/fields.h"
#include "common/rng.h"
#include "proto/rtp_parameters.h"

/* The media codecs that rooms have by default, RTX left out. */
extern const struct rtp_codec_capability ortc_default_codecs[];
extern const size_t ortc_n_default_codecs;

/* Everything that the worker can forward. */
const struct rtp_capabilities *ortc_supported(void);

/* What a router with these media codecs offers: payload types assigned, feedback and RTX added,
 * header extensions. ERR_UNSUPPORTED: a codec that the worker does not know; ERR_FULL: out of
 * payload types. */
MUST_CHECK enum err ortc_router_capabilities(const struct rtp_codec_capability *media, size_t n,
                                             struct arena *arena, struct rtp_capabilities *out,
                                             struct field_error *error);

/* Checks what a table cannot: kinds, RTX that names a codec, encodings, and sets defaults in place.
 * kind: of the producer, all media codecs must be of it. path: of the parameters, for errors.
 * ERR_TYPE names the field. */
MUST_CHECK enum err ortc_check_parameters(struct rtp_parameters *p, enum media_kind kind,
                                          const char *path, struct arena *arena,
                                          struct field_error *error);
MUST_CHECK enum err ortc_check_capabilities(struct rtp_capabilities *c, const char *path,
                                            struct field_error *error);

/* Payload types and SSRCs of the producer as the router knows them. The profile-level-id of H.264
 * in p becomes the answer's. ERR_UNSUPPORTED: a codec that the router does not have. */
MUST_CHECK enum err ortc_producer_mapping(struct rtp_parameters *p,
                                          const struct rtp_capabilities *router, struct rng *rng,
                                          struct arena *arena, struct rtp_mapping *out,
                                          struct field_error *error);

/* The router's codec that this one is, strictly (profile and packetization too); NULL: none. */
const struct rtp_codec_capability *ortc_find_codec(const struct rtp_capabilities *router,
                                                   const struct rtp_codec_parameters *codec);

/* What consumers of this producer can be offered. */
MUST_CHECK enum err ortc_consumable(enum media_kind kind, const struct rtp_parameters *p,
                                    const struct rtp_capabilities *router,
                                    const struct rtp_mapping *mapping, struct arena *arena,
                                    struct rtp_parameters *out);

bool ortc_can_consume(const struct rtp_parameters *consumable, const struct rtp_capabilities *caps);

/* What this endpoint gets: one encoding, codecs, feedback and extensions reduced to what it
 * understands. mid: of the transport's next media section. ERR_UNSUPPORTED: no codec in common. */
MUST_CHECK enum err ortc_consumer(const struct rtp_parameters *consumable,
                                  const struct rtp_capabilities *caps, const char *mid,
                                  bool enable_rtx, struct rng *rng, struct arena *arena,
                                  struct rtp_parameters *out, struct field_error *error);

/* As ortc_consumer, for an endpoint that has numbered payload types and extensions itself, as an
 * SDP offer does: out has the numbers of caps, and mapping which of the router's payload types each
 * one is. */
MUST_CHECK enum err ortc_consumer_numbered(const struct rtp_parameters *consumable,
                                           const struct rtp_capabilities *caps, const char *mid,
                                           struct rng *rng, struct arena *arena,
                                           struct rtp_parameters *out,
                                           struct rtp_codec_mapping **mapping, size_t *n_mapping,
                                           struct field_error *error);

/* What goes from one router to another over a pipe: all encodings, with SSRCs counted up from ssrc
 * (two an encoding) that are unique in the pipe, and the mapping by which the other router's
 * producer is as consumable as this one. */
MUST_CHECK enum err ortc_pipe(const struct rtp_parameters *consumable, uint32_t ssrc,
                              struct arena *arena, struct rtp_parameters *out,
                              struct rtp_mapping *mapping);

/* simple, simulcast or svc, by the encodings. */
enum rtp_type ortc_producer_type(const struct rtp_parameters *p);

/* Layers of a scalability mode such as L3T2_KEY; {1, 1} for NULL or anything else. */
struct ortc_layers {
    unsigned spatial;
    unsigned temporal;
};
struct ortc_layers ortc_scalability(const char *mode);

bool ortc_is_rtx(const char *mime_type);

#endif
