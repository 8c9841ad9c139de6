#include "controller/net/files.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/net/beneath.h"
#include "controller/net/conn.h"
#include "controller/net/gzip.h"
#include "controller/net/mime.h"
#include "controller/net/range.h"

enum {
    /* Read at once and the descriptor given back; larger files are read as the client takes them.
     */
    SMALL_FILE = 64 * 1024,
    /* Below a packet nothing is gained; above this, compressing would hold up the loop. */
    GZIP_MIN = 1000,
    GZIP_MAX = 4 * 1024 * 1024,
    PATH_TEXT_MAX = 4096
};

struct files_mount {
    struct files_mount *next;         /* owned */
    struct files_mount_config config; /* prefix and root owned */
    size_t prefix_n;
};

/* ---- mounts ---- */

enum err files_mount(struct http_server *s, const struct files_mount_config *config)
{
    if (config->prefix[0] != '/' || config->prefix[strlen(config->prefix) - 1] != '/')
        return ERR_MALFORMED;
    struct files_mount *m = calloc(1, sizeof *m);
    char *prefix = strdup(config->prefix);
    char *root = strdup(config->root);
    if (!m || !prefix || !root) {
        free(m);
        free(prefix);
        free(root);
        return ERR_NOMEM;
    }
    m->config = *config;
    m->config.prefix = prefix;
    m->config.root = root;
    m->prefix_n = strlen(prefix);
    struct files_mount **at = &s->mounts;
    while (*at && (*at)->prefix_n >= m->prefix_n)
        at = &(*at)->next;
    m->next = *at;
    *at = m;
    return OK;
}

void files_mounts_free(struct http_server *s)
{
    while (s->mounts) {
        struct files_mount *m = s->mounts;
        s->mounts = m->next;
        free((char *)(uintptr_t)m->config.prefix);
        free((char *)(uintptr_t)m->config.root);
        free(m);
    }
}

const struct files_mount *files_find(const struct http_server *s, const char *path)
{
    for (const struct files_mount *m = s->mounts; m; m = m->next) {
        if (strncmp(path, m->config.prefix, m->prefix_n) == 0)
            return m;
    }
    return NULL;
}

bool files_mount_cors(const struct files_mount *m)
{
    return m->config.cors;
}

static const struct files_rule app_rules[] = {
    {.prefix = "assets/", .cache_control = FILES_IMMUTABLE}};

enum err files_mount_app(struct http_server *s, const char *root)
{
    return files_mount(
        s, &(struct files_mount_config){
               .prefix = "/", .root = root, .rules = app_rules, .n_rules = 1, .spa = true});
}

static const struct files_rule hls_rules[] = {
    {.suffix = ".m3u8", .cache_control = "no-cache"},
    {.suffix = ".mpd", .cache_control = "no-cache"},
    {.suffix = ".ts", .cache_control = FILES_IMMUTABLE},
    {.suffix = ".m4s", .cache_control = FILES_IMMUTABLE},
    {.suffix = ".aac", .cache_control = FILES_IMMUTABLE},
};

enum err files_mount_hls(struct http_server *s, const char *prefix, const char *root,
                         bool (*intercept)(struct http_request *req, const char *path, void *user),
                         void *user)
{
    return files_mount(s, &(struct files_mount_config){
                              .prefix = prefix,
                              .root = root,
                              .rules = hls_rules,
                              .n_rules = sizeof hls_rules / sizeof hls_rules[0],
                              .cors = true,
                              .intercept = intercept,
                              .user = user,
                          });
}

static bool ends_with(const char *s, const char *suffix)
{
    size_t n = strlen(s);
    size_t k = strlen(suffix);
    return n >= k && strcmp(s + n - k, suffix) == 0;
}

static const char *cache_rule(const struct files_mount_config *config, const char *path)
{
    for (size_t i = 0; i < config->n_rules; i++) {
        const struct files_rule *r = &config->rules[i];
        if ((!r->prefix || strncmp(path, r->prefix, strlen(r->prefix)) == 0) &&
            (!r->suffix || ends_with(path, r->suffix)))
            return r->cache_control;
    }
    return "no-cache";
}

/* ---- one file ---- */

struct served {
    struct http_request *req;
    const char *root;
    const char *path;
    const char *type;
    int fd; /* owned until it is handed on; -1 then */
    struct stat st;
    char etag[80];
    bool text;
    bool gzip; /* this answer is compressed */
};

