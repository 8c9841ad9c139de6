#include "controller/net/certificate.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* OpenSSL has a type of the same name as our error code. */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/pem.h>
#include <openssl/x509.h>
#undef ERR_STATE

#include "common/log.h"

static enum err fail(char *error, size_t n, const char *file, const char *why)
{
    snprintf(error, n, "cannot use %s: %s", file, why);
    return ERR_MALFORMED;
}

/* Instead of asking at the terminal. */
static int no_password(char *buf, int size, int writing, void *user)
{
    bool *asked = user;
    (void)buf;
    (void)size;
    (void)writing;
    *asked = true;
    return -1;
}

static enum err read_certificate(const char *file, X509 **out, char *error, size_t n)
{
    FILE *f = fopen(file, "r");
    if (!f) {
        snprintf(error, n, "cannot read %s: %s", file, strerror(errno));
        return ERR_IO;
    }
    *out = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    return *out ? OK : fail(error, n, file, "there is no certificate in PEM form in it");
}

static enum err read_key(const char *file, EVP_PKEY **out, char *error, size_t n)
{
    FILE *f = fopen(file, "r");
    if (!f) {
        snprintf(error, n, "cannot read %s: %s", file, strerror(errno));
        return ERR_IO;
    }
    bool asked = false;
    *out = PEM_read_PrivateKey(f, NULL, no_password, &asked);
    fclose(f);
    if (*out)
        return OK;
    return fail(error, n, file,
                asked ? "the key in it is protected by a password"
                      : "there is no private key in PEM form in it");
}

static void warn_of_dates(const char *file, const X509 *cert)
{
    if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
        log_warn("net.certificate_expired", "file=%s", file);
    if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
        log_warn("net.certificate_not_valid_yet", "file=%s", file);
}

enum err certificate_check(const char *cert_file, const char *key_file, char *error,
                           size_t error_size)
{
    X509 *cert = NULL;
    EVP_PKEY *key = NULL;
    enum err e = read_certificate(cert_file, &cert, error, error_size);
    if (e == OK)
        e = read_key(key_file, &key, error, error_size);
    if (e == OK && X509_check_private_key(cert, key) != 1)
        e = fail(error, error_size, key_file, "it is not the key to the certificate");
    if (e == OK)
        warn_of_dates(cert_file, cert);
    X509_free(cert);
    EVP_PKEY_free(key);
    return e;
}
