/* The page at /api/docs: the table of routes for people. One file without scripts, so that it needs
 * nothing else and works under the strictest policy. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/api/api_state.h"

static const char style[] =
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;"
    "margin:0 auto;padding:1rem}code{font:.9em ui-monospace,monospace}h2{margin-top:2.5rem}"
    "section{border-top:1px solid #8886;padding:.5rem 0}h3{margin:.5rem 0;font-size:1rem}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;"
    "padding:.15rem .75rem .15rem 0}th{font-weight:600}caption{text-align:left;font-weight:600;"
    "padding-top:.5rem}p{margin:.25rem 0}";

/* What comes in is ours: names, documents. Escaped all the same. */
static void escaped(FILE *f, const char *s)
{
    for (; *s; s++) {
        if (*s == '<')
            fputs("&lt;", f);
        else if (*s == '>')
            fputs("&gt;", f);
        else if (*s == '&')
            fputs("&amp;", f);
        else if (*s == '"')
            fputs("&quot;", f);
        else
            fputc(*s, f);
    }
}

static void row(FILE *f, const char *head, const char *what, const char *doc)
{
    fputs("<tr><th scope=\"row\"><code>", f);
    escaped(f, head);
    fputs("</code></th><td>", f);
    escaped(f, what);
    fputs("</td><td>", f);
    escaped(f, doc);
    fputs("</td></tr>\n", f);
}

static const char *kind_text(const struct field *fd, char *buf, size_t n)
{
    static const char *const names[] = {
        [FIELD_flag] = "true or false", [FIELD_u8] = "integer",  [FIELD_u16] = "integer",
        [FIELD_u32] = "integer",        [FIELD_u64] = "integer", [FIELD_i64] = "integer",
        [FIELD_f64] = "number",         [FIELD_str] = "text",    [FIELD_choice] = "one of",
        [FIELD_choices] = "list of",    [FIELD_obj] = "object",  [FIELD_objs] = "list of objects",
        [FIELD_strs] = "list of texts", [FIELD_u8s] = "list",    [FIELD_u16s] = "list",
        [FIELD_u32s] = "list",          [FIELD_dict] = "object", [FIELD_json] = "anything"};
    int used = snprintf(buf, n, "%s", names[fd->kind]);
    if (fd->kind == FIELD_str)
        used += snprintf(buf + used, n - (size_t)used, ", %lld to %lld bytes", (long long)fd->min,
                         (long long)fd->max);
    if (fd->kind == FIELD_choice || fd->kind == FIELD_choices) {
        for (const char *const *c = fd->ref; *c && (size_t)used < n - 1; c++)
            used += snprintf(buf + used, n - (size_t)used, "%s%s", c == fd->ref ? " " : ", ", *c);
    }
    if ((size_t)used < n && fd->presence == FIELD_OPT)
        snprintf(buf + used, n - (size_t)used, "; may be left out");
    return buf;
}

static void fields(FILE *f, const char *caption, const struct shape *shape)
{
    char buf[256];
    fprintf(f, "<table><caption>%s</caption>\n", caption);
    for (size_t i = 0; i < shape->n_fields; i++)
        row(f, shape->fields[i].name, kind_text(&shape->fields[i], buf, sizeof buf),
            shape->fields[i].doc);
    fputs("</table>\n", f);
}

static void queries(FILE *f, const struct api_query *q)
{
    if (!q[0].name)
        return;
    fputs("<table><caption>Query</caption>\n", f);
    for (size_t i = 0; i < API_QUERY_MAX && q[i].name; i++) {
        char what[96] = "true or false";
        if (q[i].kind == API_QUERY_INT)
            snprintf(what, sizeof what, "%lld to %lld; else %lld", (long long)q[i].min,
                     (long long)q[i].max, (long long)q[i].fallback);
        else if (q[i].kind == API_QUERY_TEXT)
            snprintf(what, sizeof what, "text, at most %lld bytes", (long long)q[i].max);
        row(f, q[i].name, what, q[i].doc);
    }
    fputs("</table>\n", f);
}

static void general(void *ctx, int status, const char *doc)
{
    char text[8];
    snprintf(text, sizeof text, "%d", status);
    row(ctx, text, "", doc);
}

static void answers(FILE *f, const struct api_route *r)
{
    fputs("<table><caption>Answers</caption>\n", f);
    for (size_t i = 0; i < API_ANSWERS_MAX && r->answers[i].status; i++)
        general(f, r->answers[i].status, r->answers[i].doc);
    api_each_general(r, general, f);
    fputs("</table>\n", f);
}

static void route(FILE *f, const struct api_route *r)
{
    fprintf(f, "<section id=\"%s\"><h3><code>%s ", r->id, http_method_name(r->method));
    escaped(f, r->path);
    fputs("</code></h3><p>", f);
    escaped(f, r->summary);
    fprintf(f, "</p><p>For: %s. Limit: %s.</p>\n", api_auth_names[r->auth],
            api_limit_names[r->limit]);
    queries(f, r->query);
    if (r->body)
        fields(f, "Body", r->body);
    for (size_t i = 0; i < API_ANSWERS_MAX && r->answers[i].status; i++) {
        if (r->answers[i].shape && r->answers[i].status < 300)
            fields(f, "Answer", r->answers[i].shape);
    }
    answers(f, r);
    fputs("</section>\n", f);
}

/* Whether an earlier route has the tag. */
static bool met(const struct api *a, const struct api_entry *until)
{
    for (const struct api_entry *e = a->first; e != until; e = e->next) {
        if (strcmp(e->route->tag, until->route->tag) == 0)
            return true;
    }
    return false;
}

char *api_page(const struct api *a)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f)
        return NULL;
    fprintf(f,
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
            "name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>Weir "
            "API</title><style>%s</style></head><body><main><h1>Weir API</h1><p>Version %s. The "
            "same for programs: <a href=\"/api/openapi.json\">/api/openapi.json</a> (OpenAPI "
            "3.1).</p>\n",
            style, a->config.version);
    for (const struct api_entry *e = a->first; e; e = e->next) {
        if (met(a, e))
            continue;
        fprintf(f, "<h2>%s</h2>\n", e->route->tag);
        for (const struct api_entry *o = e; o; o = o->next) {
            if (strcmp(o->route->tag, e->route->tag) == 0)
                route(f, o->route);
        }
    }
    fputs("</main></body></html>\n", f);
    if (fclose(f) != 0) {
        free(text);
        return NULL;
    }
    return text;
}
