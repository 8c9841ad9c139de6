#include "controller/room/session.h"

/* The worker carries no SCTP yet; clients are told so when they ask. */
void on_produce_data(struct sig_call *call)
{
    sig_fail(call, ERR_UNSUPPORTED, "data channels are not supported by this version");
}

void on_consume_data(struct sig_call *call)
{
    sig_fail(call, ERR_UNSUPPORTED, "data channels are not supported by this version");
}
