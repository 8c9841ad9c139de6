#include "controller/net/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A named pipe must not make open() wait; there is no terminal to acquire. */
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

static enum err err_of(int code)
{
    if (code == EACCES || code == EPERM)
        return ERR_DENIED;
    if (code == EMFILE || code == ENFILE || code == ENOMEM)
        return ERR_BUSY;
    return ERR_NOT_FOUND;
}

/* Takes over fd. */
static enum err accept_file(int fd, int *out, struct stat *st)
{
    if (fd < 0)
        return err_of(errno);
    if (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)) {
        close(fd);
        return ERR_NOT_FOUND;
    }
    *out = fd;
    return OK;
}

static enum err open_root(const char *root, int *fd)
{
    *fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return *fd >= 0 ? OK : err_of(errno);
}

enum err beneath_open(const char *root, const char *path, int *fd, struct stat *st)
{
    static bool unsupported;
    if (unsupported)
        return beneath_open_walking(root, path, fd, st);
    int root_fd;
    enum err e = open_root(root, &root_fd);
    if (e != OK)
        return e;
    struct open_how how = {
        .flags = OPEN_FLAGS,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long n;
    do {
        n = syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    } while (n < 0 && (errno == EINTR || errno == EAGAIN));
    int code = errno;
    close(root_fd);
    if (n < 0 && (code == ENOSYS || code == EPERM)) { /* an old kernel, or a sandbox */
        unsupported = code == ENOSYS;
        return beneath_open_walking(root, path, fd, st);
    }
    errno = code;
    return accept_file((int)n, fd, st);
}

enum err beneath_open_walking(const char *root, const char *path, int *fd, struct stat *st)
{
    int at;
    enum err e = open_root(root, &at);
    while (e == OK) {
        char name[NAME_MAX + 1];
        size_t n = strcspn(path, "/");
        if (n == 0 || n > NAME_MAX || (n == 1 && path[0] == '.') ||
            (n == 2 && path[0] == '.' && path[1] == '.')) {
            e = ERR_NOT_FOUND;
            break;
        }
        memcpy(name, path, n);
        name[n] = '\0';
        bool last = path[n] == '\0';
        int next =
            openat(at, name, O_NOFOLLOW | (last ? OPEN_FLAGS : O_PATH | O_DIRECTORY | O_CLOEXEC));
        int code = errno;
        close(at);
        errno = code;
        if (last)
            return accept_file(next, fd, st);
        if (next < 0)
            return err_of(code);
        at = next;
        path += n + 1;
    }
    if (e != OK && at >= 0)
        close(at);
    return e;
}
