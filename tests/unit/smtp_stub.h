/* tests/unit/smtp_stub.h - a mail server in this process that says what a script wants. */
#ifndef FUNNELD_TESTS_SMTP_STUB_H
#define FUNNELD_TESTS_SMTP_STUB_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is said to a command; "" is the connection, "." the message. */
struct smtp_rule {
    const char *command;
    const char *reply; /* without CRLF at the end; SMTP_CUT, SMTP_SILENT */
    int nth;           /* of all connections; 0: each time */
};

#define SMTP_CUT    "!" /* the connection ends instead */
#define SMTP_SILENT "~" /* nothing is said until the client has gone */

enum { SMTP_LOG = 1 << 20, SMTP_RULES = 16 };

static struct smtp {
    uint16_t port;
    int listener;
    atomic_int connections, mails;
    pthread_mutex_t lock; /* of the rest */
    const struct smtp_rule *rules;
    size_t n_rules;
    int seen[SMTP_RULES];
    char log[SMTP_LOG]; /* all that came, in whatever order the connections sent it */
    size_t len;
} smtp = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void smtp_script(const struct smtp_rule *rules, size_t n)
{
    (void)pthread_mutex_lock(&smtp.lock);
    smtp.rules = rules;
    smtp.n_rules = n;
    memset(smtp.seen, 0, sizeof smtp.seen);
    smtp.len = 0;
    smtp.log[0] = '\0';
    atomic_store(&smtp.connections, 0);
    atomic_store(&smtp.mails, 0);
    (void)pthread_mutex_unlock(&smtp.lock);
}

/* Counts the command when it is answered. */
static const char *smtp_reply(const char *command, bool count)
{
    static const struct smtp_rule usual[] = {
        {.command = "", .reply = "220 mx.test ESMTP"},
        {.command = "EHLO", .reply = "250-mx.test\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 1000000"},
        {.command = "STARTTLS", .reply = "220 go on"},
        {.command = "AUTH", .reply = "235 2.7.0 welcome"},
        {.command = "DATA", .reply = "354 go on"},
        {.command = "QUIT", .reply = "221 bye"},
    };
    const char *reply = "250 2.0.0 fine";

    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (strcmp(usual[i].command, command) == 0)
            reply = usual[i].reply;
    (void)pthread_mutex_lock(&smtp.lock);
    for (size_t i = 0; i < smtp.n_rules; i++)
        if (strcmp(smtp.rules[i].command, command) == 0) {
            smtp.seen[i] += count;
            if (!smtp.rules[i].nth || smtp.rules[i].nth == smtp.seen[i] + !count)
                reply = smtp.rules[i].reply;
        }
    (void)pthread_mutex_unlock(&smtp.lock);
    return reply;
}

static void smtp_note(const char *line)
{
    (void)pthread_mutex_lock(&smtp.lock);
    for (; *line && smtp.len + 1 < SMTP_LOG; line++)
        smtp.log[smtp.len++] = *line;
    smtp.log[smtp.len] = '\0';
    (void)pthread_mutex_unlock(&smtp.lock);
}

static bool smtp_logged(const char *text)
{
    (void)pthread_mutex_lock(&smtp.lock);
    bool found = strstr(smtp.log, text) != NULL;
    (void)pthread_mutex_unlock(&smtp.lock);
    return found;
}

/* false: the connection ends. */
static bool smtp_say(int fd, const char *command)
{
    const char *reply = smtp_reply(command, true);
    char byte;

    if (strcmp(reply, SMTP_CUT) == 0)
        return false;
    if (strcmp(reply, SMTP_SILENT) == 0) {
        while (read(fd, &byte, 1) == 1)
            continue;
        return false;
    }
    if (send(fd, reply, strlen(reply), MSG_NOSIGNAL) < 0 || send(fd, "\r\n", 2, MSG_NOSIGNAL) < 0)
        return false;
    return strncmp(reply, "221", 3) != 0 && strncmp(reply, "421", 3) != 0;
}

static bool smtp_read_line(int fd, char *line, size_t max)
{
    size_t n = 0;

    while (n + 1 < max && read(fd, line + n, 1) == 1)
        if (line[n++] == '\n') {
            line[n] = '\0';
            return true;
        }
    return false;
}

static bool smtp_take_message(int fd, char *line, size_t max)
{
    while (smtp_read_line(fd, line, max)) {
        smtp_note(line);
        if (strcmp(line, ".\r\n") == 0) {
            atomic_fetch_add(&smtp.mails, 1);
            return smtp_say(fd, ".");
        }
    }
    return false;
}

static void *smtp_serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char line[4096], word[16];
    bool goes_on = smtp_say(fd, "");

    while (goes_on && smtp_read_line(fd, line, sizeof line)) {
        size_t n = strcspn(line, " \r\n");

        smtp_note(line);
        n = n < sizeof word - 1 ? n : sizeof word - 1;
        memcpy(word, line, n);
        word[n] = '\0';
        bool message = strcmp(word, "DATA") == 0 && smtp_reply("DATA", false)[0] == '3';
        goes_on = smtp_say(fd, word) && (!message || smtp_take_message(fd, line, sizeof line));
    }
    (void)close(fd);
    return NULL;
}

static void *smtp_accept(void *arg)
{
    int fd;

    (void)arg;
    while ((fd = accept(smtp.listener, NULL, NULL)) >= 0) {
        pthread_t thread;

        atomic_fetch_add(&smtp.connections, 1);
        if (pthread_create(&thread, NULL, smtp_serve, (void *)(intptr_t)fd) == 0)
            (void)pthread_detach(thread);
    }
    return NULL;
}

static int smtp_start(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    pthread_t thread;

    (void)state;
    smtp.listener = socket(AF_INET, SOCK_STREAM, 0);
    if (smtp.listener < 0 || bind(smtp.listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        listen(smtp.listener, 64) != 0 ||
        getsockname(smtp.listener, (struct sockaddr *)&at, &len) != 0)
        return -1;
    smtp.port = ntohs(at.sin_port);
    if (pthread_create(&thread, NULL, smtp_accept, NULL) != 0)
        return -1;
    return pthread_detach(thread);
}

#endif
