/* tests/sim/variant.c - see variant.h. */
#include "variant.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "funneld/app/config.h"
#include "funneld/base/clock.h"
#include "funneld/base/json.h"

const struct variant variants[VARIANTS] = {
    {"plain", 350, 255, 200, 900, 150, 7 * DAYS_MS, 600, 300, true, true, true, true, 1, true,
     true},
    {"richer", 500, 100, 50, 1200, 0, 1 * DAYS_MS, 500, 200, true, true, true, true, 3, true, true},
    {"no-sheets", 350, 255, 200, 600, 150, 7 * DAYS_MS, 400, 300, true, true, false, true, 2, false,
     false},
    {"no-notion", 200, 300, 200, 900, -100, 2 * DAYS_MS, 600, 250, true, false, true, true, 1, true,
     true},
    {"alone", 350, 255, 0, 900, 150, 7 * DAYS_MS, 600, 300, false, true, true, false, 1, false,
     false},
};

static struct config *configs[VARIANTS];
static char folder[] = "/tmp/funneld-sim-XXXXXX", database[64];

const char *variants_database(void)
{
    return database;
}

struct config *variant_config(int which)
{
    return configs[which];
}

/* A service account with a key of its own: short, because each start of a daemon signs with it. */
static void make_credentials(void)
{
    struct sbuf b AUTO(sbuf_free) = SBUF(16384);
    EVP_PKEY *key = EVP_RSA_gen(1024);
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;

    if (!key || !bio || !PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL))
        abort();
    long n = BIO_get_mem_data(bio, &pem);
    json_open(&b, '{');
    json_kv_text(&b, "type", "service_account");
    json_kv_text(&b, "client_email", "funneld@example.org");
    json_kv_text(&b, "private_key_id", "kid-1");
    json_kv(&b, "private_key", (struct str){pem, (size_t)n});
    json_close(&b, '}');
    BIO_free(bio);
    EVP_PKEY_free(key);
    if (setenv("FUNNELD_SIM_KEY", b.at, 1) != 0)
        abort();
}

static const char *decimal(int64_t tenths, char ret[32])
{
    (void)!snprintf(ret, 32, "%s%lld.%lld", tenths < 0 ? "-" : "", llabs(tenths / 10),
                    llabs(tenths % 10));
    return ret;
}

static void write_rules(FILE *f, const struct variant *v)
{
    char n[32];

    (void)!fprintf(f, "[score]\nwarm = 20\nhot = 80\n[group doing]\nmax = %s\n",
                   decimal(v->cap, n));
    (void)!fprintf(f,
                   "[rule demo]\nwhen = event.property == \"demo_requested\" and event.value == "
                   "\"true\"\npoints = %s\ngroup = doing\n",
                   decimal(v->demo, n));
    (void)!fprintf(f,
                   "[rule page]\nwhen = event.property == \"page\" and event.value contains "
                   "\"pricing\"\npoints = %s\nhalf_life = %llds\ngroup = doing\n",
                   decimal(v->page, n), (long long)(v->page_half_life_ms / SECONDS_MS));
    (void)!fprintf(f,
                   "[rule form]\nwhen = event.source == \"zapier\"\npoints = %s\ngroup = doing\n",
                   decimal(v->form, n));
    (void)!fprintf(f, "[rule acme]\nwhen = lead.company == \"Acme\"\npoints = %s\n",
                   decimal(v->acme, n));
}

static void write_routes(FILE *f, const struct variant *v)
{
    char n[32], m[32];

    (void)!fprintf(f, "[route hot]\nwhen = score >= %s and score.previous < %s\nto = hook%s%s\n%s",
                   decimal(v->hot, n), decimal(v->hot, m), v->slack ? ", sales-slack" : "",
                   v->sheets ? ", lead-log" : "", v->waits ? "wait_for = enrichment\n" : "");
    if (v->notion)
        (void)!fprintf(f, "[route book]\nwhen = score >= %s\nto = lead-book\n",
                       decimal(v->book, n));
    if (v->slack || v->sheets)
        (void)!fprintf(f, "[route page]\nwhen = event.property == \"page\"\nto = %s%s%s%s\n",
                       v->slack ? "sales-slack" : "", v->slack && v->sheets ? ", " : "",
                       v->sheets ? "lead-log" : "",
                       v->more ? ", chat, lead-grid, mail, warehouse, subscribers\nurgent = yes"
                               : "");
}

