/* Recordings over HTTP.
 *
 *   POST   /api/livestream/:roomId/recording   starts; owner       -> 201 recording
 *   DELETE /api/livestream/:roomId/recording   stops; owner        -> 200 recording
 *   POST   /api/livestream/:roomId/clip        the last seconds; anybody -> 201 recording
 *   GET    /api/recordings?roomId&limit&offset public ones; with an owner's secret: all of theirs
 *   GET    /api/recordings/:id
 *   PATCH  /api/recordings/:id {title, visibility}   owner
 *   DELETE /api/recordings/:id                 owner               -> 204
 *   GET    /recordings/:id/:file               video.mp4 (?download), poster.jpg, ...
 *
 * An owner shows the resume token of the broadcaster, as bearer token; browsers that fetch media
 * may give it as ?token=. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "controller/net/files.h"
#include "controller/record/recording_shapes.h"
#include "controller/record/recordings_state.h"

enum { LIST_DEFAULT = 50, TITLE_MAX = 200, DISPOSITION_MAX = TITLE_MAX + 96 };

/* A request that waits for the database. */
struct asked {
    struct http_request *req;
    struct recordings *recordings;
};

/* ---- answers ---- */

static void put_url(json_t *o, const char *key, const char *id, const char *file)
{
    char url[128];
    snprintf(url, sizeof url, "/recordings/%s/%s", id, file);
    json_object_set_new(o, key, json_string(url));
}

static json_t *describe(const struct recording_row *row)
{
    json_t *o = json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "id", row->id, "roomId", row->room_id, "title",
        row->title ? row->title : "", "kind", row->clip ? "clip" : "stream", "status",
        recording_status_name(row->status), "visibility",
        recording_visibility_name(row->visibility), "startedAt", (json_int_t)row->started_at,
        "durationMs", (json_int_t)row->duration_ms, "sizeBytes", (json_int_t)row->size_bytes);
    if (!o)
        return NULL;
    json_object_set_new(o, "streamId", row->stream_id ? json_string(row->stream_id) : json_null());
    json_object_set_new(o, "endedAt", row->ended_at ? json_integer(row->ended_at) : json_null());
    json_object_set_new(o, "failure", row->failure ? json_string(row->failure) : json_null());
    if (row->status == RECORDING_READY) {
        put_url(o, "videoUrl", row->id, FINISHED_VIDEO);
        put_url(o, "posterUrl", row->id, FINISHED_POSTER);
        put_url(o, "thumbnailUrl", row->id, FINISHED_THUMBNAIL);
        put_url(o, "spriteUrl", row->id, FINISHED_SPRITE_VTT);
    }
    return o;
}

static json_t *describe_running(const struct recording *rec)
{
    struct recorder_stats now = {0};
    if (rec->recorder)
        recorder_get_stats(rec->recorder, &now);
    struct recording_row row = {.id = rec->id,
                                .stream_id = rec->stream_id,
                                .room_id = rec->room_id,
                                .title = rec->title,
                                .clip = rec->clip,
                                .status = rec->ended ? RECORDING_PROCESSING : RECORDING_RECORDING,
                                .visibility = RECORDING_UNLISTED,
                                .started_at = rec->started_ms,
                                .ended_at = rec->ended_ms,
                                .duration_ms = (rec->duration + now.duration) / USEC_PER_MSEC,
                                .size_bytes = (int64_t)(rec->bytes + now.bytes),
                                .failure = rec->failure[0] ? rec->failure : NULL};
    return describe(&row);
}

static void respond_err(struct http_request *req, enum err e, const char *field, const char *text)
{
    int status = http_status_of(e);
    if (status == 503)
        (void)http_set_header(req, "Retry-After", "2");
    http_respond_error(req, status, err_name(e), field, text ? text : err_text(e));
}

/* Nothing is wrong with the request, but with the service's configuration. */
static void respond_unsupported(struct http_request *req)
{
    http_respond_error(req, 409, err_name(ERR_UNSUPPORTED), "hls.container", recordings_no_mp4);
}

/* ---- who asks ---- */

static const char *secret_of(const struct http_request *req)
{
    const char *bearer = http_bearer(req);
    return bearer ? bearer : http_query(req, "token");
}

