#include "controller/storage/s3_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/time.h"
#include "controller/storage/sigv4.h"
#include "controller/storage/upload_state.h"

enum {
    BODY_MAX = 64 * 1024, /* of an answer; more is cut */
    HOST_MAX = 400,
    PATH_BYTES = 1200,
    QUERY_MAX = 700,
    CONNECT_S = 10,
    SILENCE_S = 30, /* nothing moves for so long: given up */
    URL_BYTES = HOST_MAX + PATH_BYTES + QUERY_MAX + 32
};

struct s3_client {
    struct s3_config config;
    CURL *curl; /* owned */
    bool tls;
    char host[HOST_MAX]; /* as in Host */
};

/* One request and its answer. */
struct call {
    const char *method;
    const char *key;
    const char *query; /* canonical; "" none */
    const char *content_type;
    const char *body; /* NULL: none, or the file's */
    int fd;           /* -1: no file */
    uint64_t offset;
    uint64_t n_body;
    uint64_t sent;
    long status;
    char etag[UPLOAD_ETAG_MAX]; /* "" none */
    char answer[BODY_MAX + 1];
    size_t n_answer;
};

/* ---- libcurl's callbacks ---- */

static size_t on_answer(char *bytes, size_t one, size_t n, void *ctx)
{
    struct call *call = ctx;
    size_t room = BODY_MAX - call->n_answer;
    size_t take = n * one < room ? n * one : room;
    memcpy(call->answer + call->n_answer, bytes, take);
    call->n_answer += take;
    call->answer[call->n_answer] = '\0';
    return n * one;
}

/* A server's text that goes back to it inside XML. */
static bool is_etag(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool plain = (s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'z') ||
                     (s[i] >= 'A' && s[i] <= 'Z') || s[i] == '"' || s[i] == '-';
        if (!plain)
            return false;
    }
    return n > 0 && n < UPLOAD_ETAG_MAX;
}

static size_t on_header(char *bytes, size_t one, size_t n, void *ctx)
{
    struct call *call = ctx;
    size_t len = n * one;
    if (len > 5 && strncasecmp(bytes, "etag:", 5) == 0) {
        const char *from = bytes + 5;
        const char *to = bytes + len;
        while (from < to && *from == ' ')
            from++;
        while (to > from && (to[-1] == '\r' || to[-1] == '\n' || to[-1] == ' '))
            to--;
        if (is_etag(from, (size_t)(to - from)))
            snprintf(call->etag, sizeof call->etag, "%.*s", (int)(to - from), from);
    }
    return len;
}

static size_t on_send(char *out, size_t one, size_t n, void *ctx)
{
    struct call *call = ctx;
    uint64_t left = call->n_body - call->sent;
    size_t want = n * one < left ? n * one : (size_t)left;
    if (want == 0)
        return 0;
    if (call->body) {
        memcpy(out, call->body + call->sent, want);
        call->sent += want;
        return want;
    }
    ssize_t got = pread(call->fd, out, want, (off_t)(call->offset + call->sent));
    if (got <= 0)
        return CURL_READFUNC_ABORT; /* it became shorter, or cannot be read */
    call->sent += (uint64_t)got;
    return (size_t)got;
}

static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct call *call = ctx;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > call->n_body)
        return CURL_SEEKFUNC_FAIL;
    call->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static int on_progress(void *ctx, curl_off_t dt, curl_off_t dn, curl_off_t ut, curl_off_t un)
{
    const struct s3_client *c = ctx;
    (void)dt;
    (void)dn;
    (void)ut;
    (void)un;
    return atomic_load(c->config.cancel) ? 1 : 0;
}

/* ---- a request ---- */

static enum err path_of(const struct s3_client *c, const char *key, char out[PATH_BYTES])
{
    char plain[PATH_BYTES];
    int n = snprintf(plain, sizeof plain, "/%s%s%s%s", c->config.path_style ? c->config.bucket : "",
                     c->config.path_style ? "/" : "", c->config.prefix, key);
    if (n < 0 || n >= PATH_BYTES)
        return ERR_TOO_LARGE;
    return sigv4_encode(plain, true, out, PATH_BYTES);
}

static struct sigv4 keys_of(const struct s3_client *c)
{
    return (struct sigv4){.access_key = c->config.access_key,
                          .secret_key = c->config.secret_key,
                          .region = c->config.region};
}

