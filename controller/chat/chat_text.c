#include "controller/chat/chat_text.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { BAD = INT32_MAX }; /* no code point */

/* ---- code points ---- */

/* The next code point and how many bytes it has; BAD: not UTF-8 (RFC 3629), one byte. 0 at the end.
 */
static uint32_t next(const char *text, size_t *n)
{
    const uint8_t *p = (const uint8_t *)text;
    *n = 1;
    if (p[0] < 0x80)
        return p[0];
    size_t more = p[0] >= 0xF0 ? 3 : p[0] >= 0xE0 ? 2 : 1;
    uint32_t c = p[0] & (0x3FU >> more);
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return BAD;
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return BAD;
        c = c << 6 | (p[i] & 0x3FU);
    }
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (c < least[more] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return BAD;
    *n = more + 1;
    return c;
}

static bool is_space(uint32_t c)
{
    return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

/* Nothing to see: controls, directions (they turn the line around for all), fillers that make an
 * empty message look sent, tags. U+200C and U+200D stay: they join letters and emoji. */
static bool is_unwanted(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x034F || c == 0x061C ||
           c == 0x115F || c == 0x1160 || c == 0x17B4 || c == 0x17B5 || c == 0x180E || c == 0x200B ||
           c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2060 && c <= 0x206F) || c == 0x2800 || c == 0x3164 || c == 0xFEFF ||
           c == 0xFFA0 || (c >= 0xFFF0 && c <= 0xFFFB) || (c & 0xFFFE) == 0xFFFE ||
           (c >= 0xE000 && c <= 0xF8FF) || c >= 0xF0000;
}

/* Marks that stand on the letter before them. */
static bool is_mark(uint32_t c)
{
    return (c >= 0x0300 && c <= 0x036F) || (c >= 0x0483 && c <= 0x0489) ||
           (c >= 0x0610 && c <= 0x061A) || (c >= 0x064B && c <= 0x065F) ||
           (c >= 0x1AB0 && c <= 0x1AFF) || (c >= 0x1DC0 && c <= 0x1DFF) ||
           (c >= 0x20D0 && c <= 0x20FF) || (c >= 0xFE20 && c <= 0xFE2F) ||
           (c >= 0x0E31 && c <= 0x0E4E && c != 0x0E32 && c != 0x0E33 &&
            !(c >= 0x0E3F && c <= 0x0E46));
}

/* Characters that show nothing by themselves. */
static bool is_joiner(uint32_t c)
{
    return c == 0x200C || c == 0x200D || (c >= 0xFE00 && c <= 0xFE0F);
}

/* Simple lower case of Latin, Greek and Cyrillic; the rest has none, or not enough to matter. */
static uint32_t fold(uint32_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c + 32;
    if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) ||
        (c >= 0x410 && c <= 0x42F))
        return c + 32;
    if (c >= 0x400 && c <= 0x40F)
        return c + 80;
    bool even_is_upper = (c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177);
    bool odd_is_upper = (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E);
    if ((even_is_upper && c % 2 == 0) || (odd_is_upper && c % 2 == 1))
        return c + 1;
    return c;
}

/* Part of a word, where words are set apart; ideographs and the like are not. */
static bool is_letter(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= 0xC0 && c < 0x2000 && c != 0xD7 && c != 0xF7);
}

/* ---- cleaning ---- */

struct cleaner {
    char *out;
    size_t n;
    size_t chars;
    unsigned marks;
    bool space; /* stands before what comes next */
    bool shown; /* something can be seen */
};

static enum err put(struct cleaner *c, const char *p, size_t n, size_t max_chars)
{
    size_t need = n + (c->space ? 1 : 0);
    if (c->n + need > CHAT_TEXT_MAX || c->chars + (c->space ? 2 : 1) > max_chars)
        return ERR_TOO_LARGE;
    if (c->space) {
        c->out[c->n++] = ' ';
        c->chars++;
    }
    c->space = false;
    memcpy(c->out + c->n, p, n);
    c->n += n;
    c->chars++;
    return OK;
}

enum err chat_text_clean(const char *in, size_t max_chars, char out[CHAT_TEXT_MAX + 1])
{
    struct cleaner c = {.out = out};
    size_t n;
    out[0] = '\0';
    for (uint32_t cp; (cp = next(in, &n)) != 0; in += n) {
        if (cp == BAD)
            return ERR_MALFORMED;
        if (is_space(cp)) {
            c.space = c.n > 0;
            c.marks = 0;
            continue;
        }
        c.marks = is_mark(cp) ? c.marks + 1 : 0;
        if (is_unwanted(cp) || c.marks > CHAT_MARKS_MAX)
            continue;
        c.shown = c.shown || !is_joiner(cp);
        enum err e = put(&c, in, n, max_chars);
        if (e != OK)
            return e;
    }
    out[c.n] = '\0';
    return c.shown ? OK : ERR_RANGE;
}