static bool hash_fits(const char *expected, const char *secret)
{
    char given[RECORDING_HASH_LEN];
    if (!expected || !secret)
        return false;
    recordings_hash(secret, given);
    return secret_fits(expected, given);
}

/* Answers when it is not the owner. */
static bool owns_stream(struct http_request *req, const struct recordings *r, const char *room_id)
{
    const struct stream *s = streams_of_room(r->config.streams, room_id);
    const struct room *room = s ? stream_room(s) : NULL;
    if (!s) {
        respond_err(req, ERR_NOT_FOUND, "roomId", "no stream is live there");
        return false;
    }
    if (!http_bearer(req)) {
        respond_err(req, ERR_AUTH, NULL, "only the stream's owner may do that");
        return false;
    }
    if (!room || !secret_fits(room_broadcaster_token(room), http_bearer(req))) {
        respond_err(req, ERR_DENIED, NULL, "only the stream's owner may do that");
        return false;
    }
    return true;
}

static bool owns(struct http_request *req, const struct recording_row *row)
{
    if (!http_bearer(req))
        respond_err(req, ERR_AUTH, NULL, "only the recording's owner may do that");
    else if (!hash_fits(row->owner_hash, http_bearer(req)))
        respond_err(req, ERR_DENIED, NULL, "only the recording's owner may do that");
    else
        return true;
    return false;
}

/* A private one is not there for others. */
static bool may_see(const struct http_request *req, const struct recording_row *row)
{
    return row->visibility != RECORDING_PRIVATE || hash_fits(row->owner_hash, secret_of(req));
}

/* ---- start, stop, clip ---- */

static void on_start(struct http_request *req, void *user)
{
    struct recordings *r = user;
    struct recording *rec;
    const char *room_id = http_param(req, "roomId");
    if (!owns_stream(req, r, room_id))
        return;
    enum err e = recordings_start(r, room_id, &rec);
    if (e == OK)
        http_respond_json(req, 201, describe_running(rec));
    else if (e == ERR_UNSUPPORTED)
        respond_unsupported(req);
    else
        respond_err(req, e, NULL, e == ERR_EXISTS ? "the stream is recorded already" : NULL);
}

static void on_stop(struct http_request *req, void *user)
{
    struct recordings *r = user;
    const char *room_id = http_param(req, "roomId");
    if (!owns_stream(req, r, room_id))
        return;
    struct recording *rec = recordings_of_room(r, room_id);
    if (!rec) {
        respond_err(req, ERR_NOT_FOUND, NULL, "the stream is not recorded");
        return;
    }
    json_t *answer = describe_running(rec);
    json_object_set_new(answer, "status", json_string("processing"));
    recordings_stop(rec); /* may free it */
    http_respond_json(req, 200, answer);
}

static void on_clip(struct http_request *req, void *user)
{
    struct recordings *r = user;
    struct recording *rec;
    struct field_error error;
    int64_t seconds;
    if (http_query_int(req, "seconds", 1, CLIP_MAX_S, CLIP_MAX_S, &seconds, &error) != OK) {
        http_respond_field_error(req, &error);
        return;
    }
    enum err e = recordings_clip(r, http_param(req, "roomId"), (unsigned)seconds, &rec);
    if (e == OK)
        http_respond_json(req, 201, describe_running(rec));
    else if (e == ERR_UNSUPPORTED)
        respond_unsupported(req);
    else
        respond_err(req, e, NULL, e == ERR_NOT_FOUND ? "nothing plays there" : NULL);
}

/* ---- lists ---- */

static void on_rows(void *ctx, enum err e, const struct recording_row *rows, size_t n)
{
    struct http_request *req = ctx;
    if (e != OK) {
        respond_err(req, e, NULL, NULL);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, describe(&rows[i]));
    http_respond_json(req, 200, json_pack("{s:o}", "recordings", list));
}