/* *list is to be freed whatever comes. */
static enum err make_headers(const struct s3_client *c, const struct call *call, const char *path,
                             struct curl_slist **list)
{
    char when[SIGV4_TIME_LEN];
    char authorization[SIGV4_AUTH_MAX];
    char lines[4][SIGV4_AUTH_MAX + 32];
    sigv4_time(clock_wall() / USEC_PER_SEC, when);
    struct sigv4 keys = keys_of(c);
    struct sigv4_request r = {.method = call->method,
                              .host = c->host,
                              .path = path,
                              .query = call->query,
                              .payload = SIGV4_UNSIGNED,
                              .time = when};
    enum err e = sigv4_authorization(&keys, &r, authorization);
    if (e != OK)
        return e;
    snprintf(lines[0], sizeof lines[0], "x-amz-date: %s", when);
    snprintf(lines[1], sizeof lines[1], "x-amz-content-sha256: " SIGV4_UNSIGNED);
    snprintf(lines[2], sizeof lines[2], "Authorization: %s", authorization);
    snprintf(lines[3], sizeof lines[3], "Content-Type:%s%s", call->content_type ? " " : "",
             call->content_type ? call->content_type : "");
    static const char *const fixed[] = {"Expect:", "Accept:"};
    for (size_t i = 0; i < 6; i++) {
        struct curl_slist *more = curl_slist_append(*list, i < 4 ? lines[i] : fixed[i - 4]);
        if (!more)
            return ERR_NOMEM;
        *list = more;
    }
    return OK;
}

static void set_options(struct s3_client *c, struct call *call, const char *url,
                        struct curl_slist *headers)
{
    CURL *h = c->curl;
    bool sends = call->body || call->fd >= 0 || strcmp(call->method, "POST") == 0;
    curl_easy_reset(h); /* keeps the connection */
    curl_easy_setopt(h, CURLOPT_URL, url);
    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h, CURLOPT_PROXY, "");
    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_S);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(h, CURLOPT_XFERINFODATA, c);
    if (sends) {
        curl_easy_setopt(h, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(h, CURLOPT_READFUNCTION, on_send);
        curl_easy_setopt(h, CURLOPT_READDATA, call);
        curl_easy_setopt(h, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(h, CURLOPT_SEEKDATA, call);
        curl_easy_setopt(h, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->n_body);
    }
    curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, call->method);
}

/* The text between <name> and </name>; "" where there is none. */
static void xml_text(const char *xml, const char *name, char *out, size_t n)
{
    char tag[40];
    snprintf(tag, sizeof tag, "<%s>", name);
    const char *from = strstr(xml, tag);
    out[0] = '\0';
    if (!from)
        return;
    from += strlen(tag);
    size_t len = strcspn(from, "<");
    if (len < n)
        snprintf(out, n, "%.*s", (int)len, from);
}

static enum err verdict(const struct call *call, char why[S3_WHY_MAX])
{
    char code[80];
    bool ok = call->status >= 200 && call->status < 300;
    /* Putting parts together may fail although it began with 200. */
    if (ok && !strstr(call->answer, "<Error>"))
        return OK;
    xml_text(call->answer, "Code", code, sizeof code);
    for (char *p = code; *p; p++)
        *p = *p >= '0' && *p <= 'z' ? *p : '?';
    snprintf(why, S3_WHY_MAX, "the storage answers %ld %s", call->status, code);
    if (call->status == 404)
        return strcmp(code, "NoSuchBucket") == 0 ? ERR_DENIED : ERR_NOT_FOUND;
    if (call->status == 401 || call->status == 403)
        return ERR_DENIED;
    return ok || call->status >= 500 || call->status == 429 || call->status == 408 ? ERR_UNAVAILABLE
                                                                                   : ERR_MALFORMED;
}

static enum err perform(struct s3_client *c, struct call *call, char why[S3_WHY_MAX])
{
    char path[PATH_BYTES];
    char url[URL_BYTES];
    struct curl_slist *headers = NULL;
    call->status = 0;
    call->sent = call->n_answer = 0;
    call->answer[0] = call->etag[0] = '\0';
    enum err e = path_of(c, call->key, path);
    if (e == OK)
        e = make_headers(c, call, path, &headers);
    if (e != OK) {
        curl_slist_free_all(headers);
        snprintf(why, S3_WHY_MAX, "%s", err_text(e));
        return e;
    }
    snprintf(url, sizeof url, "%s://%s%s%s%s", c->tls ? "https" : "http", c->host, path,
             call->query[0] ? "?" : "", call->query);
    set_options(c, call, url, headers);
    CURLcode result = curl_easy_perform(c->curl);
    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &call->status);
    curl_slist_free_all(headers);
    if (result == CURLE_OK)
        return verdict(call, why);
    snprintf(why, S3_WHY_MAX, "the storage cannot be reached: %s", curl_easy_strerror(result));
    if (result == CURLE_ABORTED_BY_CALLBACK)
        return atomic_load(c->config.cancel) ? ERR_CLOSED : ERR_IO;
    return result == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_UNAVAILABLE;
}

