"""tests/demo/sent.py - what the services were sent, as a person reads it."""
import calendar
import time


def rows_of(state):
    """The sheet without its header."""
    return state["sheets"]["Leads"].get("values", [])[1:]


def plain(value):
    return value.get("start", "") if isinstance(value, dict) else str(value)


def seconds(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def age(now, then):
    return f"{(seconds(now) - seconds(then)) / 86400:.0f} days ago" if then else ""


def unescape(text):
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def field_of(blocks, name):
    """The value of a field in a section: its label stands in the line above."""
    for block in blocks:
        for field in block.get("fields", []):
            label, _, value = field["text"].partition("\n")
            if label == name:
                return unescape(value)
    return None


def slack_lines(blocks):
    """Block Kit as text, as a person would see it."""
    for block in blocks:
        kind = block["type"]
        if kind == "header":
            yield unescape(block["text"]["text"]), "bold"
        elif kind == "section":
            fields = [unescape(f["text"]).split("\n") for f in block.get("fields", [])]
            for left, right in zip(fields[::2], fields[1::2] + [["", ""]]):
                yield from two_columns(left, right)
            if "text" in block:
                yield unescape(block["text"]["text"])
        elif kind == "context":
            yield " ".join(unescape(e["text"]) for e in block["elements"]), "dim"
        elif kind == "actions":
            yield "  ".join(f"[ {e['text']['text']} ]" for e in block["elements"]), "blue"


def two_columns(left, right):
    yield left[0].ljust(30)[:30] + right[0], "dim"
    yield left[-1].ljust(30)[:30] + right[-1]
