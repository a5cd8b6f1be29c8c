/* cli/cli.c - from the arguments to a command, and what commands have in common. */
#include "funneld/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "funneld/base/clock.h"

enum { OUT_MAX = 1 << 30, OUT_WORTH_IT = 1 << 16 };

static void complain(const struct cli *cli, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
static void complain(const struct cli *cli, const char *fmt, va_list args)
{
    struct sbuf line AUTO(sbuf_free) = SBUF(1 << 16);
    struct arena a AUTO(arena_free) = {0};

    sbuf_printf(&line, "funneld%s%s: ", cli->command ? " " : "",
                cli->command ? cli->command->name : "");
    sbuf_vprintf(&line, fmt, args);
    for (char *p = line.at, *end = p + line.len; p <= end;) { /* names in it come from outside */
        char *stop = memchr(p, '\n', (size_t)(end - p));
        struct str shown = printable((struct str){p, (size_t)((stop ? stop : end) - p)}, &a);

        (void)fprintf(stderr, "%.*s\n", STR_ARG(shown)); /* where else could it be said */
        p = (stop ? stop : end) + 1;
    }
}

int cli_usage(const struct cli *cli, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    complain(cli, fmt, args);
    va_end(args);
    (void)fprintf(stderr, "Try: funneld %s%s--help\n", cli->command ? cli->command->name : "",
                  cli->command ? " " : "");
    return USAGE;
}

int cli_fail(const struct cli *cli, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    complain(cli, fmt, args);
    va_end(args);
    return FAILED;
}

void cli_note(const struct cli *cli, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    complain(cli, fmt, args);
    va_end(args);
}

int cli_fail_read(const struct cli *cli, enum rc rc)
{
    const char *error = reader_error(cli->reader);

    return cli_fail(cli, "reading %.*s: %s", STR_ARG(cli->config->store.path),
                    error && *error ? error : rc_text(rc));
}

const char *cli_config_path(const struct cli *cli)
{
    const char *variable = getenv("FUNNELD_CONFIG");

    if (cli_has(cli, ARG_CONFIG))
        return cli->args.values[ARG_CONFIG];
    return variable && *variable ? variable : CONFIG_FALLBACK;
}

int cli_load(struct cli *cli)
{
    struct sbuf text AUTO(sbuf_free) = SBUF(1 << 20);

    cli->config = config_load(cli_config_path(cli), cli->now_ms);
    if (!cli->config->problems.n)
        return DONE;
    config_problems_text(cli->config, &text);
    (void)fprintf(stderr, "%.*s", STR_ARG(sbuf_str(&text)));
    return USAGE;
}

int cli_read(struct cli *cli)
{
    struct why why = {0};
    int status = cli_load(cli);

    if (status != DONE)
        return status;
    if (reader_open(arena_text(&cli->arena, cli->config->store.path), &cli->reader, &why))
        return cli_fail(cli, "%s", why.text);
    return DONE;
}

static void write_out(struct cli *cli)
{
    (void)fwrite(cli->out.at, 1, cli->out.len, stdout); /* finish() asks whether it worked */
    if (cli->out.failed)
        cli_note(cli, "the answer is too long and was cut");
    sbuf_reset(&cli->out);
}

void cli_flush(struct cli *cli)
{
    if (cli->out.len >= OUT_WORTH_IT)
        write_out(cli);
}

/* An answer that did not reach its reader is a failure, as on a full disk. */
static int finish(struct cli *cli, int status)
{
    bool cut = cli->out.failed;

    if (cli->out.len)
        write_out(cli);
    if (fflush(stdout) != 0 || ferror(stdout))
        status = cli_fail(cli, "cannot write the answer: %s", strerror(errno));
    return cut && status == DONE ? FAILED : status;
}

static int unknown_command(const struct cli *cli, struct str name)
{
    const char *names[32];
    size_t n = n_cli_commands < ARRAY_LEN(names) ? n_cli_commands : ARRAY_LEN(names);

    for (size_t i = 0; i < n; i++)
        names[i] = cli_commands[i].name;
    const char *near = conf_nearest(name, names, n);
    if (near)
        return cli_usage(cli, "unknown command %.*s; did you mean %s?", STR_ARG(str_cut(name, 80)),
                         near);
    return cli_usage(cli, "unknown command %.*s", STR_ARG(str_cut(name, 80)));
}

static int help(struct cli *cli)
{
    if (cli->command)
        cli_help_command(cli->command, &cli->out);
    else
        cli_help(&cli->out);
    return DONE;
}

static int run_command(struct cli *cli, char *argv[])
{
    struct why why = {0};
    const struct cli_command *c = cli->command;

    if (args_parse(&cli->args, c->takes | CLI_EVERYWHERE, argv, &cli->arena, &why))
        return cli_usage(cli, "%s", why.text);
    if (cli_has(cli, ARG_HELP))
        return help(cli);
    if (cli->args.n_words < c->min_words)
        return cli_usage(cli, "%s is missing", c->arguments);
    if (cli->args.n_words > c->max_words)
        return cli_usage(cli, "unexpected argument %.80s", cli->args.words[c->max_words]);
    return c->run(cli);
}

/* `funneld help check`, because it is what people type. */
static int help_about(struct cli *cli, const char *name)
{
    if (name) {
        cli->command = cli_command_find(str_of(name));
        if (!cli->command)
            return unknown_command(cli, str_of(name));
    }
    return help(cli);
}

static int run(struct cli *cli, char *argv[])
{
    struct why why = {0};
    size_t used = 0;

    if (argv[0] && strcmp(argv[0], "--version") == 0) { /* what every program understands */
        cli->command = cli_command_find(STR("version"));
        return run_command(cli, argv + 1);
    }
    if (args_leading(&cli->args, CLI_EVERYWHERE, argv, &used, &why))
        return cli_usage(cli, "%s", why.text);
    if (cli_has(cli, ARG_HELP) && !argv[used])
        return help(cli);
    struct str name = argv[used] ? str_of(argv[used]) : STR("serve");
    if (str_is(name, "help"))
        return help_about(cli, argv[used + 1]);
    cli->command = cli_command_find(name);
    if (!cli->command)
        return unknown_command(cli, name);
    return run_command(cli, argv[used] ? argv + used + 1 : argv + used);
}

int cli_run(int argc, char *argv[])
{
    (void)umask(0077); /* whatever it makes holds people's data */
    struct cli cli = {.now_ms = clock_now_ms(), .out = SBUF(OUT_MAX)};
    int status = finish(&cli, run(&cli, argc ? argv + 1 : argv));

    reader_close(cli.reader);
    if (cli.config)
        ref_drop(&cli.config->ref);
    sbuf_free(&cli.out);
    arena_free(&cli.arena);
    return status;
}