/* ---- life ---- */

enum err s3_client_open(const struct s3_config *config, struct s3_client **out)
{
    bool tls = strncmp(config->endpoint, "https://", 8) == 0;
    if (!tls && strncmp(config->endpoint, "http://", 7) != 0)
        return ERR_MALFORMED;
    const char *host = config->endpoint + (tls ? 8 : 7);
    size_t len = strcspn(host, "/?#@");
    if (len == 0 || (host[len] && strcmp(host + len, "/") != 0))
        return ERR_MALFORMED;
    struct s3_client *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    c->config = *config;
    c->tls = tls;
    int n = snprintf(c->host, sizeof c->host, "%s%s%.*s", config->path_style ? "" : config->bucket,
                     config->path_style ? "" : ".", (int)len, host);
    c->curl = n > 0 && n < HOST_MAX ? curl_easy_init() : NULL;
    if (!c->curl) {
        free(c);
        return n > 0 && n < HOST_MAX ? ERR_NOMEM : ERR_MALFORMED;
    }
    *out = c;
    return OK;
}

void s3_client_close(struct s3_client *c)
{
    if (!c)
        return;
    curl_easy_cleanup(c->curl);
    free(c);
}

/* ---- files ---- */

static enum err put_whole(struct s3_client *c, struct call *call, uint64_t size,
                          char why[S3_WHY_MAX])
{
    call->method = "PUT";
    call->query = "";
    call->offset = 0;
    call->n_body = size;
    return perform(c, call, why);
}

static enum err begin_parts(struct s3_client *c, struct call *call, struct upload_state *u,
                            char why[S3_WHY_MAX])
{
    int fd = call->fd;
    call->method = "POST";
    call->query = "uploads=";
    call->fd = -1;
    call->n_body = 0;
    enum err e = perform(c, call, why);
    call->fd = fd;
    if (e == OK) {
        xml_text(call->answer, "UploadId", u->id, sizeof u->id);
        if (!u->id[0]) {
            snprintf(why, S3_WHY_MAX, "the storage answers without an UploadId");
            return ERR_MALFORMED;
        }
        e = upload_state_save(u);
        if (e != OK)
            snprintf(why, S3_WHY_MAX, "the state of the upload cannot be written");
    }
    return e;
}

static enum err query_of(const struct upload_state *u, unsigned part, char out[QUERY_MAX])
{
    char id[QUERY_MAX - 40];
    enum err e = sigv4_encode(u->id, false, id, sizeof id);
    if (part > 0)
        snprintf(out, QUERY_MAX, "partNumber=%u&uploadId=%s", part, id);
    else
        snprintf(out, QUERY_MAX, "uploadId=%s", id);
    return e;
}

static enum err put_part(struct s3_client *c, struct call *call, struct upload_state *u,
                         char why[S3_WHY_MAX])
{
    char query[QUERY_MAX];
    uint64_t from = u->n_etags * u->part_size;
    enum err e = query_of(u, (unsigned)u->n_etags + 1, query);
    call->method = "PUT";
    call->query = query;
    call->offset = from;
    call->n_body = u->size - from < u->part_size ? u->size - from : u->part_size;
    if (e == OK)
        e = perform(c, call, why);
    if (e == OK && !call->etag[0]) {
        snprintf(why, S3_WHY_MAX, "the storage answers without an ETag");
        return ERR_MALFORMED;
    }
    if (e == OK)
        e = upload_state_add(u, call->etag);
    return e;
}

