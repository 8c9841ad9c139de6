/* JSON <-> struct by table: a message is described once, in an X-list, from which its struct, its
 * validation, its documentation and its tests come. JSON is decoded here, at the edge; rules see
 * only structs. No IO.
 *
 * An X-list names one row a field (S is the struct's tag):
 *
 *   #define CODEC_FIELDS(X, S)
 *       X(S, str, mime_type, "mimeType", REQ, 1, 64, _, "For example video/VP8.")
 *       X(S, u32, clock_rate, "clockRate", REQ, 1, 1000000, _, "In Hz.")
 *       X(S, objs, feedback, "rtcpFeedback", OPT, 0, 32, rtcp_feedback, "What is understood.")
 *   SHAPE_STRUCT(rtp_codec, CODEC_FIELDS);    in the header: struct rtp_codec, rtp_codec_shape
 *   SHAPE_DEFINE(rtp_codec, CODEC_FIELDS)     in the .c: the table
 *
 *   kind                 member in the struct             what min and max bound
 *   flag                 bool m; bool has_m               -
 *   u8 u16 u32 u64 i64   number m; bool has_m             the value
 *   f64                  double m; bool has_m             the value
 *   str                  const char *m (NULL: absent)     the length in bytes
 *   choice               int m; bool has_m                - (ref = array of names, NULL at its end)
 *   choices              int *m; size_t n_m               the count (ref as for choice)
 *   obj                  struct ref *m (NULL: absent)     -
 *   objs                 struct ref *m; size_t n_m        the count
 *   strs                 const char **m; size_t n_m       the count (a string: at most 1024 bytes)
 *   u8s u16s u32s        uintN_t *m; size_t n_m           the count
 *   dict                 struct dict_entry *m; size_t n_m the count; an object of scalars (fmtp)
 *   json                 json_t *m (NULL: absent)         -; any value, handed through (appData)
 *
 * Of a list, m is NULL where the key was absent, and not NULL where it was an empty list.
 * Decoded strings and json are borrowed from the json_t, everything else from the arena: both must
 * outlive the struct. A null value counts as absent. Unknown keys are ignored, as newer clients
 * send more than we know. */
#ifndef WEIR_COMMON_FIELDS_H
#define WEIR_COMMON_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"

enum field_kind {
    FIELD_flag,
    FIELD_u8,
    FIELD_u16,
    FIELD_u32,
    FIELD_u64,
    FIELD_i64,
    FIELD_f64,
    FIELD_str,
    FIELD_choice,
    FIELD_choices,
    FIELD_obj,
    FIELD_objs,
    FIELD_strs,
    FIELD_u8s,
    FIELD_u16s,
    FIELD_u32s,
    FIELD_dict,
    FIELD_json
};

enum field_presence { FIELD_OPT, FIELD_REQ };

enum dict_type { DICT_STR, DICT_INT, DICT_REAL, DICT_BOOL };

struct dict_entry {
    const char *key;
    enum dict_type type;
    const char *str; /* DICT_STR */
    int64_t num;     /* DICT_INT, DICT_BOOL (0 or 1) */
    double real;     /* DICT_REAL */
};

struct shape;

struct field {
    const char *name; /* key in the JSON */
    enum field_kind kind;
    enum field_presence presence;
    size_t offset;       /* of the value */
    size_t extra_offset; /* of has_m or n_m; 0 where the kind has none */
    int64_t min;
    int64_t max;
    const void *ref; /* struct shape of obj, objs; names of choice */
    const char *doc;
};

struct shape {
    const char *name;
    size_t size;
    const struct field *fields;
    size_t n_fields;
};

struct field_error {
    enum err err;     /* ERR_TYPE missing or wrong type, ERR_RANGE out of bounds, ERR_NOMEM */
    char path[128];   /* for example "rtpParameters.codecs[1].mimeType" */
    char reason[256]; /* a sentence that names the path */
};

/* out must have shape->size bytes; it is zeroed first. On failure error is filled and out is not to
 * be used. */
MUST_CHECK enum err shape_decode(const struct shape *shape, json_t *in, void *out,
                                 struct arena *arena, struct field_error *error);

/* A new reference, or NULL when memory is exhausted. Optional members that are absent are left out;
 * REQ numbers, flags and lists are always written; a REQ str, obj or json that is NULL is written
 * as null. */
json_t *shape_encode(const struct shape *shape, const void *in);

const struct dict_entry *dict_find(const struct dict_entry *entries, size_t n, const char *key);
/* The integer under key (also from a string of digits), or fallback. */
int64_t dict_int(const struct dict_entry *entries, size_t n, const char *key, int64_t fallback);
/* The string under key, or NULL. */
const char *dict_str(const struct dict_entry *entries, size_t n, const char *key);

/* ---- the expansion of X-lists ---- */

#define FIELD_MEMBER_flag(m, ref)                                                                  \
    bool m;                                                                                        \
    bool has_##m;
#define FIELD_MEMBER_u8(m, ref)                                                                    \
    uint8_t m;                                                                                     \
    bool has_##m;
#define FIELD_MEMBER_u16(m, ref)                                                                   \
    uint16_t m;                                                                                    \
    bool has_##m;
#define FIELD_MEMBER_u32(m, ref)                                                                   \
    uint32_t m;                                                                                    \
    bool has_##m;
#define FIELD_MEMBER_u64(m, ref)                                                                   \
    uint64_t m;                                                                                    \
    bool has_##m;
#define FIELD_MEMBER_i64(m, ref)                                                                   \
    int64_t m;                                                                                     \
    bool has_##m;
#define FIELD_MEMBER_f64(m, ref)                                                                   \
    double m;                                                                                      \
    bool has_##m;
