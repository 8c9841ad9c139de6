#include "worker/engine/dtls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "worker/engine/dtls_ssl.h"
#include "worker/engine/ossl.h"

#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/pem.h>
#undef ERR_STATE

/* The first retransmission after 100 ms, doubling: RFC 6347 4.2.4.1 lets real-time applications go
 * below the 1 s that it recommends. With this limit OpenSSL's 12 tries last as long as ours. */
enum { RETRANSMIT_FIRST_US = 100 * 1000, RETRANSMIT_MAX_US = 4 * 1000 * 1000 };
/* OpenSSL's timer counts in wall time; when it disagrees with us we ask again after this. */
#define RETRANSMIT_POLL (10 * USEC_PER_MSEC)
/* RFC 6347 4.1: type, version, epoch and sequence number, length. */
enum { RECORD_HEADER_LEN = 13, RECORD_PLAIN_MAX = 16384 };
/* RFC 5764 4.2 */
static const char EXPORT_LABEL[] = "EXTRACTOR-dtls_srtp";

struct dtls {
    struct dtls_identity *id; /* outlives us */
    SSL *ssl;                 /* owned; NULL before dtls_start and after a failure */
    struct dtls_wire wire;
    enum dtls_state state;
    enum dtls_role role; /* ours */
    enum dtls_hash hash;
    uint8_t fingerprint[EVP_MAX_MD_SIZE];
    bool certificate_matches;
    bool certificate_differs;
    size_t handshake_bytes;
    usec handshake_until; /* USEC_NEVER unless CONNECTING */
    usec retransmit_at;   /* USEC_NEVER when OpenSSL has nothing in flight */
    struct srtp_key local;
    struct srtp_key remote;
    char *remote_pem; /* owned; NULL before CONNECTED */
};

static void set_state(struct dtls *d, enum dtls_state to)
{
    static const uint8_t LEGAL[DTLS_STATE_COUNT] = {
        [DTLS_NEW] = 1 << DTLS_CONNECTING | 1 << DTLS_FAILED | 1 << DTLS_CLOSED,
        [DTLS_CONNECTING] = 1 << DTLS_CONNECTED | 1 << DTLS_FAILED | 1 << DTLS_CLOSED,
        [DTLS_CONNECTED] = 1 << DTLS_CLOSED,
        [DTLS_FAILED] = 0,
        [DTLS_CLOSED] = 0,
    };
    assert(LEGAL[d->state] >> to & 1);
    d->state = to;
    if (to != DTLS_CONNECTING) {
        d->handshake_until = USEC_NEVER;
        d->retransmit_at = USEC_NEVER;
    }
    if (to == DTLS_FAILED || to == DTLS_CLOSED) {
        SSL_free(d->ssl);
        d->ssl = NULL;
        OPENSSL_cleanse(&d->local, sizeof d->local);
        OPENSSL_cleanse(&d->remote, sizeof d->remote);
    }
}

static void enter(struct dtls *d, enum dtls_state to, struct sink *out)
{
    set_state(d, to);
    sink_event(out, DTLS_EV_STATE, to, NULL);
}

static void fail(struct dtls *d, enum dtls_failure why, struct sink *out)
{
    set_state(d, DTLS_FAILED);
    sink_event(out, DTLS_EV_FAILED, why, NULL);
}

enum err dtls_open(struct dtls **out, struct dtls_identity *id)
{
    struct dtls *d = calloc(1, sizeof *d);
    if (!d)
        return ERR_NOMEM;
    d->id = id;
    d->state = DTLS_NEW;
    d->handshake_until = USEC_NEVER;
    d->retransmit_at = USEC_NEVER;
    *out = d;
    return OK;
}

void dtls_close(struct dtls *d)
{
    if (!d)
        return;
    d->wire.out = NULL;
    SSL_free(d->ssl);
    OPENSSL_free(d->remote_pem);
    OPENSSL_cleanse(d, sizeof *d);
    free(d);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* RFC 8122 5: pairs of hexadecimal digits with colons between them. */
static enum err parse_fingerprint(const char *text, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int hi = hex_digit(text[0]);
        int lo = hi < 0 ? -1 : hex_digit(text[1]);
        if (lo < 0 || text[2] != (i + 1 < n ? ':' : '\0'))
            return ERR_MALFORMED;
        out[i] = (uint8_t)(hi << 4 | lo);
        text += 3;
    }
    return OK;
}

