/* SRTP parameters as messages carry them (suite name, key and salt in base64) <-> struct srtp_key.
 * No IO. */
#ifndef WEIR_WORKER_MEDIA_SRTP_TEXT_H
#define WEIR_WORKER_MEDIA_SRTP_TEXT_H

#include "common/fields.h"
#include "common/rng.h"
#include "proto/transport_parameters.h"
#include "worker/engine/srtp_key.h"

enum { SRTP_BASE64_MAX = (SRTP_KEY_MAX + SRTP_SALT_MAX + 2) / 3 * 4 + 1 };

enum srtp_suite srtp_suite_of_param(enum param_srtp_suite suite);
enum param_srtp_suite srtp_suite_to_param(enum srtp_suite suite);

/* A random key and salt. */
void srtp_key_make(struct srtp_key *key, enum srtp_suite suite, struct rng *rng);
/* ERR_TYPE naming srtpParameters.keyBase64: not base64, or of another length than the suite's. */
MUST_CHECK enum err srtp_key_read(struct srtp_key *key, const struct srtp_parameters *p,
                                  struct field_error *f);
/* text: NUL-terminated; out->key_base64 points there. */
void srtp_key_write(const struct srtp_key *key, char text[SRTP_BASE64_MAX],
                    struct srtp_parameters *out);

#endif
