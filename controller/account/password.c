/* OpenSSL has an ERR_STATE of its own. */
#define ERR_STATE openssl_ERR_STATE
#include <openssl/crypto.h>
#include <openssl/evp.h>
#undef ERR_STATE

#include "controller/account/password.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "common/base64.h"
#include "common/list.h"

enum {
    SALT_BYTES = 16,
    KEY_BYTES = 32,
    BLOCK = 8,    /* scrypt's r */
    PARALLEL = 3, /* scrypt's p: with N = 2^15 as strong as N = 2^17, p = 1 in a quarter of the
                     memory */
    COST_MIN = 4, /* of hashes that are read: nothing may make us take more memory than that */
    COST_MAX = 20,
    BLOCK_MAX = 32,
    PARALLEL_MAX = 16
};

struct hash {
    unsigned cost;
    unsigned block;
    unsigned parallel;
    uint8_t salt[SALT_BYTES];
    uint8_t key[KEY_BYTES];
};

struct job {
    struct list node; /* while it waits */
    uv_work_t work;
    struct passwords *passwords; /* parent, outlives us */
    char password[PASSWORD_MAX + 1];
    struct hash expected; /* with it: is it this one? */
    bool check;
    bool unknown; /* there is no account: the check fails */
    bool rehash;
    struct hash made;
    enum err err;
    password_fn *done;
    void *ctx;
};

struct passwords {
    struct passwords_config config;
    struct list waiting;
    unsigned n_waiting;
    unsigned n_running;
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
    uv_timer_t later; /* for closing with nothing to wait for */
};

/* ---- text ---- */

static void hash_print(const struct hash *h, char out[PASSWORD_HASH_MAX])
{
    char salt[BASE64_TEXT_MAX(SALT_BYTES)];
    char key[BASE64_TEXT_MAX(KEY_BYTES)];
    base64_write(h->salt, sizeof h->salt, salt);
    base64_write(h->key, sizeof h->key, key);
    snprintf(out, PASSWORD_HASH_MAX, "$scrypt$ln=%u,r=%u,p=%u$%s$%s", h->cost, h->block,
             h->parallel, salt, key);
}

static bool hash_parse(const char *text, struct hash *out)
{
    char salt[64];
    char key[64];
    int end = 0;
    if (sscanf(text, "$scrypt$ln=%2u,r=%2u,p=%2u$%63[^$]$%63[^$]%n", &out->cost, &out->block,
               &out->parallel, salt, key, &end) != 5 ||
        text[end] != '\0')
        return false;
    return out->cost >= COST_MIN && out->cost <= COST_MAX && out->block >= 1 &&
           out->block <= BLOCK_MAX && out->parallel >= 1 && out->parallel <= PARALLEL_MAX &&
           base64_read(salt, out->salt, sizeof out->salt) == SALT_BYTES &&
           base64_read(key, out->key, sizeof out->key) == KEY_BYTES;
}

/* ---- on a thread ---- */

static enum err derive(const char *password, struct hash *h)
{
    uint64_t n = UINT64_C(1) << h->cost;
    /* What it takes: 128 * r * (N + p + 2) bytes, and a little. */
    uint64_t memory = 128 * (uint64_t)h->block * (n + h->parallel + 2) + 64 * 1024;
    return EVP_PBE_scrypt(password, strlen(password), h->salt, sizeof h->salt, n, h->block,
                          h->parallel, memory, h->key, sizeof h->key) == 1
               ? OK
               : ERR_NOMEM;
}

static void work(uv_work_t *w)
{
    struct job *j = w->data;
    if (j->check) {
        struct hash given = j->expected;
        j->err = derive(j->password, &given);
        bool same = CRYPTO_memcmp(given.key, j->expected.key, sizeof given.key) == 0;
        if (j->err == OK && (!same || j->unknown))
            j->err = ERR_AUTH;
    }
    if (j->err == OK && (!j->check || j->rehash))
        j->err = derive(j->password, &j->made);
}

/* ---- on the loop ---- */

static void tell(struct job *j)
{
    char text[PASSWORD_HASH_MAX];
    bool made = j->err == OK && (!j->check || j->rehash);
    if (made)
        hash_print(&j->made, text);
    struct job now = *j;
    OPENSSL_cleanse(j->password, sizeof j->password);
    OPENSSL_cleanse(now.password, sizeof now.password);
    free(j);
    now.done(now.ctx, now.err, made ? text : NULL);
}

