/* What may stand in a chat message: cleaning, length, links, words that a room does not want,
 * mentions. UTF-8 in and out. Pure; no IO. */
#ifndef WEIR_CONTROLLER_CHAT_CHAT_TEXT_H
#define WEIR_CONTROLLER_CHAT_CHAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum {
    CHAT_TEXT_MAX = 2000, /* bytes, without the NUL */
    /* More marks on one letter than any language needs climb over the lines above. */
    CHAT_MARKS_MAX = 4
};

/* One line of plain text: white space of all kinds becomes single spaces, the ends are trimmed;
 * controls, overrides of the direction and invisible characters go, but for those that join emoji
 * and letters. ERR_RANGE: nothing is left; ERR_TOO_LARGE: more than max_chars code points, or
 * CHAT_TEXT_MAX bytes; ERR_MALFORMED: not UTF-8. */
MUST_CHECK enum err chat_text_clean(const char *in, size_t max_chars, char out[CHAT_TEXT_MAX + 1]);

/* Whether it has what a client would make a link of, or a reader would follow: a scheme, www., or a
 * name under a top-level domain that is in common use. */
bool chat_text_has_link(const char *text);

/* Whether one of words stands in text as a word of its own; case does not matter. */
bool chat_text_has_word(const char *text, const char *const *words, size_t n);

/* Whether text has @name; case does not matter. name: at least one character. */
bool chat_text_mentions(const char *text, const char *name);

/* The first max_chars code points of text. */
void chat_text_head(const char *text, size_t max_chars, char *out, size_t n);

#endif