enum err dtls_set_remote(struct dtls *d, enum dtls_role remote_role, enum dtls_hash hash,
                         const char *fingerprint)
{
    if (remote_role > DTLS_SERVER || hash >= DTLS_HASH_COUNT)
        return ERR_RANGE;
    if (d->state != DTLS_NEW)
        return ERR_STATE;
    uint8_t digest[EVP_MAX_MD_SIZE] = {0};
    enum err e = parse_fingerprint(fingerprint, digest, dtls_hash_len(hash));
    if (e != OK)
        return e;
    memcpy(d->fingerprint, digest, sizeof digest);
    d->hash = hash;
    d->role = remote_role == DTLS_CLIENT ? DTLS_SERVER : DTLS_CLIENT;
    return OK;
}

enum dtls_role dtls_local_role(const struct dtls *d)
{
    return d->role;
}

/* In place of OpenSSL's chain building: the certificate must be the announced one. */
int dtls_verify_certificate(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct dtls *d = SSL_get_app_data(ssl);
    const X509 *cert = X509_STORE_CTX_get0_cert(store);
    uint8_t digest[EVP_MAX_MD_SIZE];
    if (cert && dtls_certificate_digest(cert, d->hash, digest) &&
        CRYPTO_memcmp(digest, d->fingerprint, dtls_hash_len(d->hash)) == 0) {
        d->certificate_matches = true;
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    d->certificate_differs = true;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

/* Told 0 on the first transmission of a flight, else the last duration. */
static unsigned int next_retransmission(SSL *ssl, unsigned int last_us)
{
    (void)ssl;
    if (last_us == 0)
        return RETRANSMIT_FIRST_US;
    return last_us >= RETRANSMIT_MAX_US / 2 ? RETRANSMIT_MAX_US : last_us * 2;
}

static enum err make_ssl(struct dtls *d)
{
    d->ssl = SSL_new(d->id->ctx);
    BIO *bio = d->ssl ? dtls_bio_new(d->id->datagram, &d->wire) : NULL;
    if (!bio)
        return ERR_NOMEM;
    SSL_set_bio(d->ssl, bio, bio); /* takes the one reference for both directions */
    if (SSL_set_app_data(d->ssl, d) != 1)
        return ERR_NOMEM;
    SSL_set_mtu(d->ssl, DTLS_MTU);
    DTLS_set_timer_cb(d->ssl, next_retransmission);
    if (d->role == DTLS_CLIENT)
        SSL_set_connect_state(d->ssl);
    else
        SSL_set_accept_state(d->ssl);
    return OK;
}

/* OpenSSL keeps 33 KiB for a record each way, which between two messages of data channels, and for
 * good where there are none, hold nothing. It would take them again itself for reading, but not for
 * writing, so they are taken before each call. False: no memory. */
static bool take_buffers(struct dtls *d)
{
    return d->state == DTLS_CONNECTING || SSL_alloc_buffers(d->ssl) == 1;
}

static void give_buffers(struct dtls *d)
{
    if (d->state == DTLS_CONNECTED)
        (void)SSL_free_buffers(d->ssl); /* refused while something is in them */
    ERR_clear_error();
}

static void update_timer(struct dtls *d, usec now)
{
    struct timeval left;
    d->retransmit_at = USEC_NEVER;
    if (d->state == DTLS_CONNECTING && DTLSv1_get_timeout(d->ssl, &left) == 1)
        d->retransmit_at = now + left.tv_sec * USEC_PER_SEC + left.tv_usec;
}

/* RFC 5764 4.2: client key, server key, client salt, server salt. */
static bool export_keys(struct dtls *d)
{
    static const struct {
        unsigned long id;
        enum srtp_suite suite;
    } PROFILES[] = {
        {SRTP_AEAD_AES_128_GCM, SEAL_AES_128_GCM},
        {SRTP_AEAD_AES_256_GCM, SEAL_AES_256_GCM},
        {SRTP_AES128_CM_SHA1_80, SEAL_AES_128_CM_SHA1_80},
        {SRTP_AES128_CM_SHA1_32, SEAL_AES_128_CM_SHA1_32},
    };
    const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(d->ssl);
    enum srtp_suite suite = SRTP_SUITE_COUNT;
    for (size_t i = 0; profile && i < sizeof PROFILES / sizeof PROFILES[0]; i++)
        if (PROFILES[i].id == profile->id)
            suite = PROFILES[i].suite;
    if (suite == SRTP_SUITE_COUNT)
        return false;
    size_t k = srtp_suite_key_len(suite), s = srtp_suite_salt_len(suite);
    uint8_t material[2 * (SRTP_KEY_MAX + SRTP_SALT_MAX)];
    if (SSL_export_keying_material(d->ssl, material, 2 * (k + s), EXPORT_LABEL,
                                   sizeof EXPORT_LABEL - 1, NULL, 0, 0) != 1)
        return false;
    struct srtp_key *client = d->role == DTLS_CLIENT ? &d->local : &d->remote;
    struct srtp_key *server = d->role == DTLS_CLIENT ? &d->remote : &d->local;
    client->suite = server->suite = suite;
    client->key_len = server->key_len = (uint8_t)k;
    client->salt_len = server->salt_len = (uint8_t)s;
    memcpy(client->key, material, k);
    memcpy(server->key, material + k, k);
    memcpy(client->salt, material + 2 * k, s);
    memcpy(server->salt, material + 2 * k + s, s);
    OPENSSL_cleanse(material, sizeof material);
    return true;
}

static void keep_remote_pem(struct dtls *d)
{
    X509 *cert = SSL_get0_peer_certificate(d->ssl); /* borrowed */
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long n = 0;
    if (bio && cert && PEM_write_bio_X509(bio, cert) == 1)
        n = BIO_get_mem_data(bio, &text);
    if (n > 0)
        d->remote_pem = OPENSSL_strndup(text, (size_t)n);
    BIO_free(bio);
}

static void handshake_done(struct dtls *d, struct sink *out)
{
    /* The callback has seen to this; a session that skips it (resumption) is not to happen. */
    if (!d->certificate_matches || d->certificate_differs) {
        fail(d, DTLS_FAIL_FINGERPRINT, out);
        return;
    }
    if (!export_keys(d)) {
        (void)SSL_shutdown(d->ssl); /* for the peer the handshake has succeeded: tell it */
        fail(d, DTLS_FAIL_SRTP, out);
        return;
    }
    keep_remote_pem(d);
    enter(d, DTLS_CONNECTED, out);
}

static enum dtls_failure why_failed(const struct dtls *d)
{
    unsigned long e = ERR_peek_error();
    if (d->certificate_differs || (ERR_GET_LIB(e) == ERR_LIB_SSL &&
                                   ERR_GET_REASON(e) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE))
        return DTLS_FAIL_FINGERPRINT;
    if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE)
        return DTLS_FAIL_MEMORY;
    return DTLS_FAIL_HANDSHAKE;
}

static void step_handshake(struct dtls *d, struct sink *out)
{
    ERR_clear_error();
    int n = SSL_do_handshake(d->ssl);
    int reason = SSL_get_error(d->ssl, n); /* before anything touches the BIO or the error queue */
    if (n == 1)
        handshake_done(d, out);
    else if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE)
        fail(d, why_failed(d), out);
    ERR_clear_error();
}

