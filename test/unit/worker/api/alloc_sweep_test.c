/* Requests whose allocations fail, the first, the second and so on: each is refused or not answered
 * at all, and nothing is left behind that would stand in the way of the next attempt. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/lib/stage.h"

static long fail_at = -1; /* allocations until one fails; -1: none does */
static bool failed;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SWEEPS 1
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);

static bool fails(void)
{
    if (fail_at < 0 || fail_at-- > 0)
        return false;
    failed = true;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return fails() ? NULL : __libc_realloc(p, n);
}
#else
#define SWEEPS 0 /* a sanitizer owns malloc; each request runs once */
#endif

enum { ALLOCATIONS_MAX = 20000 };

static struct world w;

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    world_do(&w, "router.createDirectTransport", "room", "{'transportId':'in','options':{}}");
    world_do(&w, "transport.produceData", "in", "{'dataProducerId':'chat','type':'direct'}");
    produce_audio(&w, "in", "mic");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_fini(&w);
    return 0;
}

/* True: an allocation of it failed. */
static bool attempt(const char *frame, long at)
{
    failed = false;
    fail_at = at;
    api_frame(&w.api, w.now, slice_of(frame, strlen(frame)));
    fail_at = -1;
    w.api.failed = OK; /* the answer may be what there was no memory for */
    frame_queue_consume(&w.out, frame_queue_peek(&w.out).n);
    return failed;
}

static const char *frame_of(const char *method, const char *handler, const char *data)
{
    static char text[8192];
    int n = snprintf(text, sizeof text, "{'id':1,'method':'%s','handlerId':'%s','data':%s}", method,
                     handler, data);
    for (int i = 0; i < n; i++) {
        if (text[i] == '\'')
            text[i] = '"';
    }
    return text;
}

/* undo: a request that takes it back, which must be refused while it is not there. */
static void sweep(const char *method, const char *handler, const char *data, const char *undo,
                  const char *undo_handler, const char *undo_data)
{
    size_t sockets = w.open_sockets;
    long at = 0;
    for (; SWEEPS && at < ALLOCATIONS_MAX; at++) {
        if (!attempt(frame_of(method, handler, data), at))
            break;
        /* It was refused, or done without the answer: either way it can be taken back or not. */
        json_decref(world_call(&w, undo, undo_handler, NULL, "%s", undo_data));
        assert_int_equal(w.open_sockets, sockets);
    }
    assert_in_range(at, SWEEPS ? 10 : 0, ALLOCATIONS_MAX - 1);
    json_decref(world_call(&w, undo, undo_handler, NULL, "%s", undo_data));
    world_do(&w, method, handler, "%s", data);
    world_do(&w, undo, undo_handler, "%s", undo_data);
    assert_int_equal(w.open_sockets, sockets);
}

static void webrtc_servers(void **state)
{
    (void)state;
    sweep("worker.createWebRtcServer", "",
          "{'webRtcServerId':'s','listenInfos':[{'ip':'10.0.0.1'},{'ip':'10.0.0.1','protocol':"
          "'tcp'}]}",
          "worker.closeWebRtcServer", "", "{'webRtcServerId':'s'}");
}

static void transports_of_every_kind(void **state)
{
    (void)state;
    const char *const close = "router.closeTransport";
    sweep("router.createPipeTransport", "room",
          "{'transportId':'t','options':{'enableSrtp':true,'listenInfo':{'ip':'10.0.0.1'}}}", close,
          "room", "{'transportId':'t'}");
    sweep("router.createDirectTransport", "room", "{'transportId':'t','options':{}}", close, "room",
          "{'transportId':'t'}");
    world_do(&w, "worker.createWebRtcServer", "",
             "{'webRtcServerId':'s','listenInfos':[{'ip':'10.0.0.1'}]}");
    sweep("router.createWebRtcTransportWithServer", "room",
          "{'transportId':'t','options':{'listen':{'type':'server','webRtcServerId':'s'}}}", close,
          "room", "{'transportId':'t'}");
    sweep("router.createPlainTransport", "room",
          "{'transportId':'t','options':{'rtcpMux':false,'listenInfo':{'ip':'10.0.0.1'}}}", close,
          "room", "{'transportId':'t'}");
}

static void observers(void **state)
{
    (void)state;
    sweep("router.createAudioLevelObserver", "room", "{'rtpObserverId':'o','options':{}}",
          "router.closeRtpObserver", "room", "{'rtpObserverId':'o'}");
    world_do(&w, "router.createActiveSpeakerObserver", "room",
             "{'rtpObserverId':'o','options':{}}");
    sweep("rtpObserver.addProducer", "o", "{'producerId':'mic'}", "rtpObserver.removeProducer", "o",
          "{'producerId':'mic'}");
}

static void pipe_consumers(void **state)
{
    (void)state;
    world_do(&w, "router.createPipeTransport", "room",
             "{'transportId':'pipe','options':{'listenInfo':{'ip':'10.0.0.1'}}}");
    sweep("transport.consume", "pipe",
          "{'consumerId':'c','producerId':'mic','kind':'audio','type':'pipe','rtpParameters':{"
          "'codecs':[{'mimeType':'audio/opus','payloadType':100,'clockRate':48000,'channels':2}],"
          "'encodings':[{'ssrc':7000}]},'consumableRtpEncodings':[{'ssrc':9001}]}",
          "transport.closeConsumer", "pipe", "{'consumerId':'c'}");
}

static void dumps_need_memory_and_change_nothing(void **state)
{
    (void)state;
    world_do(&w, "router.createActiveSpeakerObserver", "room",
             "{'rtpObserverId':'o','options':{}}");
    world_do(&w, "rtpObserver.addProducer", "o", "{'producerId':'mic'}");
    for (long at = 0; SWEEPS && at < ALLOCATIONS_MAX; at++) {
        if (!attempt(frame_of("router.dump", "room", "{}"), at))
            break;
    }
    json_t *d = world_call(&w, "router.dump", "room", NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(d, "rtpObserverIds")), 1);
    json_decref(d);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(webrtc_servers),
        T(transports_of_every_kind),
        T(observers),
        T(pipe_consumers),
        T(dumps_need_memory_and_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