static void on_list(struct http_request *req, void *user)
{
    struct recordings *r = user;
    struct field_error error;
    int64_t limit;
    int64_t offset;
    char hash[RECORDING_HASH_LEN];
    if (http_query_int(req, "limit", 1, RECORDING_LIST_MAX, LIST_DEFAULT, &limit, &error) != OK ||
        http_query_int(req, "offset", 0, INT32_MAX, 0, &offset, &error) != OK) {
        http_respond_field_error(req, &error);
        return;
    }
    enum err e;
    if (http_bearer(req)) {
        recordings_hash(http_bearer(req), hash);
        e = recording_store_list_owned(r->config.db, hash, limit, offset, on_rows, req);
    } else {
        e = recording_store_list_public(r->config.db, http_query(req, "roomId"), limit, offset,
                                        on_rows, req);
    }
    if (e != OK)
        respond_err(req, e, NULL, NULL);
}

/* ---- one ---- */

static void with_row(struct http_request *req, struct recordings *r, recording_row_fn *then)
{
    struct asked *a = malloc(sizeof *a);
    enum err e = ERR_NOMEM;
    if (a) {
        *a = (struct asked){.req = req, .recordings = r};
        recordings_hold(r);
        e = recording_store_get(r->config.db, http_param(req, "id"), then, a);
    }
    if (e != OK) {
        if (a)
            recordings_release(r);
        free(a);
        respond_err(req, e, NULL, NULL);
    }
}

/* Unpacks what waited; answers when there is no row to be shown. True: `recordings` is held, and
 * to be released last. */
static bool found(void *ctx, enum err e, const struct recording_row *row, struct asked *out)
{
    *out = *(struct asked *)ctx;
    free(ctx);
    if (e == OK && may_see(out->req, row))
        return true;
    if (e == OK || e == ERR_NOT_FOUND)
        respond_err(out->req, ERR_NOT_FOUND, "id", "there is no such recording");
    else
        respond_err(out->req, e, NULL, NULL);
    recordings_release(out->recordings);
    return false;
}

static void tell_row(void *ctx, enum err e, const struct recording_row *row)
{
    struct asked a;
    if (!found(ctx, e, row, &a))
        return;
    http_respond_json(a.req, 200, describe(row));
    recordings_release(a.recordings);
}

static void on_get(struct http_request *req, void *user)
{
    with_row(req, user, tell_row);
}

static void delete_row(void *ctx, enum err e, const struct recording_row *row)
{
    struct asked a;
    if (!found(ctx, e, row, &a))
        return;
    if (owns(a.req, row)) {
        recordings_delete(a.recordings, row->id);
        http_respond_empty(a.req, 204);
    }
    recordings_release(a.recordings);
}

static void on_delete(struct http_request *req, void *user)
{
    with_row(req, user, delete_row);
}

/* ---- changing ---- */

static void on_changed(void *ctx, enum err e)
{
    struct asked *a = ctx;
    if (e == OK) {
        e = recording_store_get(a->recordings->config.db, http_param(a->req, "id"), tell_row, a);
        if (e == OK)
            return;
    }
    respond_err(a->req, e, NULL, NULL);
    recordings_release(a->recordings);
    free(a);
}

static bool bad_field(struct http_request *req, enum err e, const char *field, const char *text)
{
    respond_err(req, e, field, text);
    return false;
}

/* false: answered. */
static bool read_change(struct http_request *req, json_t *body, const char **title,
                        enum recording_visibility *visibility, bool *has_visibility)
{
    const char *key;
    json_t *value;
    *title = NULL;
    *has_visibility = false;
    if (!json_is_object(body))
        return bad_field(req, ERR_TYPE, NULL, "the body must be an object");
    json_object_foreach(body, key, value)
    {
        const char *text = json_string_value(value);
        if (strcmp(key, "title") == 0) {
            if (!text)
                return bad_field(req, ERR_TYPE, "title", "must be a string");
            if (strlen(text) > TITLE_MAX)
                return bad_field(req, ERR_RANGE, "title", "must have at most 200 bytes");
            *title = text;
        } else if (strcmp(key, "visibility") == 0) {
            if (!text || recording_visibility_parse(text, visibility) != OK)
                return bad_field(req, ERR_RANGE, "visibility",
                                 "must be private, unlisted or public");
            *has_visibility = true;
        } else {
            return bad_field(req, ERR_TYPE, "title", "only title and visibility can be changed");
        }
    }
    return true;
}

