/* A worker that behaves as the variable FLEET_FAKE says: the test program run once more, by the
 * fleet under test. Speaks the pipe with blocking reads and writes. */
#ifndef WEIR_TEST_FAKE_WORKER_H
#define WEIR_TEST_FAKE_WORKER_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/pipe_message.h"

enum { FAKE_IN = 3, FAKE_OUT = 4, FAKE_EXIT = 3 };

static bool fake_is(const char *mode)
{
    const char *now = getenv("FLEET_FAKE");
    return now && strcmp(now, mode) == 0;
}

static void fake_write(const void *p, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t wrote = write(FAKE_OUT, (const char *)p + done, n - done);
        if (wrote <= 0)
            _exit(0);
        done += (size_t)wrote;
    }
}

static void fake_flush(struct frame_queue *q)
{
    struct slice rest = frame_queue_peek(q);
    fake_write(rest.p, rest.n);
    frame_queue_consume(q, rest.n);
}

static void fake_text(const char *json)
{
    struct frame_queue q;
    frame_queue_init(&q, 1 << 20);
    if (frame_queue_push(&q, json, strlen(json)) == OK)
        fake_flush(&q);
    frame_queue_fini(&q);
}

static void fake_running(uint32_t version)
{
    struct frame_queue q;
    struct worker_running_event event = {.protocol_version = version, .pid = (uint32_t)getpid()};
    frame_queue_init(&q, 1 << 20);
    if (pipe_push_event(&q, EVENT_WORKER_RUNNING, "", &event) == OK)
        fake_flush(&q);
    frame_queue_fini(&q);
}

static void fake_answer(uint32_t id, bool refuse)
{
    char text[160];
    if (refuse)
        snprintf(text, sizeof text,
                 "{\"id\":%u,\"error\":\"NotFound\",\"reason\":\"no such thing\"}", id);
    else
        snprintf(text, sizeof text, "{\"id\":%u,\"accepted\":true,\"data\":{}}", id);
    fake_text(text);
}

/* What each mode does with a request that is no ping. */
static void fake_request(const struct pipe_message *m)
{
    static const unsigned char huge[] = {0xff, 0xff, 0xff, 0x7f, '{'};
    static const unsigned char half[] = {100, 0, 0, 0, '{', '"', 'i'};
    if (fake_is("dies"))
        _exit(FAKE_EXIT);
    if (fake_is("garbage"))
        fake_text("what?");
    if (fake_is("oversize"))
        fake_write(huge, sizeof huge);
    if (fake_is("half")) {
        fake_write(half, sizeof half);
        _exit(0);
    }
    if (fake_is("asks"))
        fake_text("{\"id\":1,\"method\":\"worker.ping\"}");
    if (fake_is("silent"))
        return;
    if (fake_is("stranger"))
        fake_answer(m->id + 1000, false);
    if (fake_is("event")) {
        fake_text("{\"handlerId\":\"h1\",\"event\":\"producer.score\",\"data\":{\"scores\":[]}}");
        fake_text("{\"handlerId\":\"h2\",\"event\":\"producer.score\",\"data\":{\"scores\":7}}");
        fake_text("{\"handlerId\":\"h1\",\"event\":\"producer.newer\",\"data\":{}}");
        fake_text(
            "{\"handlerId\":\"nobody\",\"event\":\"producer.score\",\"data\":{\"scores\":[]}}");
    }
    fake_answer(m->id, fake_is("refuses"));
    if (fake_is("twice"))
        fake_answer(m->id, true);
}

static void fake_pong(uint32_t id)
{
    char text[80];
    if (fake_is("slow"))
        usleep(100 * 1000);
    snprintf(text, sizeof text, "{\"id\":%u,\"accepted\":true,\"data\":{\"uptimeUsec\":1}}", id);
    fake_text(text);
}

static void fake_frame(struct slice frame)
{
    struct pipe_message m;
    struct field_error error;
    if (pipe_message_parse(&m, frame, &error) != OK || m.kind != PIPE_REQUEST)
        _exit(9);
    if (strcmp(m.method, "worker.ping") == 0)
        fake_pong(m.id);
    else
        fake_request(&m);
    pipe_message_fini(&m);
}

static void fake_wait_for_ever(void)
{
    for (;;)
        pause();
}

static int fake_main(void)
{
    signal(SIGPIPE, SIG_IGN);
    if (fake_is("stubborn"))
        signal(SIGTERM, SIG_IGN);
    if (fake_is("absent")) {
        fprintf(stderr, "2026-01-01 error worker-0 worker.start port 40000 is taken\n");
        return FAKE_EXIT;
    }
    if (fake_is("mute"))
        fake_wait_for_ever();
    fake_running(fake_is("old") ? PIPE_PROTOCOL_VERSION + 1 : PIPE_PROTOCOL_VERSION);
    if (fake_is("young"))
        return FAKE_EXIT;
    if (fake_is("hangs"))
        fake_wait_for_ever();
    struct frame_reader reader;
    frame_reader_init(&reader);
    char bytes[64 * 1024];
    ssize_t n;
    while ((n = read(FAKE_IN, bytes, sizeof bytes)) > 0) {
        struct slice frame;
        if (frame_reader_feed(&reader, bytes, (size_t)n) != OK)
            _exit(9);
        while (frame_reader_next(&reader, &frame))
            fake_frame(frame);
    }
    frame_reader_fini(&reader);
    if (fake_is("stubborn"))
        fake_wait_for_ever();
    return 0;
}

#endif
