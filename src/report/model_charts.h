/* report/model_charts.h - the pictures of a model's page. */
#ifndef FUNNELD_REPORT_MODEL_CHARTS_H
#define FUNNELD_REPORT_MODEL_CHARTS_H

#include "model_report.h"

void chart_gains(const struct model_report *r, struct sbuf *b); /* candidates, with their errors */
void chart_roc(const struct model_report *r, struct sbuf *b);
void chart_precision(const struct model_report *r, struct sbuf *b);
void chart_calibration(const struct model_report *r, struct sbuf *b); /* and the band of noise */
void chart_lift(const struct model_report *r, struct sbuf *b);
void chart_scores(const struct model_report *r, struct sbuf *b);
void chart_blocks(const struct model_report *r, struct sbuf *b);

#endif