static int64_t mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* Strong: another inode, time or size is another representation, and so is another coding. */
static void make_etag(struct served *f)
{
    snprintf(f->etag, sizeof f->etag, "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "%s\"",
             (uint64_t)f->st.st_ino, (uint64_t)mtime_ns(&f->st), (uint64_t)f->st.st_size,
             f->gzip ? "-gz" : "");
}

static void set_headers(struct served *f)
{
    char date[30];
    http_date(f->st.st_mtim.tv_sec, date);
    (void)http_set_header(f->req, "ETag", f->etag);
    (void)http_set_header(f->req, "Last-Modified", date);
    if (f->text)
        (void)http_set_header(f->req, "Vary", "Accept-Encoding");
    if (f->gzip)
        (void)http_set_header(f->req, "Content-Encoding", "gzip");
    else
        (void)http_set_header(f->req, "Accept-Ranges", "bytes");
}

/* RFC 9110 13.2.2: If-None-Match, and only without it If-Modified-Since. */
static bool not_modified(const struct served *f)
{
    const char *tags = http_header(f->req, "if-none-match");
    if (tags)
        return etag_listed(tags, f->etag);
    const char *since = http_header(f->req, "if-modified-since");
    time_t t;
    return since && http_date_parse(since, &t) && f->st.st_mtim.tv_sec <= t;
}

/* RFC 9110 13.1.5: a Range counts only if what the client has a part of is still the same. */
static bool range_applies(const struct served *f)
{
    const char *cond = http_header(f->req, "if-range");
    if (!cond)
        return true;
    time_t t;
    if (cond[0] == '"')
        return strcmp(cond, f->etag) == 0;
    return http_date_parse(cond, &t) && f->st.st_mtim.tv_sec == t;
}

