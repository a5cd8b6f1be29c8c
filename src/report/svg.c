/* report/svg.c - small charts as inline SVG. */
#include "svg.h"

enum { LEFT = 58, TOP = 10, WIDTH = 300, HEIGHT = 190, RIGHT = 20, BOTTOM = 42, TICKS = 4 };

static double px(double x)
{
    return LEFT + WIDTH * (x > 0 ? x < 1 ? x : 1 : 0);
}

static double py(double y)
{
    return TOP + HEIGHT * (1 - (y > 0 ? y < 1 ? y : 1 : 0));
}

static void label(struct sbuf *b, double value, enum svg_unit unit)
{
    switch (unit) {
    case SVG_PERCENT:
        sbuf_printf(b, "%.3g %%", 100 * value);
        break;
    case SVG_TIMES:
        sbuf_printf(b, "%.3g", value);
        break;
    case SVG_COUNT:
        sbuf_printf(b, "%.0f", value);
        break;
    case SVG_NOTHING:
        break;
    }
}

static void ticks(struct sbuf *b, const struct svg_axes *axes)
{
    for (int i = 0; i <= TICKS; i++) {
        double share = (double)i / TICKS;

        svg_line(b, "grid", 0, share, 1, share);
        sbuf_printf(b, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 6,
                    py(share) + 4);
        label(b, share * axes->y_most, axes->y_unit);
        sbuf_printf(b, "</text><text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
                    px(share), TOP + HEIGHT + 16);
        label(b, share * axes->x_most, axes->x_unit);
        sbuf_text(b, "</text>");
    }
}

void svg_open(struct sbuf *b, const struct svg_axes *axes)
{
    sbuf_printf(b,
                "<figure><figcaption>%s</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" "
                "aria-label=\"%s\">",
                axes->title, LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM, axes->title);
    ticks(b, axes);
    sbuf_printf(b,
                "<text class=\"axis\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>"
                "<text class=\"axis\" x=\"11\" y=\"%d\" text-anchor=\"middle\" "
                "transform=\"rotate(-90 11 %d)\">%s</text>\n",
                LEFT + WIDTH / 2, TOP + HEIGHT + 34, axes->x, TOP + HEIGHT / 2, TOP + HEIGHT / 2,
                axes->y);
}

void svg_close(struct sbuf *b)
{
    sbuf_text(b, "</svg></figure>\n");
}

void svg_line(struct sbuf *b, const char *class, double x1, double y1, double x2, double y2)
{
    sbuf_printf(b, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", class,
                px(x1), py(y1), px(x2), py(y2));
}

void svg_bar(struct sbuf *b, double x, double width, double height)
{
    double left = px(x) + 1, top = py(height);

    sbuf_printf(b,
                "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                "rx=\"1.5\"/>",
                left, top, px(x + width) - left - 1, py(0) - top);
}

void svg_dot(struct sbuf *b, double x, double y)
{
    sbuf_printf(b, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"/>", px(x), py(y));
}

void svg_label(struct sbuf *b, double x, double y, struct str text)
{
    sbuf_printf(b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", px(x), py(y),
                x > 0.5 ? "end" : "start");
    html_text(b, text);
    sbuf_text(b, "</text>");
}

void svg_path_begin(struct sbuf *b, const char *element, const char *class)
{
    sbuf_printf(b, "<%s class=\"%s\" points=\"", element, class);
}

void svg_path_point(struct sbuf *b, double x, double y)
{
    sbuf_printf(b, "%.1f,%.1f ", px(x), py(y));
}

void svg_path_end(struct sbuf *b)
{
    sbuf_text(b, "\"/>");
}

void html_text(struct sbuf *b, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i];

        switch (c) {
        case '&':
            sbuf_text(b, "&amp;");
            break;
        case '<':
            sbuf_text(b, "&lt;");
            break;
        case '>':
            sbuf_text(b, "&gt;");
            break;
        case '"':
            sbuf_text(b, "&quot;");
            break;
        case '\'':
            sbuf_text(b, "&#39;");
            break;
        default:
            sbuf_char(b, (unsigned char)c < 0x20 || c == 0x7f ? ' ' : c);
        }
    }
}
