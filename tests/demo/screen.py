"""tests/demo/screen.py - lines for a terminal: 90 columns, colours only where they are welcome."""
import os
import sys
import textwrap

WIDTH = 90
INDENT = "   "
CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "36"}

_terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
COLOURS = _terminal and "NO_COLOR" not in os.environ
try:
    "│┌┐└┘─█…".encode(sys.stdout.encoding or "ascii")
    DRAWS = os.environ.get("TERM", "") not in ("dumb", "")
except UnicodeEncodeError:
    DRAWS = False
sys.stdout.reconfigure(errors="replace")

CORNERS = "┌┐└┘─│" if DRAWS else "++++-|"
BLOCK = "█" if DRAWS else "#"
DOTS = "…" if DRAWS else "..."


def paint(text, colour):
    return f"\x1b[{CODES[colour]}m{text}\x1b[0m" if COLOURS and colour else text


def cut(text, width):
    text = " ".join(str(text).split())
    return text if len(text) <= width else text[:width - len(DOTS)] + DOTS


def line(text="", colour=None):
    print(paint(text, colour) if text else "", flush=True)


def say(text, colour=None):
    line(INDENT + text, colour)


def explain(text):
    for part in textwrap.wrap(text, WIDTH - len(INDENT)):
        say(part, "dim")


def chapter(number, title, note=""):
    line()
    print(paint(f"{number}  {title}", "bold") + (paint(f"   {note}", "dim") if note else ""),
          flush=True)


def box(lines, title="", width=64, colour=None):
    """Lines in a frame; a line may be (text, colour)."""
    a, b, c, d, dash, bar = CORNERS
    say(paint(a + (f" {title} " if title else "").ljust(width - 2, dash) + b, colour))
    for item in lines:
        text, own = item if isinstance(item, tuple) else (item, None)
        for part in textwrap.wrap(text, width - 4) or [""]:
            say(paint(bar, colour) + " " + paint(part.ljust(width - 4), own) + " "
                + paint(bar, colour))
    say(paint(c + dash * (width - 2) + d, colour))


def table(head, rows, widths, right=()):
    """Columns of fixed widths, two blanks apart."""
    def row(cells, colour=None):
        shown = [cut(cell, w).rjust(w) if i in right else cut(cell, w).ljust(w)
                 for i, (cell, w) in enumerate(zip(cells, widths))]
        say("  ".join(shown).rstrip(), colour)
    row(head, "dim")
    for cells in rows:
        row(cells)


def bar(share, width):
    return BLOCK * max(1, round(share * width)) if share > 0 else ""
