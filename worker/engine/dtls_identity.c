#include "worker/engine/dtls_ssl.h"

#include <stdlib.h>
#include <string.h>

#include "worker/engine/ossl.h"

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#undef ERR_STATE

/* RFC 8827 6.5: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 must be there; all with forward secrecy. */
static const char CIPHERS[] = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES";
/* Our order, as the server's order wins. RFC 8827 6.5: the SHA1_80 suite must be there. */
static const char SRTP_PROFILES[] = "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:"
                                    "SRTP_AES128_CM_SHA1_80:SRTP_AES128_CM_SHA1_32";
/* Peers do not look at the dates: the fingerprint is what counts. */
enum { VALID_FROM_S = -24 * 3600, VALID_FOR_S = 10 * 365 * 24 * 3600, SERIAL_BYTES = 8 };

static const EVP_MD *md_of(enum dtls_hash hash)
{
    static const EVP_MD *(*const MDS[DTLS_HASH_COUNT])(void) = {
        [DTLS_SHA1] = EVP_sha1,     [DTLS_SHA224] = EVP_sha224, [DTLS_SHA256] = EVP_sha256,
        [DTLS_SHA384] = EVP_sha384, [DTLS_SHA512] = EVP_sha512,
    };
    return MDS[hash]();
}

bool dtls_certificate_digest(const X509 *cert, enum dtls_hash hash, uint8_t *out)
{
    unsigned n = 0;
    return X509_digest(cert, md_of(hash), out, &n) == 1 && n == dtls_hash_len(hash);
}

static enum err write_fingerprints(struct dtls_identity *id, const X509 *cert)
{
    static const char HEX[] = "0123456789ABCDEF";
    for (enum dtls_hash h = 0; h < DTLS_HASH_COUNT; h++) {
        uint8_t digest[EVP_MAX_MD_SIZE];
        if (!dtls_certificate_digest(cert, h, digest))
            return ERR_CRYPTO;
        char *p = id->fingerprints[h];
        for (size_t i = 0; i < dtls_hash_len(h); i++) {
            *p++ = HEX[digest[i] >> 4];
            *p++ = HEX[digest[i] & 15];
            *p++ = ':';
        }
        p[-1] = '\0';
    }
    return OK;
}

static enum err fill_certificate(X509 *cert, EVP_PKEY *key)
{
    uint8_t serial[SERIAL_BYTES];
    if (RAND_bytes(serial, sizeof serial) != 1)
        return ERR_CRYPTO;
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, and of full length */
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    ASN1_INTEGER *asn1 = number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    X509_NAME *name = X509_get_subject_name(cert); /* borrowed from cert */
    bool ok = asn1 && X509_set_version(cert, X509_VERSION_3) == 1 &&
              X509_set_serialNumber(cert, asn1) == 1 &&
              X509_gmtime_adj(X509_getm_notBefore(cert), VALID_FROM_S) &&
              X509_gmtime_adj(X509_getm_notAfter(cert), VALID_FOR_S) &&
              X509_set_pubkey(cert, key) == 1 &&
              X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"WebRTC", -1,
                                         -1, 0) == 1 &&
              X509_set_issuer_name(cert, name) == 1 && X509_sign(cert, key, EVP_sha256()) > 0;
    ASN1_INTEGER_free(asn1);
    BN_free(number);
    return ok ? OK : ERR_CRYPTO;
}

static enum err use_generated(struct dtls_identity *id)
{
    enum err e = ERR_CRYPTO;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    if (!key || !cert)
        goto out;
    e = fill_certificate(cert, key);
    if (e != OK)
        goto out;
    if (SSL_CTX_use_certificate(id->ctx, cert) != 1 || SSL_CTX_use_PrivateKey(id->ctx, key) != 1)
        e = ERR_CRYPTO;
out:
    X509_free(cert);
    EVP_PKEY_free(key);
    return e;
}

/* An encrypted key must not make OpenSSL ask at the terminal. */
static int no_password(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return 0;
}

static bool readable(const char *file)
{
    BIO *bio = BIO_new_file(file, "r");
    BIO_free(bio);
    return bio != NULL;
}

static enum err use_files(struct dtls_identity *id, const char *cert_file, const char *key_file)
{
    if (!readable(cert_file) || !readable(key_file))
        return ERR_IO;
    SSL_CTX_set_default_passwd_cb(id->ctx, no_password);
    if (SSL_CTX_use_certificate_chain_file(id->ctx, cert_file) != 1 ||
        SSL_CTX_use_PrivateKey_file(id->ctx, key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(id->ctx) != 1)
        return ERR_MALFORMED;
    return OK;
}

static enum err configure(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_quiet_shutdown(ctx, 0);
    /* RFC 8842 5.1, RFC 5763 5: both sides send a certificate, and its digest must be the announced
     * one. Chains and dates mean nothing here. */
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, dtls_verify_certificate, NULL);
    /* SSL_CTX_set_tlsext_use_srtp returns 0 when it succeeds. */
    if (SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(ctx, CIPHERS) != 1 ||
        SSL_CTX_set_tlsext_use_srtp(ctx, SRTP_PROFILES) != 0)
        return ERR_CRYPTO;
    return OK;
}

enum err dtls_identity_open(struct dtls_identity **out, const char *cert_file, const char *key_file)
{
    ERR_clear_error();
    if ((cert_file == NULL) != (key_file == NULL))
        return ERR_TYPE;
    struct dtls_identity *id = calloc(1, sizeof *id);
    if (!id)
        return ERR_NOMEM;
    enum err e = ERR_NOMEM;
    id->ctx = SSL_CTX_new(DTLS_method());
    id->datagram = dtls_bio_method();
    if (id->ctx && id->datagram)
        e = configure(id->ctx);
    if (e == OK)
        e = cert_file ? use_files(id, cert_file, key_file) : use_generated(id);
    if (e == OK)
        e = write_fingerprints(id, SSL_CTX_get0_certificate(id->ctx));
    ERR_clear_error();
    if (e != OK) {
        dtls_identity_close(id);
        return e;
    }
    *out = id;
    return OK;
}

void dtls_identity_close(struct dtls_identity *id)
{
    if (!id)
        return;
    SSL_CTX_free(id->ctx);
    BIO_meth_free(id->datagram);
    free(id);
}

const char *dtls_identity_fingerprint(const struct dtls_identity *id, enum dtls_hash hash)
{
    return id->fingerprints[hash];
}
