/* cli/import_columns.c - the columns of a file by --map: what is theirs by a line of it, else what
 * would be proposed.
 */
#include "files.h"
#include "import.h"

enum { MAP_MAX = 1 << 20 };

static int read_map(struct cli *cli, struct import_column columns[], size_t n)
{
    const char *path = cli->args.values[ARG_MAP];
    struct why why = {0};
    struct str text;

    if (!path)
        return DONE;
    enum rc rc = file_read(path, MAP_MAX, &cli->arena, &text, &why);
    if (rc != RC_OK)
        return cli_fail(cli, "%s", why.text);
    return import_map_read(text, columns, n, &cli->arena, &why)
               ? cli_usage(cli, "%s: %s", path, why.text)
               : DONE;
}

int import_columns(struct cli *cli, const struct csv *csv, struct import_column **ret)
{
    size_t n = csv_columns(csv);
    struct import_column *columns = arena_array(&cli->arena, n, sizeof *columns);

    for (size_t i = 0; i < n; i++) {
        columns[i].name = csv_name(csv, i);
        import_propose(&columns[i], &cli->arena);
    }
    int status = read_map(cli, columns, n);
    if (status == DONE)
        *ret = columns;
    return status;
}

static struct str called(const struct import_column *c)
{
    return c->use == USE_PROPERTY || c->use == USE_EMAIL ? c->property : STR_NULL;
}

int import_names(struct cli *cli, const struct csv *csv, struct str **ret)
{
    size_t n = csv_columns(csv);
    struct str *names = arena_array(&cli->arena, n, sizeof *names);
    struct import_column *columns = NULL;
    bool mapped = cli_has(cli, ARG_MAP);
    struct why why = {0};
    int status = mapped ? import_columns(cli, csv, &columns) : DONE;

    if (status == DONE && mapped && import_map_unique(columns, n, &why) != RC_OK)
        status = cli_usage(cli, "%s: %s", cli->args.values[ARG_MAP], why.text);
    for (size_t i = 0; i < n && status == DONE; i++)
        names[i] = mapped ? called(&columns[i]) : csv_name(csv, i);
    *ret = names;
    return status;
}