/* The answer is on_changed's, which releases; or comes here. */
static void change(const struct asked *a, const struct recording_row *row, json_t *body)
{
    const char *title;
    enum recording_visibility visibility = RECORDING_PRIVATE;
    bool has_visibility;
    if (!read_change(a->req, body, &title, &visibility, &has_visibility))
        return;
    struct asked *again = malloc(sizeof *again);
    enum err e = ERR_NOMEM;
    if (again) {
        *again = *a;
        recordings_hold(a->recordings);
        e = recording_store_change(a->recordings->config.db, row->id, title,
                                   has_visibility ? &visibility : NULL, on_changed, again);
    }
    if (e == OK)
        return;
    if (again)
        recordings_release(a->recordings);
    free(again);
    respond_err(a->req, e, NULL, NULL);
}

static void change_row(void *ctx, enum err e, const struct recording_row *row)
{
    struct asked a;
    struct field_error error;
    json_t *body;
    if (!found(ctx, e, row, &a))
        return;
    if (owns(a.req, row)) {
        if (http_body_json(a.req, &body, &error) == OK) {
            change(&a, row, body);
            json_decref(body);
        } else {
            http_respond_field_error(a.req, &error);
        }
    }
    recordings_release(a.recordings);
}

static void on_change(struct http_request *req, void *user)
{
    with_row(req, user, change_row);
}

/* ---- files ---- */

static bool is_served(const char *file)
{
    static const char *const names[] = {FINISHED_VIDEO, FINISHED_POSTER, FINISHED_THUMBNAIL,
                                        FINISHED_SPRITE, FINISHED_SPRITE_VTT};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(file, names[i]) == 0)
            return true;
    }
    return false;
}

/* A name that is a file name on every system. */
static void name_download(const struct recording_row *row, char value[DISPOSITION_MAX])
{
    char name[TITLE_MAX + 1];
    size_t n = 0;
    for (const char *p = row->title ? row->title : ""; *p && n < TITLE_MAX; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || *p == '-' || *p == '_' || *p == ' ';
        name[n++] = plain ? *p : '_';
    }
    name[n] = '\0';
    snprintf(value, DISPOSITION_MAX, "attachment; filename=\"%s.mp4\"", n > 0 ? name : row->id);
}

static void respond_recorded(const struct asked *a, const struct recording_row *row)
{
    char path[160];
    char url[STORAGE_URL_MAX];
    char disposition[DISPOSITION_MAX];
    const char *file = http_param(a->req, "file");
    if (row->status != RECORDING_READY || !is_served(file)) {
        respond_err(a->req, ERR_NOT_FOUND, NULL, "there is nothing at this path");
        return;
    }
    bool download = http_query(a->req, "download") && strcmp(file, FINISHED_VIDEO) == 0;
    if (download)
        name_download(row, disposition);
    if (recordings_url(a->recordings, row->id, file, download ? disposition : NULL, url)) {
        (void)http_set_header(a->req, "Location", url);
        http_respond_empty(a->req, 302);
        return;
    }
    if (download)
        (void)http_set_header(a->req, "Content-Disposition", disposition);
    snprintf(path, sizeof path, "%s/%s", row->id, file);
    http_respond_file(a->req, a->recordings->config.dir, path,
                      row->visibility == RECORDING_PRIVATE ? "private, no-cache"
                                                           : "public, max-age=3600");
}

static void serve_file(void *ctx, enum err e, const struct recording_row *row)
{
    struct asked a;
    if (!found(ctx, e, row, &a))
        return;
    respond_recorded(&a, row);
    recordings_release(a.recordings);
}

static void on_file(struct http_request *req, void *user)
{
    with_row(req, user, serve_file);
}

/* ---- table ---- */

