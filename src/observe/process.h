/* observe/process.h - process_* metrics, as Prometheus' client libraries name them. */
#ifndef FUNNELD_OBSERVE_PROCESS_H
#define FUNNELD_OBSERVE_PROCESS_H

#include "funneld/base/sbuf.h"

/* From /proc and getrusage; what cannot be read (ProcSubset=pid) is left out. */
void process_metrics_render(struct sbuf *b);

#endif
