/* Observers: who is loud, who speaks. The producers are in a direct transport. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base64.h"
#include "test/lib/stage.h"

enum { NOISE = 70, VOICE = 30, SPEAKERS = 3 };

static struct world w;
static const char *const names[SPEAKERS] = {"ann", "ben", "cay"};
static uint16_t seqs[SPEAKERS];

static int set_up(void **state)
{
    (void)state;
    memset(seqs, 0, sizeof seqs);
    world_init(&w);
    world_do(&w, "worker.createRouter", "", "{'routerId':'room'}");
    world_do(&w, "router.createDirectTransport", "room", "{'transportId':'in','options':{}}");
    for (int i = 0; i < SPEAKERS; i++)
        world_do(&w, "transport.produce", "in",
                 "{'producerId':'%s','kind':'audio','rtpParameters':{'codecs':[{'mimeType':"
                 "'audio/opus','payloadType':111,'clockRate':48000,'channels':2}],"
                 "'headerExtensions':[{'uri':'urn:ietf:params:rtp-hdrext:ssrc-audio-level','id':10}"
                 "],'encodings':[{'ssrc':%d}]},'rtpMapping':{'codecs':[{'payloadType':111,"
                 "'mappedPayloadType':100}],'encodings':[{'ssrc':%d,'mappedSsrc':%d}]}}",
                 names[i], 100 + i, 100 + i, 9000 + i);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_fini(&w);
    return 0;
}

static void command(const char *event, const char *handler, const uint8_t *bytes, size_t n)
{
    char text[BASE64_TEXT_MAX(1500)];
    char frame[4096];
    base64_write(bytes, n, text);
    int len = snprintf(frame, sizeof frame,
                       "{\"event\":\"%s\",\"handlerId\":\"%s\",\"data\":{\"data\":\"%s\"}}", event,
                       handler, text);
    api_frame(&w.api, w.now, slice_of(frame, (size_t)len));
}

/* One packet of each who has a level (0: nobody speaks into it), then 20 ms. */
static void frames(int n, uint8_t ann, uint8_t ben, uint8_t cay)
{
    const uint8_t levels[SPEAKERS] = {ann, ben, cay};
    for (int f = 0; f < n; f++) {
        for (int i = 0; i < SPEAKERS; i++) {
            uint8_t buf[1500];
            struct rtp_spec s = {.ssrc = (uint32_t)(100 + i),
                                 .seq = ++seqs[i],
                                 .timestamp = seqs[i] * 960U,
                                 .pt = AUDIO_PT,
                                 .audio_level = levels[i],
                                 .size = 40};
            if (levels[i] != 0)
                command("producer.send", names[i], buf, rtp_build(buf, &s));
        }
        world_pass(&w, 20 * USEC_PER_MSEC, NULL, NULL);
    }
}

static void watch(const char *kind, const char *options)
{
    char method[64];
    snprintf(method, sizeof method, "router.create%s", kind);
    world_do(&w, method, "room", "{'rtpObserverId':'o','options':{%s}}", options);
    for (int i = 0; i < SPEAKERS; i++)
        world_do(&w, "rtpObserver.addProducer", "o", "{'producerId':'%s'}", names[i]);
}

static const char *dominant(void)
{
    json_t *d = world_last_event(&w, "o", "activeSpeakerObserver.dominantSpeaker");
    return json_string_value(json_object_get(d, "producerId"));
}

static void the_loudest_come_first_and_only_as_many_as_asked_for(void **state)
{
    (void)state;
    watch("AudioLevelObserver", "'maxEntries':2,'threshold':-60,'interval':1000");
    frames(60, 50, 20, 40);
    json_t *v = json_object_get(world_last_event(&w, "o", "audioLevelObserver.volumes"), "volumes");
    assert_int_equal(json_array_size(v), 2);
    json_t *first = json_array_get(v, 0);
    json_t *second = json_array_get(v, 1);
    assert_string_equal(json_string_value(json_object_get(first, "producerId")), "ben");
    assert_int_equal(json_integer_value(json_object_get(first, "volume")), -20);
    assert_string_equal(json_string_value(json_object_get(second, "producerId")), "cay");
    assert_int_equal(json_integer_value(json_object_get(second, "volume")), -40);
}

static void silence_is_told_once_and_only_after_volumes(void **state)
{
    (void)state;
    watch("AudioLevelObserver", "'threshold':-60");
    frames(110, 90, 90, 90);
    assert_int_equal(world_events(&w, "o", "audioLevelObserver.silence"), 0);
    frames(55, 30, 90, 90);
    assert_int_equal(world_events(&w, "o", "audioLevelObserver.volumes"), 1);
    frames(220, 90, 90, 90);
    assert_int_equal(world_events(&w, "o", "audioLevelObserver.silence"), 1);
    assert_true(world_events(&w, "o", "audioLevelObserver.volumes") <= 2);
}

static void a_few_packets_make_no_average(void **state)
{
    (void)state;
    watch("AudioLevelObserver", "");
    frames(5, 10, 10, 10);
    frames(60, 0, 0, 0);
    assert_int_equal(world_events(&w, "o", "audioLevelObserver.volumes"), 0);
}

