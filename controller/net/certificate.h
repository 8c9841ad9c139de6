/* Whether a certificate and its key can be used, with the reason in words: libwebsockets says only
 * that they cannot. Reads the two files. */
#ifndef WEIR_CONTROLLER_NET_CERTIFICATE_H
#define WEIR_CONTROLLER_NET_CERTIFICATE_H

#include <stddef.h>

#include "common/err.h"

/* PEM files: a chain, the server's own certificate first, and the key to it. Not OK: error is a
 * sentence that names the file. One that has expired, or is not valid yet, is logged and goes. */
MUST_CHECK enum err certificate_check(const char *cert_file, const char *key_file, char *error,
                                      size_t error_size);

#endif
