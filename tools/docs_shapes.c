#include "tools/docs_shapes.h"

#include "proto/rtp_parameters.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHAPES_MAX = 512, ENUMS_MAX = 64 };

static const struct docs_enum *all_enums;
static size_t n_enums;
static bool enum_used[ENUMS_MAX];

static struct {
    const struct shape *shape;
    int uses; /* at the top of a message */
    bool section;
} shapes[SHAPES_MAX];
static size_t n_shapes;

static size_t slot_of(const struct shape *shape)
{
    for (size_t i = 0; i < n_shapes; i++)
        if (shapes[i].shape == shape)
            return i;
    if (n_shapes == SHAPES_MAX)
        abort();
    shapes[n_shapes].shape = shape;
    return n_shapes++;
}

void docs_init(const struct docs_enum *enums, size_t n)
{
    if (n > ENUMS_MAX)
        abort();
    all_enums = enums;
    n_enums = n;
}

void docs_count(const struct shape *shape)
{
    if (shape)
        shapes[slot_of(shape)].uses++;
}

/* rtp_codec_parameters -> RtpCodecParameters; prefixes of one vocabulary go away. */
static const char *title(const char *tag)
{
    static char buf[2][128];
    static int turn;
    char *out = buf[turn ^= 1];
    size_t n = 0;
    bool up = true;
    if (strncmp(tag, "param_", 6) == 0)
        tag += 6;
    if (strncmp(tag, "sig_", 4) == 0)
        tag += 4;
    for (const char *p = tag; *p && n + 2 < sizeof buf[0]; p++) {
        if (*p == '_') {
            up = true;
            continue;
        }
        out[n++] = up ? (char)toupper((unsigned char)*p) : *p;
        if (up && strncmp(p, "webrtc", 6) == 0) {
            memcpy(out + n, "ebRtc", 5);
            n += 5;
            p += 5;
        }
        up = false;
    }
    out[n] = '\0';
    return out;
}

static void link_to(const char *tag)
{
    const char *name = title(tag);
    printf("[%s](#", name);
    for (const char *p = name; *p; p++)
        putchar(tolower((unsigned char)*p));
    putchar(')');
}

static void link_enum(const char *const *names)
{
    for (size_t i = 0; i < n_enums; i++) {
        if (all_enums[i].names == names) {
            enum_used[i] = true;
            link_to(all_enums[i].tag);
            return;
        }
    }
    fprintf(stderr, "an enumeration that begins with %s is not in the list\n", names[0]);
    exit(1);
}

/* A shape that is referred to gets a section, and so does what it refers to. */
static void link_shape(const struct shape *shape)
{
    shapes[slot_of(shape)].section = true;
    link_to(shape->name);
}

static void print_type(const struct field *f)
{
    static const char *const plain[] = {
        [FIELD_flag] = "boolean",
        [FIELD_u8] = "integer",
        [FIELD_u16] = "integer",
        [FIELD_u32] = "integer",
        [FIELD_u64] = "integer",
        [FIELD_i64] = "integer",
        [FIELD_f64] = "number",
        [FIELD_str] = "string",
        [FIELD_strs] = "array of strings",
        [FIELD_u8s] = "array of integers",
        [FIELD_u16s] = "array of integers",
        [FIELD_u32s] = "array of integers",
        [FIELD_dict] = "object of strings, numbers and booleans",
        [FIELD_json] = "any value",
    };
    if (f->kind == FIELD_choices || f->kind == FIELD_objs)
        printf("array of ");
    if (f->kind == FIELD_choice || f->kind == FIELD_choices)
        link_enum(f->ref);
    else if (f->kind == FIELD_obj || f->kind == FIELD_objs)
        link_shape(f->ref);
    else
        printf("%s", plain[f->kind]);
}

static void print_bounds(const struct field *f)
{
    long long min = f->min;
    long long max = f->max;
    switch (f->kind) {
    case FIELD_u8:
    case FIELD_u16:
    case FIELD_u32:
    case FIELD_u64:
    case FIELD_i64:
    case FIELD_f64:
        if (max == SAFE_INTEGER_MAX && min == 0)
            printf("0 or more");
        else
            printf("%lld to %lld", min, max);
        break;
    case FIELD_str:
        printf("%lld to %lld bytes", min, max);
        break;
    case FIELD_choices:
    case FIELD_objs:
    case FIELD_strs:
    case FIELD_dict:
        printf("%lld to %lld entries", min, max);
        break;
    case FIELD_u8s:
        printf("%lld to %lld entries of 0 to 255", min, max);
        break;
    case FIELD_u16s:
        printf("%lld to %lld entries of 0 to 65535", min, max);
        break;
    case FIELD_u32s:
        printf("%lld to %lld entries of 0 to 4294967295", min, max);
        break;
    case FIELD_flag:
    case FIELD_choice:
    case FIELD_obj:
    case FIELD_json:
        break;
    }
}

static void print_text(const char *text)
{
    for (; *text; text++)
        printf(*text == '|' || *text == '*' || *text == '<' ? "\\%c" : "%c", *text);
}

static void print_table(const struct shape *shape)
{
    if (shape->n_fields == 0) {
        printf("An empty object.\n\n");
        return;
    }
    printf("| Field | Type | Required | Bounds | Meaning |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        printf("| `%s` | ", f->name);
        print_type(f);
        printf(" | %s | ", f->presence == FIELD_REQ ? "yes" : "");
        print_bounds(f);
        printf(" | ");
        print_text(f->doc);
        printf(" |\n");
    }
    printf("\n");
}

void docs_payload(const char *label, const struct shape *shape)
{
    if (!shape) {
        printf("%s: none.\n\n", label);
    } else if (shapes[slot_of(shape)].uses > 1 || shapes[slot_of(shape)].section) {
        printf("%s: ", label);
        link_shape(shape);
        printf(".\n\n");
    } else {
        printf("%s:\n\n", label);
        print_table(shape);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(shapes[*(const size_t *)a].shape->name, shapes[*(const size_t *)b].shape->name);
}

/* All that a section refers to, and so on. */
static void mark(const struct shape *shape)
{
    for (size_t i = 0; i < shape->n_fields; i++) {
        const struct field *f = &shape->fields[i];
        if (f->kind == FIELD_obj || f->kind == FIELD_objs) {
            shapes[slot_of(f->ref)].section = true;
            mark(f->ref);
        }
    }
}

void docs_types(void)
{
    for (size_t i = 0; i < n_shapes; i++)
        if (shapes[i].section)
            mark(shapes[i].shape);
    size_t order[SHAPES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < n_shapes; i++)
        if (shapes[i].section)
            order[n++] = i;
    qsort(order, n, sizeof order[0], by_name);
    for (size_t i = 0; i < n; i++) {
        printf("### %s\n\n", title(shapes[order[i]].shape->name));
        print_table(shapes[order[i]].shape);
    }
}

void docs_enums(void)
{
    for (size_t i = 0; i < n_enums; i++) {
        const struct docs_enum *e = &all_enums[i];
        if (!enum_used[i])
            continue;
        printf("### %s\n\n| Value | Meaning |\n|---|---|\n", title(e->tag));
        for (size_t j = 0; e->names[j]; j++) {
            printf("| `%s` | ", e->names[j]);
            print_text(e->docs[j]);
            printf(" |\n");
        }
        printf("\n");
    }
}