#define FIELD_MEMBER_str(m, ref) const char *m;
#define FIELD_MEMBER_choice(m, ref)                                                                \
    int m;                                                                                         \
    bool has_##m;
#define FIELD_MEMBER_choices(m, ref)                                                               \
    int *m;                                                                                        \
    size_t n_##m;
#define FIELD_MEMBER_obj(m, ref) struct ref *m;
#define FIELD_MEMBER_objs(m, ref)                                                                  \
    struct ref *m;                                                                                 \
    size_t n_##m;
#define FIELD_MEMBER_strs(m, ref)                                                                  \
    const char **m;                                                                                \
    size_t n_##m;
#define FIELD_MEMBER_u8s(m, ref)                                                                   \
    uint8_t *m;                                                                                    \
    size_t n_##m;
#define FIELD_MEMBER_u16s(m, ref)                                                                  \
    uint16_t *m;                                                                                   \
    size_t n_##m;
#define FIELD_MEMBER_u32s(m, ref)                                                                  \
    uint32_t *m;                                                                                   \
    size_t n_##m;
#define FIELD_MEMBER_dict(m, ref)                                                                  \
    struct dict_entry *m;                                                                          \
    size_t n_##m;
#define FIELD_MEMBER_json(m, ref) json_t *m;

#define FIELD_EXTRA_flag(S, m) offsetof(struct S, has_##m)
#define FIELD_EXTRA_u8(S, m) offsetof(struct S, has_##m)
#define FIELD_EXTRA_u16(S, m) offsetof(struct S, has_##m)
#define FIELD_EXTRA_u32(S, m) offsetof(struct S, has_##m)
#define FIELD_EXTRA_u64(S, m) offsetof(struct S, has_##m)
#define FIELD_EXTRA_i64(S, m) offsetof(struct S, has_##m)
#define FIELD_EXTRA_f64(S, m) offsetof(struct S, has_##m)
#define FIELD_EXTRA_str(S, m) 0
#define FIELD_EXTRA_choice(S, m) offsetof(struct S, has_##m)
#define FIELD_EXTRA_choices(S, m) offsetof(struct S, n_##m)
#define FIELD_EXTRA_obj(S, m) 0
#define FIELD_EXTRA_objs(S, m) offsetof(struct S, n_##m)
#define FIELD_EXTRA_strs(S, m) offsetof(struct S, n_##m)
#define FIELD_EXTRA_u8s(S, m) offsetof(struct S, n_##m)
#define FIELD_EXTRA_u16s(S, m) offsetof(struct S, n_##m)
#define FIELD_EXTRA_u32s(S, m) offsetof(struct S, n_##m)
#define FIELD_EXTRA_dict(S, m) offsetof(struct S, n_##m)
#define FIELD_EXTRA_json(S, m) 0

#define FIELD_REF_flag(ref) NULL
#define FIELD_REF_u8(ref) NULL
#define FIELD_REF_u16(ref) NULL
#define FIELD_REF_u32(ref) NULL
#define FIELD_REF_u64(ref) NULL
#define FIELD_REF_i64(ref) NULL
#define FIELD_REF_f64(ref) NULL
#define FIELD_REF_str(ref) NULL
#define FIELD_REF_choice(ref) ref
#define FIELD_REF_choices(ref) ref
#define FIELD_REF_obj(ref) &ref##_shape
#define FIELD_REF_objs(ref) &ref##_shape
#define FIELD_REF_strs(ref) NULL
#define FIELD_REF_u8s(ref) NULL
#define FIELD_REF_u16s(ref) NULL
#define FIELD_REF_u32s(ref) NULL
#define FIELD_REF_dict(ref) NULL
#define FIELD_REF_json(ref) NULL

#define FIELD_MEMBER(S, kind, m, json, presence, min, max, ref, doc) FIELD_MEMBER_##kind(m, ref)
#define FIELD_ROW(S, kind, m, json, presence, min, max, ref, doc)                                  \
    {json,                                                                                         \
     FIELD_##kind,                                                                                 \
     FIELD_##presence,                                                                             \
     offsetof(struct S, m),                                                                        \
     FIELD_EXTRA_##kind(S, m),                                                                     \
     min,                                                                                          \
     max,                                                                                          \
     FIELD_REF_##kind(ref),                                                                        \
     doc},

#define SHAPE_STRUCT(S, LIST)                                                                      \
    struct S {                                                                                     \
        LIST(FIELD_MEMBER, S)                                                                      \
    };                                                                                             \
    extern const struct shape S##_shape

#define SHAPE_DEFINE(S, LIST)                                                                      \
    static const struct field S##_fields[] = {LIST(FIELD_ROW, S){0}};                              \
    const struct shape S##_shape = {#S, sizeof(struct S), S##_fields,                              \
                                    sizeof S##_fields / sizeof S##_fields[0] - 1};

/* ---- choices: one X-map X(id, text, doc) an enumeration ----
 *     CHOICE_ENUM(media_kind, MEDIA_KIND_MAP);     in the header: enum media_kind, media_kind_names
 *     CHOICE_DEFINE(media_kind, MEDIA_KIND_MAP)    in the .c: the names, in the enum's order */
#define CHOICE_ID(id, text, doc) id,
#define CHOICE_TEXT(id, text, doc) text,
#define CHOICE_ENUM(tag, MAP)                                                                      \
    enum tag { MAP(CHOICE_ID) };                                                                   \
    extern const char *const tag##_names[]
#define CHOICE_DEFINE(tag, MAP) const char *const tag##_names[] = {MAP(CHOICE_TEXT) NULL};

/* The index of text in names, or -1. */
int choice_find(const char *const *names, const char *text);

#endif
