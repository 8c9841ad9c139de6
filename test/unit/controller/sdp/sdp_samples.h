/* Recorded offers (test/fuzz/corpus/controller_sdp) read as the service reads them. For tests. */
#ifndef WEIR_TEST_UNIT_CONTROLLER_SDP_SDP_SAMPLES_H
#define WEIR_TEST_UNIT_CONTROLLER_SDP_SDP_SAMPLES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "controller/rtc/ortc.h"
#include "controller/sdp/sdp_offer.h"

struct sample {
    char text[SDP_OFFER_TEXT_MAX];
    size_t n;
    struct arena arena;
    struct rtp_capabilities router;
    struct sdp_offer offer;
    struct field_error error;
};

static inline void sample_close(struct sample *s)
{
    arena_fini(&s->arena);
}

static inline enum err sample_read_again(struct sample *s)
{
    return sdp_offer_read(slice_of(s->text, s->n), &s->arena, &s->offer, &s->error);
}

static inline void sample_load(struct sample *s, const char *name)
{
    char path[128];
    memset(s, 0, sizeof *s);
    snprintf(path, sizeof path, "test/fuzz/corpus/controller_sdp/%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    s->n = fread(s->text, 1, sizeof s->text - 1, f);
    fclose(f);
    arena_init(&s->arena, (size_t)2 * SDP_OFFER_ARENA_MAX);
    assert_int_equal(ortc_router_capabilities(ortc_default_codecs, ortc_n_default_codecs, &s->arena,
                                              &s->router, &s->error),
                     OK);
}

static inline void sample_open(struct sample *s, const char *name)
{
    sample_load(s, name);
    assert_int_equal(sample_read_again(s), OK);
}

/* The sample with the first `from` replaced. */
static inline void sample_edit(struct sample *s, const char *from, const char *to)
{
    char *at = strstr(s->text, from);
    assert_non_null(at);
    size_t tail = s->n - (size_t)(at - s->text) - strlen(from);
    assert_true(s->n + strlen(to) < sizeof s->text);
    memmove(at + strlen(to), at + strlen(from), tail + 1);
    memcpy(at, to, strlen(to));
    s->n += strlen(to) - strlen(from);
}

#endif