static enum err complete(struct s3_client *c, struct call *call, const struct upload_state *u,
                         char why[S3_WHY_MAX])
{
    char query[QUERY_MAX];
    size_t n = 100 + u->n_etags * (UPLOAD_ETAG_MAX + 80);
    char *body = malloc(n);
    if (!body)
        return ERR_NOMEM;
    size_t at = (size_t)snprintf(body, n, "<CompleteMultipartUpload>");
    for (size_t i = 0; i < u->n_etags; i++)
        at += (size_t)snprintf(body + at, n - at,
                               "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag></Part>", i + 1,
                               u->etags[i]);
    at += (size_t)snprintf(body + at, n - at, "</CompleteMultipartUpload>");
    enum err e = query_of(u, 0, query);
    int fd = call->fd;
    call->method = "POST";
    call->query = query;
    call->content_type = "application/xml";
    call->body = body;
    call->fd = -1;
    call->n_body = at;
    if (e == OK)
        e = perform(c, call, why);
    call->body = NULL;
    call->fd = fd;
    free(body);
    return e;
}

static enum err put_in_parts(struct s3_client *c, struct call *call, struct upload_state *u,
                             char why[S3_WHY_MAX])
{
    enum err e = u->id[0] ? OK : begin_parts(c, call, u, why);
    while (e == OK && u->n_etags * u->part_size < u->size)
        e = put_part(c, call, u, why);
    if (e == OK)
        e = complete(c, call, u, why);
    if (e == OK || e == ERR_NOT_FOUND)
        upload_state_forget(u);
    /* The server knows the upload no longer: the next try begins it anew. */
    return e == ERR_NOT_FOUND ? ERR_UNAVAILABLE : e;
}

static uint64_t part_size(const struct s3_client *c, uint64_t size)
{
    uint64_t least = size / S3_PARTS_MAX + 1;
    return least > c->config.part_size ? least : c->config.part_size;
}

static enum err put_open(struct s3_client *c, struct call *call, const char *path, uint64_t size,
                         char why[S3_WHY_MAX])
{
    struct upload_state u;
    if (size <= c->config.part_size) {
        enum err e = put_whole(c, call, size, why);
        return e == ERR_NOT_FOUND ? ERR_DENIED : e; /* the bucket, not the file */
    }
    enum err e = upload_state_open(&u, path, size, part_size(c, size));
    if (e == OK)
        e = put_in_parts(c, call, &u, why);
    else
        snprintf(why, S3_WHY_MAX, "%s", err_text(e));
    upload_state_close(&u);
    return e;
}

enum err s3_client_put(struct s3_client *c, const char *key, const char *path,
                       const char *content_type, char why[S3_WHY_MAX])
{
    struct stat st;
    struct call *call = calloc(1, sizeof *call);
    enum err e = ERR_NOMEM;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(why, S3_WHY_MAX, "%s", fd < 0 ? strerror(errno) : err_text(e));
    if (fd < 0) {
        e = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    } else if (call && fstat(fd, &st) == 0) {
        call->key = key;
        call->fd = fd;
        call->content_type = content_type;
        e = put_open(c, call, path, (uint64_t)st.st_size, why);
    }
    if (fd >= 0)
        close(fd);
    free(call);
    return e;
}

enum err s3_client_delete(struct s3_client *c, const char *key, char why[S3_WHY_MAX])
{
    struct call *call = calloc(1, sizeof *call);
    if (!call)
        return ERR_NOMEM;
    call->method = "DELETE";
    call->key = key;
    call->query = "";
    call->fd = -1;
    enum err e = perform(c, call, why);
    free(call);
    return e == ERR_NOT_FOUND ? OK : e;
}

enum err s3_client_url(const struct s3_client *c, const char *key, int64_t now_s, unsigned seconds,
                       const char *disposition, char out[S3_URL_MAX])
{
    char path[PATH_BYTES];
    char encoded[QUERY_MAX - 40] = "";
    char query[QUERY_MAX] = "";
    char when[SIGV4_TIME_LEN];
    enum err e = path_of(c, key, path);
    if (e == OK && disposition)
        e = sigv4_encode(disposition, false, encoded, sizeof encoded);
    if (e != OK)
        return e;
    if (disposition)
        snprintf(query, sizeof query, "response-content-disposition=%s", encoded);
    sigv4_time(now_s, when);
    struct sigv4 keys = keys_of(c);
    struct sigv4_request r = {
        .method = "GET", .host = c->host, .path = path, .query = query, .time = when};
    int n = snprintf(out, S3_URL_MAX, "%s://%s%s?", c->tls ? "https" : "http", c->host, path);
    if (n < 0 || n >= S3_URL_MAX)
        return ERR_TOO_LARGE;
    return sigv4_presign(&keys, &r, seconds, out + n, S3_URL_MAX - (size_t)n);
}