static void on_later_closed(uv_handle_t *h)
{
    struct passwords *p = h->data;
    void (*closed)(void *) = p->closed;
    void *ctx = p->closed_ctx;
    free(p);
    if (closed)
        closed(ctx);
}

static void finish_close(struct passwords *p)
{
    if (p->closing && p->n_running == 0 && !uv_is_closing((uv_handle_t *)&p->later))
        uv_close((uv_handle_t *)&p->later, on_later_closed);
}

static void on_worked(uv_work_t *w, int status);

static void run_next(struct passwords *p)
{
    while (p->n_running < p->config.running_max && !list_empty(&p->waiting)) {
        struct job *j = container_of(p->waiting.next, struct job, node);
        list_remove(&j->node);
        p->n_waiting--;
        p->n_running++;
        j->work.data = j;
        int failed = uv_queue_work(p->config.loop, &j->work, work, on_worked);
        if (failed) { /* only without a callback, which is there */
            p->n_running--;
            j->err = ERR_NOMEM;
            tell(j);
        }
    }
}

static void on_worked(uv_work_t *w, int status)
{
    struct job *j = w->data;
    struct passwords *p = j->passwords;
    (void)status; /* never cancelled */
    p->n_running--;
    if (!p->closing)
        run_next(p);
    tell(j);
    finish_close(p);
}

static enum err hand_in(struct passwords *p, struct job *j, const char *password)
{
    j->passwords = p;
    snprintf(j->password, sizeof j->password, "%s", password);
    j->made.cost = p->config.cost;
    j->made.block = BLOCK;
    j->made.parallel = PARALLEL;
    rng_bytes(p->config.rng, j->made.salt, sizeof j->made.salt);
    list_add(&p->waiting, &j->node);
    p->n_waiting++;
    run_next(p);
    return OK;
}

static enum err make_job(struct passwords *p, const char *password, password_fn *done, void *ctx,
                         struct job **out)
{
    if (p->closing)
        return ERR_CLOSED;
    if (strlen(password) > PASSWORD_MAX)
        return ERR_RANGE;
    if (p->n_running >= p->config.running_max && p->n_waiting >= p->config.waiting_max)
        return ERR_AGAIN;
    *out = calloc(1, sizeof **out);
    if (!*out)
        return ERR_NOMEM;
    (*out)->done = done;
    (*out)->ctx = ctx;
    return OK;
}

enum err passwords_hash(struct passwords *p, const char *password, password_fn *done, void *ctx)
{
    struct job *j;
    enum err e = make_job(p, password, done, ctx, &j);
    return e == OK ? hand_in(p, j, password) : e;
}

enum err passwords_check(struct passwords *p, const char *password, const char *hash,
                         password_fn *done, void *ctx)
{
    struct job *j;
    enum err e = make_job(p, password, done, ctx, &j);
    if (e != OK)
        return e;
    j->check = true;
    if (!hash || !hash_parse(hash, &j->expected)) {
        j->unknown = true;
        j->expected = (struct hash){.cost = p->config.cost, .block = BLOCK, .parallel = PARALLEL};
    }
    j->rehash = j->expected.cost != p->config.cost || j->expected.block != BLOCK ||
                j->expected.parallel != PARALLEL;
    return hand_in(p, j, password);
}

/* ---- life ---- */

enum err passwords_open(const struct passwords_config *config, struct passwords **out)
{
    struct passwords *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    p->config = *config;
    list_init(&p->waiting);
    uv_timer_init(config->loop, &p->later);
    p->later.data = p;
    *out = p;
    return OK;
}

void passwords_close(struct passwords *p, void (*closed)(void *ctx), void *ctx)
{
    if (!p) {
        if (closed)
            closed(ctx);
        return;
    }
    p->closing = true;
    p->closed = closed;
    p->closed_ctx = ctx;
    while (!list_empty(&p->waiting)) {
        struct job *j = container_of(p->waiting.next, struct job, node);
        list_remove(&j->node);
        p->n_waiting--;
        j->err = ERR_CLOSED;
        tell(j);
    }
    finish_close(p);
}
