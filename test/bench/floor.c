#include "test/bench/floor.h"

#include <errno.h>
#include <netinet/udp.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/rng.h"
#include "test/bench/figures.h"
#include "worker/engine/seal.h"
#include "worker/media/srtp_text.h"

enum {
    PACKETS_MAX = 64,
    SLOT = 1600,
    SEND_BUFFER = 4 << 20,
    BATCH = 32, /* messages: what they send is still in the second-level cache */
    /* Used again after each send, as the worker does: what was just there is in the cache. */
    MEMORY = BATCH * PACKETS_MAX * SLOT
};

/* A run of packets that one UDP_SEGMENT message can carry: equal ones, the last may be shorter. */
struct run {
    size_t first;
    size_t n;
};

struct floor {
    enum srtp_suite suite;
    uint32_t tag;                        /* bytes by which a packet grows */
    const struct sockaddr_in *addresses; /* borrowed */
    size_t n;
    uint32_t sizes[PACKETS_MAX];
    size_t n_sizes;
    struct run runs[PACKETS_MAX];
    size_t n_runs;
    int fd;
    struct sealer **sealers; /* owned, n: a key for everybody */
    srtp_t *sessions;        /* owned, n */
    uint8_t *bytes;          /* owned, MEMORY */
    uint64_t nonce;
    uint16_t seq;
    struct mmsghdr messages[BATCH];
    struct iovec iovecs[BATCH];
    union {
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr align;
    } controls[BATCH];
};

static void die(const char *what)
{
    fprintf(stderr, "bench floor: %s: %s\n", what, strerror(errno));
    abort();
}

static void find_runs(struct floor *f)
{
    for (size_t i = 0; i < f->n_sizes;) {
        struct run *r = &f->runs[f->n_runs++];
        *r = (struct run){.first = i};
        do
            r->n++;
        while (++i < f->n_sizes && f->sizes[i] <= f->sizes[r->first] &&
               f->sizes[i - 1] == f->sizes[r->first]);
    }
}

static void open_session(srtp_t *out, const struct srtp_key *k)
{
    uint8_t material[SRTP_KEY_MAX + SRTP_SALT_MAX];
    srtp_policy_t p;
    memset(&p, 0, sizeof p);
    memcpy(material, k->key, k->key_len);
    memcpy(material + k->key_len, k->salt, k->salt_len);
    if (k->suite == SEAL_AES_128_GCM) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtcp);
    } else {
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p.rtp);
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p.rtcp);
    }
    p.ssrc.type = ssrc_any_outbound;
    p.key = material;
    if (srtp_create(out, &p) != srtp_err_status_ok)
        die("srtp_create");
}

static void open_keys(struct floor *f)
{
    struct rng rng;
    rng_init_system(&rng);
    for (size_t i = 0; i < f->n; i++) {
        struct srtp_key k;
        srtp_key_make(&k, f->suite, &rng);
        if (seal_open(&f->sealers[i], &k) != OK)
            die("seal_open");
        f->tag = (uint32_t)seal_overhead(f->sealers[i]);
        open_session(&f->sessions[i], &k);
    }
}

struct floor *floor_open(enum srtp_suite suite, const struct sockaddr_in *addresses, size_t n,
                         const uint32_t *sizes, size_t n_sizes)
{
    static bool srtp_ready;
    struct floor *f = calloc(1, sizeof *f);
    int size = SEND_BUFFER;
    if (!f || n_sizes == 0 || n_sizes > PACKETS_MAX)
        die("sizes");
    if (!srtp_ready && srtp_init() != srtp_err_status_ok)
        die("srtp_init");
    srtp_ready = true;
    f->suite = suite;
    f->addresses = addresses;
    f->n = n;
    f->n_sizes = n_sizes;
    memcpy(f->sizes, sizes, n_sizes * sizeof *sizes);
    find_runs(f);
    f->bytes = malloc(MEMORY);
    f->sealers = calloc(n, sizeof(struct sealer *));
    f->sessions = calloc(n, sizeof *f->sessions);
    f->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (!f->bytes || !f->sealers || !f->sessions || f->fd < 0)
        die("memory");
    memset(f->bytes, 0x5a, MEMORY);
    if (setsockopt(f->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
        setsockopt(f->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    open_keys(f);
    return f;
}

void floor_close(struct floor *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++) {
        seal_close(f->sealers[i]);
        srtp_dealloc(f->sessions[i]);
    }
    free(f->sealers);
    free(f->sessions);
    free(f->bytes);
    close(f->fd);
    free(f);
}

static void send_batch(struct floor *f, unsigned n)
{
    for (unsigned at = 0; at < n;) {
        int sent = sendmmsg(f->fd, f->messages + at, n - at, 0);
        if (sent <= 0)
            die("sendmmsg");
        at += (unsigned)sent;
    }
}

/* Packets lie one behind the other: a run is one piece. */
static uint8_t *add_message(struct floor *f, unsigned m, const struct sockaddr_in *to,
                            uint8_t *bytes, const struct run *r)
{
    uint8_t *end = bytes;
    for (size_t k = 0; k < r->n; k++)
        end += f->sizes[r->first + k];
    f->iovecs[m] = (struct iovec){bytes, (size_t)(end - bytes)};
    struct msghdr *h = &f->messages[m].msg_hdr;
    *h = (struct msghdr){.msg_name = (void *)(uintptr_t)to,
                         .msg_namelen = sizeof *to,
                         .msg_iov = &f->iovecs[m],
                         .msg_iovlen = 1};
    if (r->n == 1)
        return end;
    h->msg_control = f->controls[m].bytes;
    h->msg_controllen = sizeof f->controls[m].bytes;
    struct cmsghdr *c = CMSG_FIRSTHDR(h);
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    memcpy(CMSG_DATA(c), &(uint16_t){(uint16_t)f->sizes[r->first]}, sizeof(uint16_t));
    return end;
}

uint64_t floor_frame(struct floor *f)
{
    uint64_t start = figures_cpu_ns();
    unsigned n = 0;
    uint8_t *at = f->bytes;
    for (size_t i = 0; i < f->n; i++) {
        if (n + f->n_runs > BATCH) {
            send_batch(f, n);
            n = 0;
            at = f->bytes;
        }
        uint8_t *packet = at;
        for (size_t k = 0; k < f->n_sizes; packet += f->sizes[k++])
            seal_cipher_only(f->sealers[i], f->nonce++, packet, f->sizes[k] - f->tag);
        for (size_t r = 0; r < f->n_runs; r++)
            at = add_message(f, n++, &f->addresses[i], at, &f->runs[r]);
    }
    send_batch(f, n);
    return figures_cpu_ns() - start;
}

uint64_t floor_usual_frame(struct floor *f)
{
    uint64_t start = figures_cpu_ns();
    /* Packet by packet to everybody, as they come in and are forwarded. */
    for (size_t k = 0; k < f->n_sizes; k++) {
        f->seq++;
        for (size_t i = 0; i < f->n; i++) {
            uint8_t *p = f->bytes + i % BATCH * SLOT;
            int len = (int)(f->sizes[k] - f->tag);
            put_u16(p, 0x8060);
            put_u16(p + 2, f->seq);
            put_u32(p + 8, 7);
            if (srtp_protect(f->sessions[i], p, &len) != srtp_err_status_ok)
                die("srtp_protect");
            if (sendto(f->fd, p, (size_t)len, 0, (const struct sockaddr *)&f->addresses[i],
                       sizeof f->addresses[i]) < 0)
                die("sendto");
        }
    }
    return figures_cpu_ns() - start;
}
