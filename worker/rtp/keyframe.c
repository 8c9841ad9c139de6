#include "worker/rtp/keyframe.h"

void keyframe_init(struct keyframe *k, usec delay)
{
    *k = (struct keyframe){
        .delay = delay, .sent_at = USEC_NEVER, .retry_at = USEC_NEVER, .later_at = USEC_NEVER};
}

static bool request(struct keyframe *k, usec now, usec rtt)
{
    usec retry = KEYFRAME_RETRY_US;
    /* The request and the frame travel one round trip; the encoder may finish a frame first. */
    if (rtt > 0 && 2 * rtt + KEYFRAME_RETRY_MIN_US < retry)
        retry = 2 * rtt + KEYFRAME_RETRY_MIN_US;
    if (retry < k->delay)
        retry = k->delay;
    k->sent_at = now;
    k->retry_at = now + retry;
    k->later_at = USEC_NEVER;
    k->requests++;
    return true;
}

bool keyframe_need(struct keyframe *k, usec now, usec rtt, bool forced)
{
    if (forced)
        return request(k, now, rtt);
    if (keyframe_waiting(k))
        return false;
    if (k->sent_at != USEC_NEVER && now - k->sent_at < k->delay) {
        k->later_at = k->sent_at + k->delay;
        return false;
    }
    return request(k, now, rtt);
}

void keyframe_received(struct keyframe *k)
{
    keyframe_cancel(k);
}

void keyframe_cancel(struct keyframe *k)
{
    k->retry_at = USEC_NEVER;
    k->later_at = USEC_NEVER;
}

bool keyframe_timeout(struct keyframe *k, usec now, usec rtt)
{
    if (now < keyframe_deadline(k))
        return false;
    return request(k, now, rtt);
}

usec keyframe_deadline(const struct keyframe *k)
{
    return usec_min(k->retry_at, k->later_at);
}

usec keyframe_wait(const struct keyframe *k, usec now, usec rtt)
{
    if (k->sent_at == USEC_NEVER)
        return 0;
    if (k->retry_at != USEC_NEVER && now - k->sent_at < rtt + KEYFRAME_EXPECTED_US)
        return 0;
    usec next = k->retry_at != USEC_NEVER ? k->retry_at : k->sent_at + k->delay;
    return next > now ? next - now : 0;
}