static const struct api_route routes[] = {
    {.method = HTTP_POST,
     .path = "/api/livestream/:roomId/recording",
     .id = "startRecording",
     .tag = "Recordings",
     .summary = "Records the room's stream from now on. The secret is the broadcaster's resume "
                "token, here and below.",
     .auth = API_SECRET,
     .limit = API_LIMIT_GENERAL,
     .answers = {{201, &recording_answer_shape, "The recording."},
                 {404, NULL, "No stream is live there."},
                 {409, NULL, "It is recorded already, or the service makes MPEG-TS."}},
     .raw = on_start,
     .open = true},
    {.method = HTTP_DELETE,
     .path = "/api/livestream/:roomId/recording",
     .id = "stopRecording",
     .tag = "Recordings",
     .summary = "Ends the recording, which is then finished.",
     .auth = API_SECRET,
     .limit = API_LIMIT_GENERAL,
     .answers = {{200, &recording_answer_shape, "The recording."},
                 {404, NULL, "No stream is live there, or it is not recorded."}},
     .raw = on_stop,
     .open = true},
    {.method = HTTP_POST,
     .path = "/api/livestream/:roomId/clip",
     .id = "makeClip",
     .tag = "Recordings",
     .summary = "Makes a recording of the last seconds.",
     .limit = API_LIMIT_CREATE,
     .query = {{"seconds", API_QUERY_INT, 1, CLIP_MAX_S, CLIP_MAX_S, "How many."}},
     .answers = {{201, &recording_answer_shape, "The recording."},
                 {404, NULL, "Nothing plays there."},
                 {409, NULL, "Not now, or the service makes MPEG-TS."}},
     .raw = on_clip,
     .open = true},
    {.method = HTTP_GET,
     .path = "/api/recordings",
     .id = "listRecordings",
     .tag = "Recordings",
     .summary = "Public recordings, the newest first; with an owner's secret all of its own.",
     .auth = API_SECRET,
     .limit = API_LIMIT_GENERAL,
     .query = {{"roomId", API_QUERY_TEXT, 0, 64, 0, "Only of this room."},
               {"limit", API_QUERY_INT, 1, RECORDING_LIST_MAX, LIST_DEFAULT, "At most so many."},
               {"offset", API_QUERY_INT, 0, INT32_MAX, 0, "After so many."}},
     .answers = {{200, &recordings_answer_shape, "The recordings."}},
     .raw = on_list,
     .open = true},
    {.method = HTTP_GET,
     .path = "/api/recordings/:id",
     .id = "getRecording",
     .tag = "Recordings",
     .summary = "One recording; a private one with its owner's secret only.",
     .auth = API_SECRET,
     .limit = API_LIMIT_GENERAL,
     .answers = {{200, &recording_answer_shape, "The recording."},
                 {404, NULL, "There is no such recording."}},
     .raw = on_get,
     .open = true},
    {.method = HTTP_PATCH,
     .path = "/api/recordings/:id",
     .id = "changeRecording",
     .tag = "Recordings",
     .summary = "Title, and who may see it.",
     .auth = API_SECRET,
     .limit = API_LIMIT_GENERAL,
     .body = &recording_change_shape,
     .answers = {{200, &recording_answer_shape, "As it is now."},
                 {404, NULL, "There is no such recording."}},
     .raw = on_change,
     .open = true},
    {.method = HTTP_DELETE,
     .path = "/api/recordings/:id",
     .id = "deleteRecording",
     .tag = "Recordings",
     .summary = "Deletes it with its files.",
     .auth = API_SECRET,
     .limit = API_LIMIT_GENERAL,
     .answers = {{204, NULL, "It is gone."}, {404, NULL, "There is no such recording."}},
     .raw = on_delete,
     .open = true},
    {.method = HTTP_GET,
     .path = "/recordings/:id/:file",
     .id = "getRecordingFile",
     .tag = "Recordings",
     .summary = "video.mp4 (with ?download as a file to keep), poster.jpg, thumbnail.jpg, "
                "sprite.jpg, sprite.vtt; in parts by Range.",
     .auth = API_SECRET,
     .query = {{"download", API_QUERY_TEXT, 0, 8, 0, "The browser keeps it as a file."},
               {"token", API_QUERY_TEXT, 0, 64, 0, "The owner's secret, for media elements."}},
     .answers = {{200, NULL, "The file.", "video/mp4"},
                 {206, NULL, "The part.", "video/mp4"},
                 {302, NULL, "It is on another server."},
                 {304, NULL, "It is as before."},
                 {404, NULL, "There is no such recording or file."},
                 {416, NULL, "There is no such part."}},
     .raw = on_file,
     .open = true},
};

enum err recordings_add_routes(struct recordings *r)
{
    return api_add(r->config.api, routes, sizeof routes / sizeof routes[0], r);
}
