/* report/svg.h - small charts as inline SVG, in the colours of the page around them.
 *
 * Coordinates are shares of the plot, from 0 to 1, the origin below left. Colours are classes:
 * line, bar, band, dot, guide, of the page's style.
 */
#ifndef FUNNELD_REPORT_SVG_H
#define FUNNELD_REPORT_SVG_H

#include "funneld/base/sbuf.h"

/* Texts are the page's own; anything else goes through html_text. */
struct svg_axes {
    const char *title; /* for those who hear the page, too */
    const char *x, *y; /* what the axes say */
    double x_most, y_most;
    enum svg_unit { SVG_PERCENT, SVG_TIMES, SVG_COUNT, SVG_NOTHING } x_unit, y_unit;
};

void svg_open(struct sbuf *b, const struct svg_axes *axes);
void svg_close(struct sbuf *b);
void svg_line(struct sbuf *b, const char *class, double x1, double y1, double x2, double y2);
void svg_bar(struct sbuf *b, double x, double width, double height);
void svg_dot(struct sbuf *b, double x, double y);
/* Beside a point, towards the middle; the text may be anybody's. */
void svg_label(struct sbuf *b, double x, double y, struct str text);
/* A line or an area of points: begin, points, end. */
void svg_path_begin(struct sbuf *b, const char *element, const char *class);
void svg_path_point(struct sbuf *b, double x, double y);
void svg_path_end(struct sbuf *b);

/* Escaped; control characters become blanks. */
void html_text(struct sbuf *b, struct str s);

#endif