/* Application records of the datagram, and the peer's goodbye. A datagram holds few records: each
 * takes RECORD_HEADER_LEN bytes at least. */
static void read_records(struct dtls *d, struct sink *out)
{
    uint8_t buf[RECORD_PLAIN_MAX];
    while (d->state == DTLS_CONNECTED) {
        ERR_clear_error();
        int n = SSL_read(d->ssl, buf, sizeof buf);
        int reason = SSL_get_error(d->ssl, n);
        if (n > 0) {
            sink_event_bytes(out, DTLS_EV_DATA, slice_of(buf, (size_t)n));
            continue;
        }
        if (reason == SSL_ERROR_ZERO_RETURN) {
            (void)SSL_shutdown(d->ssl); /* RFC 5246 7.2.1: answer with a close_notify */
            enter(d, DTLS_CLOSED, out);
        } else if (reason == SSL_ERROR_SSL || reason == SSL_ERROR_SYSCALL) {
            enter(d, DTLS_CLOSED, out); /* a fatal alert */
        }
        break;
    }
    ERR_clear_error();
}

enum err dtls_start(struct dtls *d, usec now, struct sink *out)
{
    if (d->role == DTLS_AUTO)
        return ERR_STATE;
    if (d->state != DTLS_NEW)
        return OK;
    if (make_ssl(d) != OK) {
        fail(d, DTLS_FAIL_MEMORY, out);
        return ERR_NOMEM;
    }
    enter(d, DTLS_CONNECTING, out);
    d->handshake_until = now + DTLS_HANDSHAKE_TTL;
    d->wire.out = out;
    step_handshake(d, out);
    d->wire.out = NULL;
    update_timer(d, now);
    return OK;
}