static void write_connectors(FILE *f, const struct variant *v)
{
    const char *often = "backoff = 5s\nbackoff_max = 6h\n";

    (void)!fprintf(
        f,
        "[connector hook]\ntype = slack\nwebhook = https://hooks.slack.com/services/T/B/x\n"
        "on_ambiguous = drop\n%s",
        often);
    if (v->slack)
        (void)!fprintf(f,
                       "[connector sales-slack]\ntype = slack\ntoken = xoxb-1\n"
                       "channel = C0123456789\nconcurrency = %d\n%s",
                       v->at_once, often);
    if (v->notion)
        (void)!fprintf(f,
                       "[connector lead-book]\ntype = notion\ntoken = t\ndatabase = "
                       "668d797c76fa49349b05ad288df2d136\nconcurrency = %d\n%s",
                       v->at_once, often);
    if (v->sheets)
        (void)!fprintf(f,
                       "[connector lead-log]\ntype = google_sheets\ncredentials = "
                       "${FUNNELD_SIM_KEY}\nspreadsheet = s\n%s",
                       often);
    if (v->more)
        (void)!fprintf(
            f,
            "[connector chat]\ntype = slack\ntoken = xoxb-2\nurl = https://chat.example.com\n"
            "channel = C0999999999\nthread = yes\ndigest = 3/1m\n%s"
            "[connector lead-grid]\ntype = google_sheets\ncredentials = ${FUNNELD_SIM_KEY}\n"
            "spreadsheet = s\nmode = upsert\nrange = Leads!A:I\nurl = https://grid.example.com\n"
            "token_url = https://grid.example.com/token\n%s"
            "[connector mail]\ntype = email\nurl = smtp://mail.example.com:587\nfrom = "
            "leads@example.com\nto = sales@example.com\n%s[connector warehouse]\ntype = "
            "http\nurl = https://warehouse.example.com/leads\n%s[connector subscribers]\n"
            "type = rest_hooks\n%s",
            often, often, often, often, often);
    if (v->crm)
        (void)!fprintf(
            f, "[connector crm]\ntype = hubspot\ntoken = t\nproperties = company, email\n%s",
            often);
}

static struct config *load(const struct variant *v)
{
    struct arena a AUTO(arena_free) = {0};
    const char *path = arena_printf(&a, "%s/%s.conf", folder, v->name).at;
    struct sbuf problems AUTO(sbuf_free) = SBUF(65536);
    FILE *f = fopen(path, "w");

    if (!f)
        abort();
    (void)!fprintf(f,
                   "[server]\npublic_url = https://hooks.example.com\nhooks_token = "
                   "0123456789abcdef0123456789abcdef\n[store]\npath = "
                   "%s/funneld.db\ncheckpoint = 96KiB\n[source hubspot]\ntype = hubspot\nsecret = "
                   "one\n%s[source zapier]\ntype = zapier\nsecret = two\n",
                   folder, v->crm ? "enrich = crm\n" : "");
    write_rules(f, v);
    write_routes(f, v);
    write_connectors(f, v);
    if (fclose(f) != 0)
        abort();
    struct config *c = config_load(path, 0);
    if (c->problems.n) {
        config_problems_text(c, &problems);
        (void)!fprintf(stderr, "%s", problems.at);
        abort();
    }
    return c;
}

/* The store asks the real file system for its lock, and a reader whether there is a file. */
static void make_folder(void)
{
    FILE *f;

    if (!mkdtemp(folder))
        abort();
    (void)!snprintf(database, sizeof database, "%s/funneld.db", folder);
    f = fopen(database, "w");
    if (!f || fclose(f) != 0)
        abort();
}

void variants_load(void)
{
    make_folder();
    make_credentials();
    for (int i = 0; i < VARIANTS; i++)
        configs[i] = load(&variants[i]);
}

static void remove_file(const char *name)
{
    char path[128];

    (void)!snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path); /* the lock is not there before the first start */
}

void variants_free(void)
{
    char name[64];

    for (int i = 0; i < VARIANTS; i++) {
        ref_drop(&configs[i]->ref);
        (void)!snprintf(name, sizeof name, "%s.conf", variants[i].name);
        remove_file(name);
    }
    remove_file("funneld.db");
    remove_file("funneld.db.lock");
    (void)rmdir(folder);
}
