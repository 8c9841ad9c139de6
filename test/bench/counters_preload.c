/* Loaded into the worker by the bench: counts what allocates and what enters the kernel
 * (counters.h), and does it. */
#include "test/bench/counters.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Used until the shared memory is there, and where there is none. */
static struct bench_counters own;
static struct bench_counters *counters = &own;

__attribute__((constructor)) static void attach(void)
{
    const char *fd = getenv(BENCH_COUNTERS_ENV);
    if (!fd)
        return;
    void *p = mmap(NULL, sizeof *counters, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(fd), 0);
    if (p != MAP_FAILED)
        counters = p;
}

/* One thread counts: no locked instruction is needed, or the counting would cost something. */
static void count(_Atomic uint64_t *n)
{
    atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* ---- the allocator: glibc's own entries under their other names ---- */

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);

void *malloc(size_t n)
{
    count(&counters->allocations);
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    count(&counters->allocations);
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    count(&counters->allocations);
    return __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    count(&counters->allocations);
    return __libc_memalign(align, n);
}

int posix_memalign(void **out, size_t align, size_t n)
{
    count(&counters->allocations);
    *out = __libc_memalign(align, n);
    return *out ? 0 : ENOMEM;
}

/* ---- the kernel: straight to it, as libc's own functions would ---- */

static long enter(long number, long a, long b, long c, long d, long e, long f)
{
    count(&counters->system_calls);
    return syscall(number, a, b, c, d, e, f);
}

#define LONG(p) ((long)(uintptr_t)(p))

ssize_t sendto(int fd, const void *p, size_t n, int flags, const struct sockaddr *to, socklen_t len)
{
    return enter(SYS_sendto, fd, LONG(p), (long)n, flags, LONG(to), (long)len);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
    return enter(SYS_sendto, fd, LONG(p), (long)n, flags, 0, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    return enter(SYS_sendmsg, fd, LONG(m), flags, 0, 0, 0);
}

int sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
    return (int)enter(SYS_sendmmsg, fd, LONG(m), (long)n, flags, 0, 0);
}

ssize_t recvfrom(int fd, void *p, size_t n, int flags, struct sockaddr *from, socklen_t *len)
{
    return enter(SYS_recvfrom, fd, LONG(p), (long)n, flags, LONG(from), LONG(len));
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    return enter(SYS_recvmsg, fd, LONG(m), flags, 0, 0, 0);
}

int recvmmsg(int fd, struct mmsghdr *m, unsigned n, int flags, struct timespec *wait)
{
    return (int)enter(SYS_recvmmsg, fd, LONG(m), (long)n, flags, LONG(wait), 0);
}

ssize_t read(int fd, void *p, size_t n)
{
    return enter(SYS_read, fd, LONG(p), (long)n, 0, 0, 0);
}

ssize_t write(int fd, const void *p, size_t n)
{
    return enter(SYS_write, fd, LONG(p), (long)n, 0, 0, 0);
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
    return enter(SYS_writev, fd, LONG(v), n, 0, 0, 0);
}

int epoll_wait(int fd, struct epoll_event *events, int n, int wait)
{
    return (int)enter(SYS_epoll_pwait, fd, LONG(events), n, wait, 0, 8);
}

int epoll_pwait(int fd, struct epoll_event *events, int n, int wait, const sigset_t *mask)
{
    return (int)enter(SYS_epoll_pwait, fd, LONG(events), n, wait, LONG(mask), 8);
}

int epoll_ctl(int fd, int op, int of, struct epoll_event *event)
{
    return (int)enter(SYS_epoll_ctl, fd, op, of, LONG(event), 0, 0);
}