static void a_paused_observer_is_silent_and_says_so(void **state)
{
    (void)state;
    watch("AudioLevelObserver", "");
    frames(55, 30, 30, 30);
    assert_int_equal(world_events(&w, "o", "audioLevelObserver.volumes"), 1);
    world_do(&w, "rtpObserver.pause", "o", NULL);
    assert_int_equal(world_events(&w, "o", "audioLevelObserver.silence"), 1);
    frames(110, 30, 30, 30);
    assert_int_equal(world_events(&w, "o", "audioLevelObserver.volumes"), 1);
    world_do(&w, "rtpObserver.resume", "o", NULL);
    frames(55, 30, 30, 30);
    assert_int_equal(world_events(&w, "o", "audioLevelObserver.volumes"), 2);
}

static void the_dominant_speaker_follows_the_conversation(void **state)
{
    (void)state;
    watch("ActiveSpeakerObserver", "'interval':300");
    frames(50, NOISE, NOISE, NOISE);
    assert_null(dominant());
    frames(75, VOICE, NOISE, NOISE);
    assert_string_equal(dominant(), "ann");
    frames(75, NOISE, NOISE, VOICE);
    assert_string_equal(dominant(), "cay");
    size_t told = world_events(&w, "o", "activeSpeakerObserver.dominantSpeaker");
    assert_int_equal(told, 2);
    /* A pause between sentences changes nothing, nor does a word from elsewhere. */
    frames(30, NOISE, NOISE, NOISE);
    frames(75, NOISE, NOISE, VOICE);
    frames(4, NOISE, VOICE, VOICE);
    frames(50, NOISE, NOISE, VOICE);
    assert_int_equal(world_events(&w, "o", "activeSpeakerObserver.dominantSpeaker"), told);
}

static void the_next_speaks_when_the_dominant_one_leaves_or_is_paused(void **state)
{
    (void)state;
    watch("ActiveSpeakerObserver", "");
    frames(50, NOISE, NOISE, NOISE);
    frames(75, VOICE, NOISE, NOISE);
    frames(50, VOICE, VOICE, VOICE);
    assert_string_equal(dominant(), "ann");
    world_do(&w, "transport.closeProducer", "in", "{'producerId':'ann'}");
    frames(50, 0, VOICE, NOISE);
    assert_string_equal(dominant(), "ben");
    world_do(&w, "producer.pause", "ben", NULL);
    frames(50, 0, VOICE, NOISE);
    frames(75, 0, VOICE, VOICE);
    assert_string_equal(dominant(), "cay");
}

static void starts_with(const char *text, const char *want)
{
    if (strncmp(text, want, strlen(want)) != 0)
        fail_msg("\"%s\" does not start with \"%s\"", text, want);
}

static void bad_requests_are_refused(void **state)
{
    (void)state;
    watch("AudioLevelObserver", "");
    starts_with(world_refused(&w, "router.createActiveSpeakerObserver", "room",
                              "{'rtpObserverId':'o','options':{}}"),
                "AlreadyExists rtpObserverId");
    starts_with(world_refused(&w, "router.createAudioLevelObserver", "room",
                              "{'rtpObserverId':'p','options':{'threshold':1}}"),
                "RangeError options.threshold");
    starts_with(world_refused(&w, "rtpObserver.addProducer", "o", "{'producerId':'ann'}"),
                "AlreadyExists producerId");
    starts_with(world_refused(&w, "rtpObserver.addProducer", "o", "{'producerId':'nobody'}"),
                "NotFound producerId");
    starts_with(world_refused(&w, "rtpObserver.pause", "room", NULL), "NotFound handlerId");
    world_do(&w, "router.createWebRtcTransport", "room", "{'transportId':'up','options':{}}");
    produce_video(&w, "up", "cam");
    starts_with(world_refused(&w, "rtpObserver.addProducer", "o", "{'producerId':'cam'}"),
                "TypeError producerId");
    starts_with(world_refused(&w, "router.closeRtpObserver", "room", "{'rtpObserverId':'x'}"),
                "NotFound rtpObserverId");
    world_do(&w, "rtpObserver.removeProducer", "o", "{'producerId':'ann'}");
    world_do(&w, "rtpObserver.removeProducer", "o", "{'producerId':'ann'}");
    world_do(&w, "router.closeRtpObserver", "room", "{'rtpObserverId':'o'}");
    frames(60, 30, 30, 30);
    assert_int_equal(world_events(&w, "o", "audioLevelObserver.volumes"), 0);
}

static void dumps_name_observers_and_what_they_observe(void **state)
{
    (void)state;
    watch("ActiveSpeakerObserver", "");
    world_do(&w, "rtpObserver.removeProducer", "o", "{'producerId':'ben'}");
    json_t *d = world_call(&w, "router.dump", "room", NULL, NULL);
    json_t *ids = json_object_get(d, "rtpObserverIds");
    assert_int_equal(json_array_size(ids), 1);
    assert_string_equal(json_string_value(json_array_get(ids, 0)), "o");
    json_t *map = json_object_get(d, "mapProducerIdObserverIds");
    assert_int_equal(json_array_size(map), 2);
    json_decref(d);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_loudest_come_first_and_only_as_many_as_asked_for),
        T(silence_is_told_once_and_only_after_volumes),
        T(a_few_packets_make_no_average),
        T(a_paused_observer_is_silent_and_says_so),
        T(the_dominant_speaker_follows_the_conversation),
        T(the_next_speaks_when_the_dominant_one_leaves_or_is_paused),
        T(bad_requests_are_refused),
        T(dumps_name_observers_and_what_they_observe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
