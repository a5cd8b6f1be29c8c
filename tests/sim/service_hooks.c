/* tests/sim/service_hooks.c - whoever takes a message as it is posted: a mailbox, a receiver of our
 * own, and Zaps that subscribed and may be switched off. None can be asked what it got. */
#include "services.h"

#include <stdlib.h>
#include <string.h>

static struct posts mails, received, zaps;
static struct {
    bool gone, told_in_peace;
} hooks[HOOKS];
static bool peace;

const struct posts *mail_posts(void)
{
    return &mails;
}

const struct posts *http_posts(void)
{
    return &received;
}

const struct posts *zap_posts(void)
{
    return &zaps;
}

void receivers_begin(void)
{
    mails.n = received.n = zaps.n = 0;
    memset(hooks, 0, sizeof hooks);
    peace = false;
}

void receivers_rest(void)
{
    peace = true;
}

void zap_switch_off(int hook)
{
    hooks[hook].gone = true;
}

bool zap_has_said_so(int hook)
{
    return hooks[hook].told_in_peace;
}

/* The delivery's id stands in what every try sends alike. */
bool message_id(const struct exchange *x, struct str *ret)
{
    bool mail = str_is(x->method, "MAIL");
    const char *mark = mail ? "Message-ID: <" : "\"id\":\"";
    const char *at = str_find(x->body, str_of(mark));

    if (!at)
        return false;
    at += strlen(mark);
    *ret = (struct str){at, strcspn(at, mail ? ".>" : "\"")};
    return true;
}

static void take(struct posts *posts, struct exchange *x, int place)
{
    struct str id;

    if (!message_id(x, &id)) {
        answer_text(x, 400, "no id");
        return;
    }
    posts_add(posts, id, x);
    posts->items[posts->n - 1].blind = x->doubts;
    posts->items[posts->n - 1].place = place;
    answer_text(x, 200, "{}");
}

void mail_serve(struct exchange *x)
{
    take(&mails, x, 0);
    x->status = x->status == 200 ? 250 : 550;
}

void http_serve(struct exchange *x)
{
    take(&received, x, 0);
}

int zap_of(struct str path)
{
    const char *slash = path.len ? path.at + path.len : path.at;

    while (slash > path.at && slash[-1] != '/')
        slash--;
    return (int)(strtoul(slash, NULL, 10) % HOOKS);
}

void zap_serve(struct exchange *x)
{
    int hook = zap_of(x->path);

    if (!hooks[hook].gone) {
        take(&zaps, x, hook);
        return;
    }
    hooks[hook].told_in_peace |= peace;
    answer_text(x, 410, "{\"status\":\"gone\"}");
}
