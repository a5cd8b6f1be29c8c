/* main.c - funneld: CRM webhooks in, scored leads and messages out. */
#include "funneld/cli/cli.h"

int main(int argc, char *argv[])
{
    return cli_run(argc, argv);
}
