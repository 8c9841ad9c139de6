#include "test/bench/janus_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

enum {
    NOT_FOUND = 127, /* exit status, as a shell's */
    MESSAGE_MAX = 64 * 1024,
    LOG_MAX = 4 * 1024,
    STARTS = 20,
    POLL_US = 10 * 1000
};

#define PATIENCE (20 * USEC_PER_SEC)

/* Files of its configuration, and its socket; gone as soon as it has read the former and accepted
 * on the latter, so that nothing stays behind however the bench ends. */
static const char *const files[] = {"janus.jcfg", "janus.transport.pfunix.jcfg",
                                    "janus.plugin.streaming.jcfg", "api"};

static void remove_files(struct janus *j)
{
    char path[128];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", j->dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(j->dir);
    j->dir[0] = '\0';
}

static _Noreturn void die(struct janus *j, const char *what, const char *detail)
{
    if (j->dir[0])
        remove_files(j);
    fprintf(stderr, "bench janus: %s: %s\n%s", what, detail, janus_log(j));
    abort();
}

const char *janus_log(const struct janus *j)
{
    static char text[LOG_MAX + 1];
    off_t end = lseek(j->log_fd, 0, SEEK_END);
    ssize_t n = pread(j->log_fd, text, LOG_MAX, end > LOG_MAX ? end - LOG_MAX : 0);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

/* ---- configuration ---- */

/* An address of this machine that is not loopback; what is sent there stays within it. */
static bool own_address(struct in_addr *out)
{
    struct ifaddrs *all;
    bool found = false;
    if (getifaddrs(&all) < 0)
        return false;
    for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
        unsigned up = IFF_UP | IFF_RUNNING;
        struct sockaddr_in a;
        if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
            (i->ifa_flags & (up | IFF_LOOPBACK)) != up)
            continue;
        memcpy(&a, i->ifa_addr, sizeof a);
        *out = a.sin_addr;
        found = true;
    }
    freeifaddrs(all);
    return found;
}

static void write_file(struct janus *j, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", j->dir, name);
    FILE *f = fopen(path, "we");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        die(j, path, strerror(errno));
}

/* What is not set is as Janus has it. Every plugin and transport beside the two is left out. */
static void configure(struct janus *j, int event_loops)
{
    char text[2048];
    char address[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &j->address, address, sizeof address);
    snprintf(text, sizeof text,
             "general: { configs_folder = \"%s\"\n debug_level = 3\n session_timeout = 0\n"
             " event_loops = %d }\n"
             "media: { no_media_timer = 0 }\n"
             "nat: { ice_lite = true\n ice_tcp = false\n full_trickle = false\n"
             " ignore_mdns = true\n ice_enforce_list = \"%s\" }\n"
             "plugins: { disable = \"libjanus_audiobridge.so,libjanus_duktape.so,"
             "libjanus_echotest.so,libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,"
             "libjanus_sip.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_videoroom.so,"
             "libjanus_voicemail.so\" }\n"
             "transports: { disable = \"libjanus_http.so,libjanus_mqtt.so,libjanus_nanomsg.so,"
             "libjanus_rabbitmq.so,libjanus_websockets.so\" }\n"
             "loggers: { disable = \"libjanus_jsonlog.so\" }\n"
             "events: { broadcast = false }\n",
             j->dir, event_loops, address);
    write_file(j, files[0], text);
    snprintf(text, sizeof text,
             "general: { enabled = true\n json = \"compact\"\n path = \"%s/%s\"\n"
             " type = \"SOCK_SEQPACKET\" }\n"
             "admin: { admin_enabled = false }\n",
             j->dir, files[3]);
    write_file(j, files[1], text);
    /* Port 0: a free one, which it tells. */
    snprintf(text, sizeof text,
             "bench: { type = \"rtp\"\n id = %d\n audio = false\n video = true\n videoport = 0\n"
             " videoiface = \"127.0.0.1\"\n videopt = 101\n videocodec = \"vp8\" }\n",
             JANUS_MOUNTPOINT);
    write_file(j, files[2], text);
}

/* ---- its API ---- */