static bool read_all(int fd, uint64_t offset, uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t got = pread(fd, p, n, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        p += got;
        n -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

/* Body bytes offset..offset+n of the file. The head is queued already: what fails breaks off. */
static void send_part(struct served *f, uint64_t offset, uint64_t n)
{
    struct conn *c = f->req->conn;
    if (n > SMALL_FILE) {
        int fd = f->fd;
        f->fd = -1;
        if (!out_file(&c->out, fd, offset, n))
            conn_abort(c);
        return;
    }
    uint8_t *p = n > 0 ? out_reserve(&c->out, (size_t)n) : NULL;
    if (n > 0 && (!p || !read_all(f->fd, offset, p, (size_t)n)))
        conn_abort(c);
}

static void send_identity(struct served *f)
{
    struct http_request *req = f->req;
    uint64_t size = (uint64_t)f->st.st_size;
    uint64_t first = 0;
    uint64_t last = size - 1;
    enum range_result r = RANGE_NONE;
    if (req->method == HTTP_GET && range_applies(f))
        r = range_parse(http_header(req, "range"), size, &first, &last);
    int status = 200;
    uint64_t n = size;
    char text[80];
    if (r == RANGE_UNSATISFIABLE) {
        snprintf(text, sizeof text, "bytes */%" PRIu64, size);
        (void)http_set_header(req, "Content-Range", text);
        http_respond_error(req, 416, err_name(ERR_RANGE), NULL, "the file is shorter");
        return;
    }
    if (r == RANGE_ONE) {
        status = 206;
        n = last - first + 1;
        snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, first, last, size);
        (void)http_set_header(req, "Content-Range", text);
    }
    if (respond_head(req, status, f->type, (int64_t)n) && req->method != HTTP_HEAD)
        send_part(f, first, n);
    respond_finish(req, status);
}

/* The compressed file, from the cache or made now. NULL: out of memory, or it cannot be read. */
static struct blob *compressed(struct served *f)
{
    struct gzip_cache *cache = f->req->conn->server->gzip;
    struct gzip_key key = {
        .device = (uint64_t)f->st.st_dev,
        .inode = (uint64_t)f->st.st_ino,
        .mtime_ns = mtime_ns(&f->st),
        .size = (uint64_t)f->st.st_size,
    };
    struct blob *b = gzip_cache_find(cache, &key);
    if (b)
        return b;
    size_t n = (size_t)f->st.st_size;
    uint8_t *plain = malloc(n);
    if (plain && read_all(f->fd, 0, plain, n))
        b = gzip_cache_add(cache, &key, plain, n);
    free(plain);
    return b;
}

/* Puts a neighbour "x.js.gz" that was made in advance, and is not older, in the file's place. */
static bool use_neighbour(struct served *f)
{
    char path[PATH_TEXT_MAX];
    int fd;
    struct stat st;
    if (snprintf(path, sizeof path, "%s.gz", f->path) >= (int)sizeof path ||
        beneath_open(f->root, path, &fd, &st) != OK)
        return false;
    if (mtime_ns(&st) < mtime_ns(&f->st)) {
        close(fd);
        return false;
    }
    close(f->fd);
    f->fd = fd;
    f->st.st_size = st.st_size; /* the tag and the date stay those of the file itself */
    return true;
}

/* b NULL: f->fd is the compressed file. */
static void send_gzip(struct served *f, struct blob *b)
{
    struct http_request *req = f->req;
    uint64_t n = b ? b->n : (uint64_t)f->st.st_size;
    set_headers(f);
    bool body = respond_head(req, 200, f->type, (int64_t)n) && req->method != HTTP_HEAD;
    if (body && b) {
        if (!out_blob(&req->conn->out, blob_ref(b)))
            conn_abort(req->conn);
    } else if (body) {
        send_part(f, 0, n);
    }
    blob_unref(b);
    respond_finish(req, 200);
}

static void send_not_modified(struct served *f)
{
    set_headers(f);
    http_respond_empty(f->req, 304);
}

static bool wants_gzip(const struct served *f)
{
    return f->text && f->st.st_size >= GZIP_MIN && f->st.st_size <= GZIP_MAX &&
           !http_header(f->req, "range") && accepts_gzip(http_header(f->req, "accept-encoding"));
}

/* f->fd is open; answers. */
static void serve_open(struct served *f)
{
    f->text = mime_is_text(f->path);
    f->gzip = wants_gzip(f);
    make_etag(f);
    if (not_modified(f)) {
        send_not_modified(f);
        return;
    }
    if (f->gzip) {
        bool neighbour = use_neighbour(f);
        struct blob *b = neighbour ? NULL : compressed(f);
        if (b || neighbour) {
            send_gzip(f, b);
            return;
        }
    }
    f->gzip = false;
    make_etag(f);
    set_headers(f);
    send_identity(f);
}

static void respond_open_error(struct http_request *req, enum err e)
{
    if (e == ERR_BUSY)
        http_respond_error(req, 503, err_name(ERR_UNAVAILABLE), NULL, "too many files are open");
    else
        http_respond_error(req, 404, err_name(ERR_NOT_FOUND), NULL,
                           "there is nothing at this path");
}

static void serve(struct http_request *req, const char *root, const char *path,
                  const char *cache_control, bool spa)
{
    struct served f = {.req = req, .root = root, .path = path, .fd = -1};
    enum err e = ERR_NOT_FOUND; /* one file has one address: no doubled slashes */
    if (*path != '/' && !strstr(path, "//"))
        e = beneath_open(root, path, &f.fd, &f.st);
    if (e == ERR_NOT_FOUND && spa) {
        f.path = "index.html";
        cache_control = "no-cache";
        e = beneath_open(root, f.path, &f.fd, &f.st);
    }
    if (e != OK) {
        respond_open_error(req, e);
        return;
    }
    f.type = files_content_type(f.path);
    (void)http_set_header(req, "Cache-Control", cache_control);
    serve_open(&f);
    if (f.fd >= 0)
        close(f.fd);
}

void http_respond_file(struct http_request *req, const char *root, const char *path,
                       const char *cache_control)
{
    if (http_is_closed(req)) {
        respond_finish(req, 200);
        return;
    }
    serve(req, root, path + strspn(path, "/"), cache_control ? cache_control : "no-cache", false);
}

/* A page address of the web app, such as "/watch/demo": no extension, and a browser asks. */
static bool is_page(const struct http_request *req, const char *path)
{
    const char *accept = http_header(req, "accept");
    return mime_extension(path)[0] == '\0' && accept && strstr(accept, "text/html");
}

void files_serve(struct http_request *req)
{
    const struct files_mount *m = req->mount;
    const char *path = req->path + m->prefix_n;
    if (m->config.intercept && m->config.intercept(req, path, m->config.user))
        return;
    bool spa = m->config.spa && is_page(req, path);
    if (m->config.spa && *path == '\0')
        path = "index.html";
    serve(req, m->config.root, path, cache_rule(&m->config, path), spa);
}
