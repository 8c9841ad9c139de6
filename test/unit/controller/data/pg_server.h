/* A PostgreSQL of the test's own: a private folder, a private port, ended by its id. */
#ifndef WEIR_TEST_PG_SERVER_H
#define WEIR_TEST_PG_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct pg_server {
    char dir[64]; /* also holds the socket */
    char bin[128];
    int port;
    pid_t pid; /* 0: not running */
};

static struct pg_server pg_server;

static inline void pg_fatal(const char *what)
{
    fprintf(stderr, "PostgreSQL for the tests: %s (%s)\n", what, strerror(errno));
    exit(1);
}

/* PostgreSQL refuses to run as root. */
static inline void pg_become_user(void)
{
    if (geteuid() != 0)
        return;
    struct passwd *pw = getpwnam("postgres");
    if (!pw || setgroups(0, NULL) != 0 || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0)
        _exit(126);
}

static inline pid_t pg_spawn(char *const argv[])
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        pg_become_user();
        /* SIGQUIT: at once, even when a backend is stopped. Set after the change of user, which
         * clears it. */
        prctl(PR_SET_PDEATHSIG, SIGQUIT);
        if (getppid() != parent || chdir("/") != 0)
            _exit(127);
        char log[96];
        snprintf(log, sizeof log, "%s/log", pg_server.dir);
        if (!freopen(log, "a", stdout) || dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
            _exit(127);
        execv(argv[0], argv);
        _exit(127);
    }
    return pid;
}

static inline int pg_free_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof in;
    if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof in) != 0 ||
        getsockname(fd, (struct sockaddr *)&in, &n) != 0)
        pg_fatal("no free port");
    close(fd);
    return ntohs(in.sin_port);
}

/* Over the socket in its folder. */
static inline const char *pg_url(char *buf, size_t n)
{
    snprintf(buf, n, "postgresql:///postgres?host=%s&port=%d&user=postgres", pg_server.dir,
             pg_server.port);
    return buf;
}

/* Runs SQL the plain, blocking way. */
static inline bool pg_exec(const char *sql)
{
    char url[256];
    PGconn *conn = PQconnectdb(pg_url(url, sizeof url));
    PGresult *res = PQexec(conn, sql);
    bool fine = PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK;
    PQclear(res);
    PQfinish(conn);
    return fine;
}

static inline void pg_server_start(void)
{
    char exe[160];
    char port[16];
    snprintf(exe, sizeof exe, "%s/postgres", pg_server.bin);
    snprintf(port, sizeof port, "%d", pg_server.port);
    char *argv[] = {exe,  "-D",          pg_server.dir,
                    "-k", pg_server.dir, "-p",
                    port, "-c",          "listen_addresses=127.0.0.1",
                    "-F", NULL};
    pg_server.pid = pg_spawn(argv);
    for (int i = 0; i < 500; i++) {
        if (pg_exec("SELECT 1"))
            return;
        usleep(20 * 1000);
    }
    pg_fatal("it does not start");
}

static inline void pg_server_stop(int sig)
{
    if (pg_server.pid <= 0)
        return;
    kill(pg_server.pid, sig);
    waitpid(pg_server.pid, NULL, 0);
    pg_server.pid = 0;
}

static inline void pg_server_close(void)
{
    pg_server_stop(SIGINT);
    char cmd[96];
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", pg_server.dir);
    if (pg_server.dir[0] != '\0' && system(cmd) != 0)
        fprintf(stderr, "cannot remove %s\n", pg_server.dir);
    pg_server.dir[0] = '\0';
}

/* Also ends at exit, whatever became of the tests. */
static inline void pg_server_open(void)
{
    glob_t found;
    if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) != 0)
        pg_fatal("not installed");
    char *initdb = found.gl_pathv[found.gl_pathc - 1];
    snprintf(pg_server.bin, sizeof pg_server.bin, "%.*s", (int)(strrchr(initdb, '/') - initdb),
             initdb);
    snprintf(pg_server.dir, sizeof pg_server.dir, "/tmp/weir-pg-XXXXXX");
    if (!mkdtemp(pg_server.dir))
        pg_fatal("no folder");
    atexit(pg_server_close);
    struct passwd *pw = getpwnam("postgres");
    if (geteuid() == 0 && (!pw || chown(pg_server.dir, pw->pw_uid, pw->pw_gid) != 0))
        pg_fatal("no user postgres");
    char *argv[] = {initdb,  "-D", pg_server.dir, "-U",   "postgres",   "-A",
                    "trust", "-N", "-E",          "UTF8", "--locale=C", NULL};
    pid_t pid = fork();
    if (pid == 0) {
        pg_become_user();
        if (chdir("/") != 0 || !freopen("/dev/null", "w", stdout))
            _exit(127);
        execv(argv[0], argv);
        _exit(127);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    globfree(&found);
    if (status != 0)
        pg_fatal("initdb failed");
    pg_server.port = pg_free_port();
    pg_server_start();
}

#endif