static json_t *receive(struct janus *j)
{
    static char text[MESSAGE_MAX];
    json_error_t e;
    ssize_t n = recv(j->api, text, sizeof text, 0);
    if (n <= 0)
        die(j, "no answer", n < 0 ? strerror(errno) : "it closed");
    json_t *m = json_loadb(text, (size_t)n, 0, &e);
    if (!m)
        die(j, "not JSON", e.text);
    return m;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

/* Takes the request over; returns what answers it and is not a mere acknowledgement. */
static json_t *ask(struct janus *j, json_t *request)
{
    char transaction[16];
    snprintf(transaction, sizeof transaction, "%u", ++j->transactions);
    json_object_set_new(request, "transaction", json_string(transaction));
    if (j->session)
        json_object_set_new(request, "session_id", json_integer(j->session));
    char *text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (!text || send(j->api, text, strlen(text), MSG_NOSIGNAL) < 0)
        die(j, "a request", strerror(errno));
    free(text);
    for (;;) {
        json_t *m = receive(j);
        const json_t *data = json_object_get(json_object_get(m, "plugindata"), "data");
        const json_t *error = json_object_get(m, "error");
        const char *kind = text_of(m, "janus");
        if (strcmp(text_of(m, "transaction"), transaction) != 0 || strcmp(kind, "ack") == 0) {
            json_decref(m);
            continue;
        }
        if (error || json_object_get(data, "error"))
            die(j, "refused", error ? text_of(error, "reason") : text_of(data, "error"));
        return m;
    }
}

static json_int_t id_in(const json_t *answer)
{
    return json_integer_value(json_object_get(json_object_get(answer, "data"), "id"));
}

static json_int_t ask_for_id(struct janus *j, json_t *request)
{
    json_t *m = ask(j, request);
    json_int_t id = id_in(m);
    json_decref(m);
    return id;
}

json_int_t janus_attach(struct janus *j)
{
    return ask_for_id(
        j, json_pack("{s:s,s:s}", "janus", "attach", "plugin", "janus.plugin.streaming"));
}

json_t *janus_message(struct janus *j, json_int_t handle, json_t *body, json_t *jsep)
{
    json_t *m = json_pack("{s:s,s:I,s:o}", "janus", "message", "handle_id", handle, "body", body);
    if (jsep)
        json_object_set_new(m, "jsep", jsep);
    return ask(j, m);
}

/* ---- its process ---- */

static _Noreturn void run(const struct janus *j)
{
    char config[128];
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    snprintf(config, sizeof config, "%s/%s", j->dir, files[0]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(null, STDIN_FILENO);
    dup2(j->log_fd, STDOUT_FILENO);
    dup2(j->log_fd, STDERR_FILENO);
    execlp("janus", "janus", "-o", "-C", config, "-F", j->dir, (char *)NULL);
    _exit(NOT_FOUND);
}

enum reached { REACHED, ABSENT, ENDED };

static enum reached wait_end(struct janus *j)
{
    int status = 0;
    for (usec since = clock_now(); waitpid(j->pid, &status, WNOHANG) == 0; usleep(POLL_US)) {
        if (clock_now() - since > PATIENCE)
            die(j, "it closed its socket", "and did not end");
    }
    j->pid = 0;
    close(j->api);
    j->api = -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND ? ABSENT : ENDED;
}

static bool answers(const struct janus *j)
{
    static const char ping[] = "{\"janus\":\"ping\",\"transaction\":\"ping\"}";
    char pong[256];
    return send(j->api, ping, strlen(ping), MSG_NOSIGNAL) > 0 &&
           recv(j->api, pong, sizeof pong, 0) > 0;
}

static enum reached reach(struct janus *j)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = PATIENCE / USEC_PER_SEC};
    siginfo_t end = {0};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/%s", j->dir, files[3]);
    j->api = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (j->api < 0)
        die(j, "socket", strerror(errno));
    setsockopt(j->api, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (usec since = clock_now(); connect(j->api, (struct sockaddr *)&a, sizeof a) < 0;) {
        if (waitid(P_PID, (id_t)j->pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 && end.si_pid)
            return wait_end(j);
        if (clock_now() - since > PATIENCE)
            die(j, "its socket", strerror(errno));
        usleep(POLL_US);
    }
    return answers(j) ? REACHED : wait_end(j);
}

static enum reached start(struct janus *j)
{
    fflush(NULL);
    j->pid = fork();
    if (j->pid < 0)
        die(j, "fork", strerror(errno));
    if (j->pid == 0)
        run(j);
    return reach(j);
}

static void greet(struct janus *j)
{
    json_t *m = ask(j, json_pack("{s:s}", "janus", "info"));
    snprintf(j->version, sizeof j->version, "%s", text_of(m, "version_string"));
    json_decref(m);
    j->session = ask_for_id(j, json_pack("{s:s}", "janus", "create"));
    m = janus_message(j, janus_attach(j),
                      json_pack("{s:s,s:i}", "request", "info", "id", JANUS_MOUNTPOINT), NULL);
    const json_t *data = json_object_get(json_object_get(m, "plugindata"), "data");
    const json_t *media = json_object_get(json_object_get(data, "info"), "media");
    j->rtp_port = (uint16_t)json_integer_value(json_object_get(json_array_get(media, 0), "port"));
    json_decref(m);
    if (j->rtp_port == 0)
        die(j, "its mountpoint", "has no port");
}

const char *janus_open(struct janus *j, int event_loops)
{
    *j = (struct janus){.api = -1,
                        .log_fd = memfd_create("janus", MFD_CLOEXEC),
                        .dir = P_tmpdir "/weir-janus-XXXXXX"};
    if (!own_address(&j->address)) {
        janus_close(j);
        return "it takes no loopback address, and this machine has no other";
    }
    if (!mkdtemp(j->dir))
        die(j, j->dir, strerror(errno));
    configure(j, event_loops);
    /* Its socket's thread may run before it counts as initialised, and ends then: so does Janus,
     * for want of a transport. */
    enum reached reached = ENDED;
    for (int i = 0; i < STARTS && reached == ENDED; i++)
        reached = start(j);
    remove_files(j);
    if (reached == ENDED)
        die(j, "it ended", "at every start");
    if (reached == ABSENT) {
        janus_close(j);
        return "it is not installed (`tools/deps.sh bench` does that)";
    }
    greet(j);
    return NULL;
}

void janus_close(struct janus *j)
{
    if (j->api >= 0)
        close(j->api);
    if (j->pid > 0) {
        kill(j->pid, SIGTERM);
        for (usec since = clock_now(); waitpid(j->pid, NULL, WNOHANG) == 0; usleep(POLL_US)) {
            if (clock_now() - since > PATIENCE)
                kill(j->pid, SIGKILL);
        }
    }
    close(j->log_fd);
    *j = (struct janus){.api = -1, .log_fd = -1};
}
