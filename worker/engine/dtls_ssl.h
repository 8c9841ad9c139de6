/* What the files of dtls share: OpenSSL's SSL headers, the process's identity, and the BIO that
 * turns one write into one datagram. Internal to dtls. */
#ifndef WEIR_WORKER_ENGINE_DTLS_SSL_H
#define WEIR_WORKER_ENGINE_DTLS_SSL_H

#define ERR_STATE OPENSSL_ERR_STATE /* a type of theirs; see ossl.h */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#undef ERR_STATE

#include "worker/engine/dtls.h"

struct dtls_identity {
    SSL_CTX *ctx;         /* owned */
    BIO_METHOD *datagram; /* owned; of every association's BIO */
    char fingerprints[DTLS_HASH_COUNT][DTLS_FINGERPRINT_TEXT_MAX];
};

/* The two ends of an association's BIO, valid during one call into OpenSSL. */
struct dtls_wire {
    struct slice in;  /* borrowed: the datagram that has not been read yet; p NULL: none */
    struct sink *out; /* borrowed; NULL: what is written gets lost */
};

/* NULL when out of memory. */
BIO_METHOD *dtls_bio_method(void);
/* NULL when out of memory. wire outlives the BIO. */
BIO *dtls_bio_new(const BIO_METHOD *method, struct dtls_wire *wire);

/* Called by OpenSSL for the peer's certificate, in dtls.c. */
int dtls_verify_certificate(X509_STORE_CTX *store, void *arg);
/* Digest of a certificate; false when out of memory. out: EVP_MAX_MD_SIZE. */
bool dtls_certificate_digest(const X509 *cert, enum dtls_hash hash, uint8_t *out);
size_t dtls_hash_len(enum dtls_hash hash);

#endif
