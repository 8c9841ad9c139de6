#include "controller/net/mime.h"

#include <string.h>
#include <strings.h>

#include "controller/net/files.h"

static const struct media_type {
    const char *extension;
    const char *type;
    bool text; /* worth compressing */
} types[] = {
    {"html", "text/html; charset=utf-8", true},
    {"htm", "text/html; charset=utf-8", true},
    {"js", "text/javascript; charset=utf-8", true},
    {"mjs", "text/javascript; charset=utf-8", true},
    {"css", "text/css; charset=utf-8", true},
    {"json", "application/json", true},
    {"map", "application/json", true},
    {"webmanifest", "application/manifest+json", true},
    {"svg", "image/svg+xml", true},
    {"txt", "text/plain; charset=utf-8", true},
    {"md", "text/markdown; charset=utf-8", true},
    {"xml", "application/xml", true},
    {"csv", "text/csv; charset=utf-8", true},
    {"vtt", "text/vtt; charset=utf-8", true},
    {"srt", "text/plain; charset=utf-8", true},
    {"yaml", "application/yaml", true},
    {"yml", "application/yaml", true},
    {"wasm", "application/wasm", true},
    {"m3u8", "application/vnd.apple.mpegurl", true},
    {"mpd", "application/dash+xml", true},
    {"ts", "video/mp2t", false},
    {"mp4", "video/mp4", false},
    {"m4v", "video/mp4", false},
    {"m4s", "video/iso.segment", false},
    {"m4a", "audio/mp4", false},
    {"cmfv", "video/mp4", false},
    {"cmfa", "audio/mp4", false},
    {"aac", "audio/aac", false},
    {"mp3", "audio/mpeg", false},
    {"opus", "audio/ogg", false},
    {"ogg", "audio/ogg", false},
    {"oga", "audio/ogg", false},
    {"wav", "audio/wav", false},
    {"webm", "video/webm", false},
    {"mkv", "video/x-matroska", false},
    {"png", "image/png", false},
    {"jpg", "image/jpeg", false},
    {"jpeg", "image/jpeg", false},
    {"gif", "image/gif", false},
    {"webp", "image/webp", false},
    {"avif", "image/avif", false},
    {"ico", "image/x-icon", false},
    {"woff", "font/woff", false},
    {"woff2", "font/woff2", false},
    {"ttf", "font/ttf", false},
    {"otf", "font/otf", false},
    {"pdf", "application/pdf", false},
    {"zip", "application/zip", false},
    {"gz", "application/gzip", false},
};

const char *mime_extension(const char *path)
{
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    const char *dot = strrchr(name, '.');
    return dot ? dot + 1 : "";
}

static const struct media_type *find(const char *path)
{
    const char *ext = mime_extension(path);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcasecmp(types[i].extension, ext) == 0)
            return &types[i];
    }
    return NULL;
}

const char *files_content_type(const char *path)
{
    const struct media_type *t = find(path);
    return t ? t->type : "application/octet-stream";
}

bool mime_is_text(const char *path)
{
    const struct media_type *t = find(path);
    return t && t->text;
}
