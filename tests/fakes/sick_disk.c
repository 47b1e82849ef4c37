/* A disk that is sick, for one process and below one path: preloaded, the calls that name something there hang or fail
   while a flag file exists. SICK_BELOW is the path, SICK_FLAG the flag; the flag holds an errno, or nothing: hang. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* What the flag says: -1 all is well, 0 hang, else an errno. Plain system calls, so that we are never our own victim. */
static int flag(void) {
    const char *path = getenv("SICK_FLAG");
    if (!path) return -1;
    int file = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    char text[16] = "";
    ssize_t length = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    return length > 0 ? atoi(text) : 0;
}

static int inside(int directory, const char *path) {
    const char *below = getenv("SICK_BELOW");
    char whole[PATH_MAX] = "", base[PATH_MAX] = "";
    if (!below || !path) return 0;
    if (path[0] == '/') {
        snprintf(whole, sizeof whole, "%s", path);
    } else {
        char link[64];
        if (directory == AT_FDCWD) snprintf(link, sizeof link, "/proc/self/cwd");
        else snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
        ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, base, sizeof base - 1);
        if (length < 0) return 0;
        base[length] = 0;
        if (snprintf(whole, sizeof whole, "%s/%s", base, path) >= (int)sizeof whole) return 0;
    }
    for (char *up; (up = strstr(whole, "/../"));) { /* what is reached through "below/.." is not below */
        char *above = up;
        while (above > whole && *--above != '/') continue;
        memmove(above, up + 3, strlen(up + 3) + 1);
    }
    size_t length = strlen(below);
    return strncmp(whole, below, length) == 0 && (whole[length] == 0 || whole[length] == '/');
}

/* Hang while the flag says so; then 0, or -1 with errno set. */
static int sick(int directory, const char *path) {
    int before = errno, fault;
    if (!inside(directory, path)) {
        errno = before;
        return 0;
    }
    while ((fault = flag()) == 0) {
        struct timespec pause = {0, 20000000};
        nanosleep(&pause, NULL);
    }
    errno = fault < 0 ? before : fault;
    return fault < 0 ? 0 : -1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define OPENS(name)                                                                                                    \
    int name(const char *path, int flags, ...) {                                                                       \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = va_arg(rest, mode_t);                                                                            \
        va_end(rest);                                                                                                  \
        return sick(AT_FDCWD, path) ? -1 : REAL(name)(path, flags, mode);                                              \
    }
#define OPENS_AT(name)                                                                                                 \
    int name(int directory, const char *path, int flags, ...) {                                                        \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = va_arg(rest, mode_t);                                                                            \
        va_end(rest);                                                                                                  \
        return sick(directory, path) ? -1 : REAL(name)(directory, path, flags, mode);                                  \
    }
#define ASKS(name, type)                                                                                               \
    int name(const char *restrict path, struct type *restrict status) {                                                \
        return sick(AT_FDCWD, path) ? -1 : REAL(name)(path, status);                                                   \
    }
#define ASKS_AT(name, type)                                                                                            \
    int name(int directory, const char *restrict path, struct type *restrict status, int flags) {                      \
        return sick(directory, path) ? -1 : REAL(name)(directory, path, status, flags);                                \
    }

OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)
ASKS(stat, stat)
ASKS(lstat, stat)
ASKS(stat64, stat64)
ASKS(lstat64, stat64)
ASKS_AT(fstatat, stat)
ASKS_AT(fstatat64, stat64)

int statx(int directory, const char *restrict path, int flags, unsigned mask, struct statx *restrict status) {
    return sick(directory, path) ? -1 : REAL(statx)(directory, path, flags, mask, status);
}
DIR *opendir(const char *path) { return sick(AT_FDCWD, path) ? NULL : REAL(opendir)(path); }
DIR *fdopendir(int file) { return sick(file, "") ? NULL : REAL(fdopendir)(file); }
struct dirent *readdir(DIR *entries) { return sick(dirfd(entries), "") ? NULL : REAL(readdir)(entries); }
struct dirent64 *readdir64(DIR *entries) { return sick(dirfd(entries), "") ? NULL : REAL(readdir64)(entries); }
int mkdir(const char *path, mode_t mode) { return sick(AT_FDCWD, path) ? -1 : REAL(mkdir)(path, mode); }
int access(const char *path, int mode) { return sick(AT_FDCWD, path) ? -1 : REAL(access)(path, mode); }
int rename(const char *from, const char *to) { return sick(AT_FDCWD, to) ? -1 : REAL(rename)(from, to); }
int unlink(const char *path) { return sick(AT_FDCWD, path) ? -1 : REAL(unlink)(path); }
ssize_t readlink(const char *restrict path, char *restrict text, size_t most) {
    return sick(AT_FDCWD, path) ? -1 : REAL(readlink)(path, text, most);
}
int inotify_add_watch(int watcher, const char *path, uint32_t mask) {
    return sick(AT_FDCWD, path) ? -1 : REAL(inotify_add_watch)(watcher, path, mask);
}
int futimens(int file, const struct timespec times[2]) { return sick(file, "") ? -1 : REAL(futimens)(file, times); }
int utimensat(int directory, const char *path, const struct timespec times[2], int flags) {
    return sick(directory, path) ? -1 : REAL(utimensat)(directory, path, times, flags);
}
