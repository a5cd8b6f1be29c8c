/* app/systemd.h - sd_notify without libsystemd. */
#ifndef FUNNELD_APP_SYSTEMD_H
#define FUNNELD_APP_SYSTEMD_H

#include <stdint.h>

/* "READY=1" and the like to $NOTIFY_SOCKET; nothing where there is none. */
void systemd_notify(const char *state);
/* RELOADING=1 with the MONOTONIC_USEC that systemd wants beside it. */
void systemd_notify_reloading(void);
/* Half of WATCHDOG_USEC, in milliseconds; 0: no watchdog for this process. */
int64_t systemd_watchdog_ms(void);

#endif