void chat_text_head(const char *text, size_t max_chars, char *out, size_t n)
{
    size_t used = 0;
    size_t len;
    while (max_chars-- > 0 && text[used] != '\0') {
        (void)next(text + used, &len);
        if (used + len >= n)
            break;
        used += len;
    }
    memcpy(out, text, used);
    out[used] = '\0';
}

/* ---- words ---- */

/* How much of text is word, from the beginning, without regard to case; 0: it is not. after: the
 * code point behind it. */
static size_t prefix(const char *text, const char *word, uint32_t *after)
{
    size_t used = 0;
    size_t a;
    size_t b;
    for (uint32_t w; (w = next(word, &b)) != 0; word += b) {
        uint32_t c = next(text + used, &a);
        if (c == 0 || fold(c) != fold(w))
            return 0;
        used += a;
    }
    *after = next(text + used, &a);
    return used;
}

static bool has_word(const char *text, const char *word)
{
    size_t n;
    uint32_t first = next(word, &n);
    uint32_t before = ' ';
    uint32_t last = first;
    for (const char *p = word; *p != '\0'; p += n)
        last = next(p, &n);
    if (first == 0)
        return false;
    for (uint32_t c; (c = next(text, &n)) != 0; text += n) {
        uint32_t after;
        bool begins = !is_letter(first) || !is_letter(before);
        if (begins && prefix(text, word, &after) > 0 && (!is_letter(last) || !is_letter(after)))
            return true;
        before = c;
    }
    return false;
}

bool chat_text_has_word(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (has_word(text, words[i]))
            return true;
    }
    return false;
}

bool chat_text_mentions(const char *text, const char *name)
{
    for (const char *at = strchr(text, '@'); at; at = strchr(at + 1, '@')) {
        uint32_t after;
        /* An address of mail is no mention. */
        bool begins = at == text || !is_letter((uint8_t)at[-1]);
        if (begins && prefix(at + 1, name, &after) > 0 && !is_letter(after))
            return true;
    }
    return false;
}

/* ---- links ---- */

static bool is_name_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           (c & 0x80) != 0;
}

/* Those in common use: everything with a dot would refuse who forgets the space after a sentence.
 */
static bool is_top_level(const char *p, size_t n)
{
    static const char *const names[] = {
        "com", "net", "org",  "info", "biz",  "io",   "gg",    "tv",     "me",    "co",   "app",
        "dev", "xyz", "link", "live", "site", "shop", "store", "online", "club",  "top",  "fun",
        "ly",  "be",  "to",   "us",   "uk",   "de",   "fr",    "eu",     "ru",    "cn",   "jp",
        "nl",  "at",  "ch",   "it",   "es",   "pl",   "br",    "in",     "ca",    "au",   "cc",
        "ai",  "sh",  "gl",   "moe",  "art",  "page", "world", "zone",   "space", "game", "games"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) == n && strncasecmp(p, names[i], n) == 0)
            return true;
    }
    return false;
}

/* A host name with at least one dot at text: how long it is; 0: none. last: where its last label
 * begins. */
static size_t host(const char *text, size_t *last)
{
    size_t n = 0;
    size_t dots = 0;
    for (;;) {
        size_t begin = n;
        while (is_name_char(text[n]))
            n++;
        if (n == begin)
            return dots > 0 && *last == begin ? begin - 1 : 0; /* ended by a dot */
        *last = begin;
        if (text[n] != '.' || !is_name_char(text[n + 1]))
            return dots > 0 ? n : 0;
        dots++;
        n++;
    }
}

bool chat_text_has_link(const char *text)
{
    for (const char *p = strstr(text, "://"); p; p = strstr(p + 1, "://")) {
        if (p > text && is_name_char(p[-1]) && p[3] != '\0' && p[3] != ' ')
            return true;
    }
    for (const char *p = text; *p != '\0'; p++) {
        size_t last = 0;
        if (p > text && (is_name_char(p[-1]) || p[-1] == '.'))
            continue;
        size_t n = host(p, &last);
        if (n == 0)
            continue;
        if (strncasecmp(p, "www.", 4) == 0 || is_top_level(p + last, n - last) || p[n] == '/')
            return true;
    }
    return false;
}
