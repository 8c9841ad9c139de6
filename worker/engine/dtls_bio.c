#include "worker/engine/dtls_ssl.h"

/* OpenSSL's memory BIOs would run the datagrams of a flight together. Here a write is a datagram,
 * queued in the sink until the call into OpenSSL has returned. */
static int datagram_write(BIO *bio, const char *data, int n)
{
    struct dtls_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (n <= 0)
        return 0;
    /* Without room it is lost, as a datagram may be: the retransmission timer heals it. */
    if (wire->out)
        (void)sink_datagram(wire->out, NULL, slice_of(data, (size_t)n));
    return n;
}

/* The whole datagram in one read; OpenSSL's buffer holds a record of the largest size. */
static int datagram_read(BIO *bio, char *data, int n)
{
    struct dtls_wire *wire = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!wire->in.p || n <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t take = wire->in.n < (size_t)n ? wire->in.n : (size_t)n;
    memcpy(data, wire->in.p, take);
    wire->in = slice_of(NULL, 0);
    return (int)take;
}

static long datagram_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    (void)bio;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *dtls_bio_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagram");
    if (!m)
        return NULL;
    if (BIO_meth_set_write(m, datagram_write) != 1 || BIO_meth_set_read(m, datagram_read) != 1 ||
        BIO_meth_set_ctrl(m, datagram_ctrl) != 1) {
        BIO_meth_free(m);
        return NULL;
    }
    return m;
}

BIO *dtls_bio_new(const BIO_METHOD *method, struct dtls_wire *wire)
{
    BIO *bio = BIO_new(method);
    if (!bio)
        return NULL;
    BIO_set_data(bio, wire);
    BIO_set_init(bio, 1);
    return bio;
}
