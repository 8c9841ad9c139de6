/* usrsctp as the process has it: start and end, ids, timers. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "worker/engine/sctp_assoc.h"

/* The pace that usrsctp's own timer thread has. */
#define TICK (10 * USEC_PER_MSEC)
/* Timers of closed sockets that assocs_fini waits for, in its own time. */
enum { FINI_TICKS = 1000 };

static struct {
    bool started;
    uintptr_t last_id;
    struct assoc *by_id; /* borrowed, hash */
    struct list busy;
    usec ticked_at;
} all;

/* A packet for the association with this id. Called by usrsctp with its locks held. */
static int on_output(void *addr, void *bytes, size_t n, uint8_t tos, uint8_t set_df)
{
    (void)tos;
    (void)set_df;
    uintptr_t id = (uintptr_t)addr;
    struct assoc *a;
    HASH_FIND(hh, all.by_id, &id, sizeof id, a);
    n = a ? streams_output(a, bytes, n) : 0;
    if (n > 0)
        packets_push(a, bytes, n);
    if (a)
        assocs_mark_ready(a);
    return 0;
}

void assocs_upcall(struct socket *so, void *arg, int flags)
{
    (void)so;
    (void)flags;
    uintptr_t id = (uintptr_t)arg;
    struct assoc *a;
    HASH_FIND(hh, all.by_id, &id, sizeof id, a);
    if (a)
        assocs_mark_ready(a);
}

static void start(void)
{
    /* Its thread must not take the signals that the loop waits for. */
    sigset_t every, before;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &before);
    usrsctp_init_nothreads(0, on_output, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);

    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_asconf_enable(0);
    usrsctp_sysctl_set_sctp_auto_asconf(0);
    usrsctp_sysctl_set_sctp_auth_enable(0);
    usrsctp_sysctl_set_sctp_nrsack_enable(0);
    usrsctp_sysctl_set_sctp_pktdrop_enable(0);
    usrsctp_sysctl_set_sctp_pr_enable(1);
    usrsctp_sysctl_set_sctp_reconfig_enable(1);
    /* No answer to packets that belong to no association. */
    usrsctp_sysctl_set_sctp_blackhole(2);
    /* RFC 6928: ten packets at the start; RFC 9260 7.2.4 leaves bursts to us. */
    usrsctp_sysctl_set_sctp_initial_cwnd(10);
    usrsctp_sysctl_set_sctp_max_burst_default(10);
    usrsctp_sysctl_set_sctp_fr_max_burst_default(10);

    list_init(&all.busy);
    all.started = true;
}

enum err assocs_add(struct assoc *a, usec now)
{
    if (!all.started)
        start();
    if (!all.by_id)
        all.ticked_at = now; /* it stood still */
    list_init(&a->in_ready);
    list_init(&a->in_busy);
    a->id = ++all.last_id;
    HASH_ADD(hh, all.by_id, id, sizeof a->id, a);
    if (!a->hh.tbl)
        return ERR_NOMEM;
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): usrsctp takes ids as pointers. */
    usrsctp_register_address((void *)a->id);
    return OK;
}

void assocs_remove(struct assoc *a)
{
    if (!a->hh.tbl)
        return;
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    usrsctp_deregister_address((void *)a->id);
    HASH_DEL(all.by_id, a);
    list_remove(&a->in_ready);
    list_remove(&a->in_busy);
}

void assocs_fini(void)
{
    if (!all.started || all.by_id)
        return;
    for (int i = 0; usrsctp_finish() != 0 && i < FINI_TICKS; i++)
        usrsctp_handle_timers(TICK / USEC_PER_MSEC);
    all.started = false;
}

void assocs_mark_ready(struct assoc *a)
{
    if (list_empty(&a->in_ready))
        list_add(&a->config.group->ready, &a->in_ready);
}

void assocs_mark_busy(struct assoc *a, bool busy)
{
    if (!busy)
        list_remove(&a->in_busy);
    else if (list_empty(&a->in_busy))
        list_add(&all.busy, &a->in_busy);
}

void assocs_timeout(usec now)
{
    if (!all.by_id)
        return;
    if (now < all.ticked_at)
        all.ticked_at = now;
    usec passed = (now - all.ticked_at) / USEC_PER_MSEC;
    if (passed == 0)
        return;
    all.ticked_at += passed * USEC_PER_MSEC;
    usrsctp_handle_timers((uint32_t)usec_min(passed, UINT32_MAX));
    list_each (node, &all.busy)
        assoc_pump(container_of(node, struct assoc, in_busy), now);
}

usec assocs_deadline(void)
{
    return all.by_id ? all.ticked_at + TICK : USEC_NEVER;
}

void assoc_group_init(struct assoc_group *group)
{
    list_init(&group->ready);
}

struct assoc *assocs_ready(struct assoc_group *group)
{
    if (list_empty(&group->ready))
        return NULL;
    struct assoc *a = container_of(group->ready.next, struct assoc, in_ready);
    list_remove(&a->in_ready);
    return a;
}