void dtls_input(struct dtls *d, usec now, struct slice datagram, struct sink *out)
{
    if ((d->state != DTLS_CONNECTING && d->state != DTLS_CONNECTED) ||
        datagram.n < RECORD_HEADER_LEN || datagram.p[0] < 20 || datagram.p[0] > 63 ||
        !take_buffers(d))
        return;
    d->wire = (struct dtls_wire){.in = datagram, .out = out};
    if (d->state == DTLS_CONNECTING) {
        d->handshake_bytes += datagram.n;
        if (d->handshake_bytes > DTLS_HANDSHAKE_BYTES_MAX)
            fail(d, DTLS_FAIL_FLOOD, out);
        else
            step_handshake(d, out);
    }
    if (d->state == DTLS_CONNECTED)
        read_records(d, out);
    d->wire = (struct dtls_wire){.out = NULL};
    give_buffers(d);
    update_timer(d, now);
}

enum err dtls_send(struct dtls *d, usec now, struct slice message, struct sink *out)
{
    (void)now;
    if (d->state != DTLS_CONNECTED)
        return ERR_STATE;
    if (message.n > DTLS_SEND_MAX)
        return ERR_TOO_LARGE;
    if (message.n == 0)
        return OK; /* OpenSSL would write nothing either */
    if (!take_buffers(d))
        return ERR_NOMEM;
    ERR_clear_error();
    d->wire.out = out;
    int n = SSL_write(d->ssl, message.p, (int)message.n);
    d->wire.out = NULL;
    give_buffers(d);
    return n == (int)message.n ? OK : ERR_CRYPTO;
}

void dtls_shutdown(struct dtls *d, usec now, struct sink *out)
{
    (void)now;
    if (d->state == DTLS_FAILED || d->state == DTLS_CLOSED)
        return;
    if (d->state == DTLS_CONNECTED && take_buffers(d)) {
        d->wire.out = out;
        (void)SSL_shutdown(d->ssl);
        d->wire.out = NULL;
        ERR_clear_error();
    }
    set_state(d, DTLS_CLOSED);
}

void dtls_timeout(struct dtls *d, usec now, struct sink *out)
{
    if (d->state != DTLS_CONNECTING)
        return;
    if (now >= d->handshake_until) {
        fail(d, DTLS_FAIL_TIMEOUT, out);
        return;
    }
    if (now < d->retransmit_at)
        return;
    ERR_clear_error();
    d->wire.out = out;
    long n = DTLSv1_handle_timeout(d->ssl);
    d->wire.out = NULL;
    if (n < 0) {
        fail(d, DTLS_FAIL_TIMEOUT, out); /* its number of tries is used up */
    } else {
        update_timer(d, now);
        if (d->retransmit_at <= now)
            d->retransmit_at = now + RETRANSMIT_POLL;
    }
    ERR_clear_error();
}

usec dtls_deadline(const struct dtls *d)
{
    return usec_min(d->handshake_until, d->retransmit_at);
}

enum dtls_state dtls_get_state(const struct dtls *d)
{
    return d->state;
}

enum err dtls_srtp_keys(const struct dtls *d, struct srtp_key *local, struct srtp_key *remote)
{
    if (d->state != DTLS_CONNECTED)
        return ERR_STATE;
    *local = d->local;
    *remote = d->remote;
    return OK;
}

const char *dtls_remote_cert_pem(const struct dtls *d)
{
    return d->remote_pem ? d->remote_pem : "";
}
