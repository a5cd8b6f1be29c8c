/* main.c - funneld: CRM webhooks in, scored leads and messages out. */
#include "funneld/cli/cli.h"
#include "funneld/model/booster.h"

int main(int argc, char *argv[])
{
    booster_prepare(); /* before there are threads */
    return cli_run(argc, argv);
}
