/* Prints field tables as Markdown, for the documentation that is made from them. Writes to standard
 * output. */
#ifndef WEIR_TOOLS_DOCS_SHAPES_H
#define WEIR_TOOLS_DOCS_SHAPES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/fields.h"

/* One enumeration: DOCS_ENUM(media_kind, MEDIA_KIND_MAP) makes a row of it. */
struct docs_enum {
    const char *tag;
    const char *const *names;
    const char *const *docs;
};

#define DOCS_ENUM_DOC(id, text, doc) doc,
#define DOCS_ENUM(tag, MAP) {#tag, tag##_names, (const char *const[]){MAP(DOCS_ENUM_DOC) NULL}},

/* enums: all that fields may refer to; an unknown one ends the program. */
void docs_init(const struct docs_enum *enums, size_t n);

/* Counts a shape that stands at the top of a message; those that stand at several get a section of
 * their own. Call for all messages before the first docs_payload. NULL is fine. */
void docs_count(const struct shape *shape);

/* "label: none", a link to the shape's section, or its table. */
void docs_payload(const char *label, const struct shape *shape);

/* The sections of everything that was referred to. */
void docs_types(void);
void docs_enums(void);

#endif
