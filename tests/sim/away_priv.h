/* tests/sim/away_priv.h - the life of away.c, and its network. */
#ifndef FUNNELD_SIM_AWAY_PRIV_H
#define FUNNELD_SIM_AWAY_PRIV_H

#include "away.h"
#include "funneld/deliver/transport.h"

/* away_net.c: requests on their way to the CRM; of a hundred one is not answered, and one by what
 * stands in between. */
void away_net_begin(uint64_t seed);
void away_net_pass(int64_t now); /* what has arrived by now is done */
bool away_net_answers(void);     /* one can be taken now */
int64_t away_net_next(void);     /* when anything happens; INT64_MAX: nothing will */
void away_net_hang_up(void);     /* nobody is there to hear; what has left is done */
const struct transport *away_transport(void);
int64_t away_below(int64_t n);

#endif
