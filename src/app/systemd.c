/* app/systemd.c - the notify protocol of sd_notify(3): one datagram per message.
 *
 * $NOTIFY_SOCKET is a path, or @name for the abstract namespace.
 */
#include "systemd.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "funneld/base/clock.h"
#include "funneld/base/str.h"

void systemd_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;

    if (len < 2 || len >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(to.sun_path, path, len);
    if (path[0] == '@')
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    /* Best effort: a lost message shows as a start or watchdog time-out in systemd. */
    (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    (void)close(fd);
}

void systemd_notify_reloading(void)
{
    char state[80];

    (void)!snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
                    (long long)clock_mono_us()); /* fits */
    systemd_notify(state);
}

int64_t systemd_watchdog_ms(void)
{
    int64_t usec = 0, pid = 0;

    if (!str_int64(str_of(getenv("WATCHDOG_USEC")), &usec) || usec <= 0)
        return 0;
    if (str_int64(str_of(getenv("WATCHDOG_PID")), &pid) && pid != getpid())
        return 0;
    return usec / 2000;
}
