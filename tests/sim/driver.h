/* tests/sim/driver.h - one run: what is said, what goes wrong, all drawn from one seed. */
#ifndef FUNNELD_SIM_DRIVER_H
#define FUNNELD_SIM_DRIVER_H

#include <stdint.h>

/* A life of some hundred steps, then peace, then the oracle. NULL, or the promise that is broken.
 */
const char *run_life(uint64_t seed);

/* A life in which nothing fails but the way back: of every other request the answer is lost. */
const char *run_losses(uint64_t seed);

/* Power cuts: writes alone until the power goes at any of them, and again. Done so often; NULL or
 * what is broken. One seed is one disk for `cuts` cuts. */
const char *run_cuts(uint64_t seed, int cuts);

/* A run of either sort ends with nothing of it left. */
void run_clear(void);

#endif
