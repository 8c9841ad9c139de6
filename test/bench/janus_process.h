/* Debian's Janus (package `janus`), a process of its own with the streaming plugin and one
 * mountpoint, and its JSON API over a Unix socket. Does IO; aborts where it cannot. */
#ifndef WEIR_TEST_BENCH_JANUS_PROCESS_H
#define WEIR_TEST_BENCH_JANUS_PROCESS_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/types.h>

enum { JANUS_MOUNTPOINT = 1 };

struct janus {
    pid_t pid;
    char dir[32]; /* its configuration and socket, until it is started; or empty */
    int log_fd;   /* what it prints, in memory */
    int api;
    /* Where it talks to viewers, who have to be there too: its sockets are bound to the interface,
     * and what goes from there to a loopback address leaves the machine. */
    struct in_addr address;
    uint16_t rtp_port; /* of 127.0.0.1: the mountpoint takes RTP there, VP8 as payload type 101 */
    unsigned transactions;
    json_int_t session;
    char version[32];
};

/* event_loops: threads that all viewers share; 0: as Janus is by default, a thread each. Returns
 * NULL, or why there is none: it is not installed, or this machine has loopback addresses only,
 * which Janus never offers to its viewers. */
const char *janus_open(struct janus *j, int event_loops);
/* Ends it, and waits for that. */
void janus_close(struct janus *j);

/* A handle of the streaming plugin: one viewer. */
json_int_t janus_attach(struct janus *j);
/* {"janus":"message"} to the plugin; returns its answer (for what takes time, the event that
 * follows). body and jsep are taken over; jsep may be NULL. */
json_t *janus_message(struct janus *j, json_int_t handle, json_t *body, json_t *jsep);
/* All that it printed. Valid until the next call. */
const char *janus_log(const struct janus *j);

#endif
