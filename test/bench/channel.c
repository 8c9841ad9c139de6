#include "test/bench/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "proto/dcep.h"

enum { MESSAGE_MAX = 256 * 1024, BUFFER = 1 << 20 };

static struct assoc_group group;

static _Noreturn void die(const char *what, enum err e)
{
    fprintf(stderr, "bench channel: %s: %s\n", what, err_name(e));
    abort();
}

static void init_group(void)
{
    static bool ready;
    if (!ready)
        assoc_group_init(&group);
    ready = true;
}

void channel_open(struct channel *c, struct rtc_peer *rtc)
{
    init_group();
    *c = (struct channel){.rtc = rtc};
    struct assoc_config config = {.group = &group,
                                  .owner = c,
                                  .port = ASSOC_PORT,
                                  .out_streams = CHANNEL_STREAMS,
                                  .in_streams = CHANNEL_STREAMS,
                                  .max_send_message = MESSAGE_MAX,
                                  .max_receive_message = MESSAGE_MAX,
                                  .send_buffer = BUFFER,
                                  .stream_send_buffer = BUFFER,
                                  .receive_buffer = BUFFER,
                                  .data_channels = true};
    enum err e = assoc_open(&c->assoc, clock_now(), &config);
    if (e == OK)
        e = assoc_connect(c->assoc);
    if (e != OK)
        die("open", e);
}

void channel_close(struct channel *c)
{
    assoc_close(c->assoc);
    c->assoc = NULL;
}

void channel_input(struct channel *c, usec now, struct slice packet)
{
    if (c->assoc)
        assoc_input(c->assoc, now, packet);
}

static void drain(struct channel *c, usec now)
{
    struct assoc_item it;
    while (assoc_poll(c->assoc, now, &it)) {
        if (it.kind == ASSOC_PACKET)
            (void)rtc_peer_send_data(c->rtc, now, it.bytes);
        c->messages += it.kind == ASSOC_MESSAGE;
    }
}

void channels_turn(usec now)
{
    struct assoc *a;
    init_group();
    if (assocs_deadline() <= now)
        assocs_timeout(now);
    while ((a = assocs_ready(&group)) != NULL)
        drain(assoc_owner(a), now);
}

void channel_send(struct channel *c, usec now, uint16_t stream, size_t n)
{
    uint8_t text[1024];
    const struct assoc_sending how = {.stream = stream, .ppid = PPID_STRING};
    memset(text, 'x', sizeof text);
    enum err e =
        n > sizeof text ? ERR_TOO_LARGE : assoc_send(c->assoc, now, &how, slice_of(text, n));
    if (e != OK)
        die("send", e);
    drain(c, now);
}
