/* tests/fuzz/fuzz_control.c - a line on the control socket of a daemon with an empty database. */
#include "fuzz.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../src/app/daemon_priv.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

static struct daemon d;
static char folder[64], path[128];

static void on_row(void *self, struct str connector, const struct due_row *row)
{
    (void)self;
    (void)connector;
    (void)row;
}

static void on_event(void *self)
{
    (void)self;
}

/* Nobody sends: it is only told that somebody may have mended something. */
static struct transport transport = {.wake = on_event};

static void clean_up(void)
{
    static const char *const files[] = {"f.conf", "s", "db", "db-wal", "db-shm", "db.lock"};

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        int n = snprintf(path, sizeof path, "%s/%s", folder, files[i]);

        if (n > 0 && n < (int)sizeof path)
            (void)unlink(path); /* some were never made */
    }
    (void)rmdir(folder);
}

static struct config *configuration(void)
{
    int n = snprintf(path, sizeof path, "%s/f.conf", folder);
    FILE *f = fopen(path, "w");

    assert_true(n > 0 && f);
    assert_true(fprintf(f,
                        "[store]\npath = %s/db\n[admin]\nsocket = %s/s\n[source forms]\n"
                        "type = zapier\nsecret = s\n[connector team]\ntype = slack\n"
                        "token = t\nchannel = C1\n",
                        folder, folder) > 0);
    assert_int_equal(fclose(f), 0);
    return config_load(path, FUZZ_NOW);
}

/* The store, its writer's thread and the socket: what control.c needs of a daemon. */
static void start(void)
{
    struct writer_ports ports = {.notify = on_row, .rescan = on_event, .failed = on_event};

    assert_true(snprintf(folder, sizeof folder, "%s/funneld-fuzz-XXXXXX", P_tmpdir) > 0);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(atexit(clean_up), 0);
    d.config = d.started = configuration();
    assert_int_equal(d.config->problems.n, 0);
    assert_int_equal(pthread_mutex_init(&d.overview_lock, NULL), 0);
    assert_int_equal(store_open(&d.config->store, FUZZ_NOW, &d.store, NULL), RC_OK);
    struct arena a AUTO(arena_free) = {0};
    assert_int_equal(reader_open(arena_text(&a, d.config->store.path), &d.overview_reader, NULL),
                     RC_OK);
    ports.store = d.store;
    d.writer = writer_new(&ports, 1 << 20);
    assert_int_equal(pthread_create(&d.writer_thread, NULL, writer_run, d.writer), 0);
    const struct deliver_ports sends = {.transport = &transport};
    (void)ref_take(&d.config->ref);
    d.deliverer = deliverer_new(&sends, &d.config->lanes);
    assert_int_equal(daemon_command(&d, COMMAND_RULES, &d.config->rules, NULL, NULL, NULL), RC_OK);
    assert_int_equal(control_listen(arena_text(&a, d.config->control_socket), &d.control_fd, NULL),
                     RC_OK);
}

static int call(struct str line)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(to.sun_path, d.config->control_socket.at, d.config->control_socket.len);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, line.at, line.len, MSG_NOSIGNAL), (ssize_t)line.len);
    assert_int_equal(shutdown(fd, SHUT_WR), 0); /* it waits for nothing more */
    return fd;
}

static struct str answer_of(int fd, struct arena *a)
{
    char *text = arena_alloc(a, LINE_MAX_BYTES);
    size_t n = 0;

    for (ssize_t got; (got = recv(fd, text + n, LINE_MAX_BYTES - n, 0)) > 0;)
        n += (size_t)got;
    assert_int_equal(close(fd), 0);
    return (struct str){text, n};
}

static bool is_null_or(const json *node, enum json_type type)
{
    return json_type(node) == JSON_NULL || json_type(node) == type;
}

/* A filter that is not understood must not be taken for one that lets all through. */
static void check_retry(struct str line)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    assert_int_equal(json_parse(line, &doc, NULL), RC_OK);
    assert_true(is_null_or(json_get(doc.root, "ids"), JSON_ARRAY));
    assert_true(is_null_or(json_get(doc.root, "connector"), JSON_STRING));
    assert_true(is_null_or(json_get(doc.root, "reason"), JSON_STRING));
}

/* One JSON object, which says one of four things. */
static void check_answer(struct str line, struct str answer)
{
    struct json_doc doc AUTO(json_doc_free) = {0};
    int64_t retried = 0;

    assert_true(str_ends(answer, STR("\n")) &&
                !str_chr((struct str){answer.at, answer.len - 1}, '\n'));
    assert_int_equal(json_parse(answer, &doc, NULL), RC_OK);
    if (json_get(doc.root, "retried")) {
        assert_true(json_int64(json_get(doc.root, "retried"), &retried) && retried == 0);
        check_retry(line);
        return;
    }
    assert_true(json_string(json_get(doc.root, "error")).len ||
                json_string(json_get(doc.root, "status")).len ||
                json_type(json_get(doc.root, "fresh")) == JSON_NUMBER);
}

/* It would write files wherever the input says. */
static bool is_backup(struct str line)
{
    struct json_doc doc AUTO(json_doc_free) = {0};

    return json_parse(line, &doc, NULL) == RC_OK &&
           str_is(json_string(json_get(doc.root, "command")), "backup");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena a AUTO(arena_free) = {0};
    struct str line = fuzz_text(data, size);

    if (!d.config)
        start();
    if (size >= LINE_MAX_BYTES || str_chr(line, '\n') || is_backup(line))
        return 0;
    char *sent = arena_alloc(&a, line.len + 1); /* with NUL bytes, where it has some */
    memcpy(sent, line.at, line.len);
    sent[line.len] = '\n';
    int fd = call((struct str){sent, line.len + 1});
    control_serve(&d);
    check_answer(line, answer_of(fd, &a));
    return 0;
}
