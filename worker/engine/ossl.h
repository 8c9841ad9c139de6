/* OpenSSL's headers for the engines. Some of them declare a type ERR_STATE, which is one of our
 * error codes; here it gets another name on the way in. */
#ifndef WEIR_WORKER_ENGINE_OSSL_H
#define WEIR_WORKER_ENGINE_OSSL_H

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#undef ERR_STATE

#endif
