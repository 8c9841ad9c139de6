/* Scores of speech from audio levels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/media/speech.h"

enum { NOISE = 70, VOICE = 30, SILENCE = 127 };

/* 20 ms packets of one level for `frames`; returns the time after. */
static usec say(struct speech *s, usec now, int frames, uint8_t level)
{
    for (int i = 0; i < frames; i++, now += SPEECH_SLOT_US)
        speech_level(s, now, level);
    return now;
}

static struct speech_scores score(struct speech *s, usec now)
{
    struct speech_scores out;
    speech_score(s, now, &out);
    return out;
}

static void a_voice_dominates_noise_and_not_the_other_way_round(void **state)
{
    (void)state;
    struct speech talker;
    struct speech listener;
    speech_init(&talker);
    speech_init(&listener);
    say(&listener, 0, 100, NOISE);
    usec now = say(&talker, 0, 50, NOISE);
    now = say(&talker, now, 50, VOICE);
    struct speech_scores a = score(&talker, now);
    struct speech_scores b = score(&listener, now);
    assert_true(speech_dominates(&a, &b));
    assert_false(speech_dominates(&b, &a));
    assert_false(speech_dominates(&a, &a));
}

static void a_cough_does_not_dominate_a_talker_nor_somebody_silent(void **state)
{
    (void)state;
    struct speech cougher;
    struct speech silent;
    speech_init(&cougher);
    speech_init(&silent);
    say(&silent, 0, 103, NOISE);
    usec now = say(&cougher, 0, 100, NOISE);
    now = say(&cougher, now, 3, VOICE);
    struct speech_scores a = score(&cougher, now);
    struct speech_scores b = score(&silent, now);
    assert_false(speech_dominates(&a, &b));
}

static void who_stops_sending_stops_speaking(void **state)
{
    (void)state;
    struct speech s;
    struct speech never;
    speech_init(&s);
    speech_init(&never);
    usec now = say(&s, 0, 50, NOISE);
    now = say(&s, now, 50, VOICE);
    struct speech_scores none = score(&never, now);
    struct speech_scores talking = score(&s, now);
    struct speech_scores after = score(&s, now + 2 * USEC_PER_SEC);
    assert_true(speech_dominates(&talking, &none));
    assert_false(speech_dominates(&after, &none));
}

static void long_packets_count_as_long_as_they_are(void **state)
{
    (void)state;
    struct speech s;
    struct speech never;
    speech_init(&s);
    speech_init(&never);
    usec now = say(&s, 0, 50, NOISE);
    for (int i = 0; i < 17; i++, now += 3 * SPEECH_SLOT_US)
        speech_level(&s, now, VOICE);
    struct speech_scores a = score(&s, now);
    struct speech_scores b = score(&never, now);
    assert_true(speech_dominates(&a, &b));
}

static void steady_noise_is_no_speech_however_loud(void **state)
{
    (void)state;
    struct speech fan;
    struct speech never;
    speech_init(&fan);
    speech_init(&never);
    usec now = say(&fan, 0, 200, 45);
    struct speech_scores a = score(&fan, now);
    struct speech_scores b = score(&never, now);
    assert_false(speech_dominates(&a, &b));
}

static void digital_silence_does_not_make_noise_a_voice(void **state)
{
    (void)state;
    struct speech s;
    struct speech never;
    speech_init(&s);
    speech_init(&never);
    usec now = say(&s, 0, 50, SILENCE);
    now = say(&s, now, 50, NOISE);
    struct speech_scores a = score(&s, now);
    struct speech_scores b = score(&never, now);
    assert_false(speech_dominates(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_voice_dominates_noise_and_not_the_other_way_round),
        cmocka_unit_test(a_cough_does_not_dominate_a_talker_nor_somebody_silent),
        cmocka_unit_test(who_stops_sending_stops_speaking),
        cmocka_unit_test(long_packets_count_as_long_as_they_are),
        cmocka_unit_test(steady_noise_is_no_speech_however_loud),
        cmocka_unit_test(digital_silence_does_not_make_noise_a_voice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
