/* Preloaded, it stops its whole process (SIGSTOP) at one chosen instant of what it says on its sockets.
 *
 * STOPPING_POINT names a file: "before" or "after", a newline, and words. The first message that has these words (in
 * capitals: that is these words and no more) stops the process right before or right after it is given to the kernel,
 * and the file is gone. SIGCONT lets it go on.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define LONGEST 4096

static ssize_t (*real_send)(int, const void *, size_t, int);
static ssize_t (*real_sendmsg)(int, const struct msghdr *, int);

__attribute__((constructor)) static void begin(void)
{
    real_send = (ssize_t (*)(int, const void *, size_t, int))dlsym(RTLD_NEXT, "send");
    real_sendmsg = (ssize_t (*)(int, const struct msghdr *, int))dlsym(RTLD_NEXT, "sendmsg");
}

/* Whether this is the message; 'b' before, 'a' after, 0 for none. The file is gone then. */
static int is_it(const void *data, size_t size)
{
    char text[LONGEST];
    const char *path = getenv("STOPPING_POINT");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text);
    close(file);
    char *words = length > 0 ? memchr(text, '\n', length) : NULL;
    size_t wanted = words ? text + length - words - 1 : 0;
    if (!words || !memmem(data, size, words + 1, wanted) || (isupper(text[0]) && size != wanted))
        return 0;
    unlink(path);
    return tolower(text[0]);
}

ssize_t send(int to, const void *data, size_t size, int flags)
{
    int when = is_it(data, size);
    if (when == 'b')
        raise(SIGSTOP);
    ssize_t sent = real_send(to, data, size, flags);
    if (when == 'a')
        raise(SIGSTOP);
    return sent;
}

ssize_t sendmsg(int to, const struct msghdr *message, int flags)
{
    int when = 0;
    for (size_t part = 0; !when && part < message->msg_iovlen; part++)
        when = is_it(message->msg_iov[part].iov_base, message->msg_iov[part].iov_len);
    if (when == 'b')
        raise(SIGSTOP);
    ssize_t sent = real_sendmsg(to, message, flags);
    if (when == 'a')
        raise(SIGSTOP);
    return sent;
}
