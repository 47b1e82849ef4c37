"""What strangers wrote, made safe to show in a mail, an SMS, a terminal and a log line.

Decides which characters go: controls, terminal escapes, and those that turn or hide text. Must not know which field it
cleans. Long texts keep their newlines.
"""

import re

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])?|\x9b[0-?]*[ -/]*[@-~]")
_ESCAPE_REMAINS = re.compile(r"\[[0-9;]{0,20}[mKJH]")
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_HIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # controls
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"  # text direction, and nothing at all
    "\ufeff\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"  # marks, none at all, lone surrogates, tags
)
_SAFE = re.compile("[\n\x20-\x7e\xa0-\u05ff]*")


def clean(text: str, *, escapes_lost: bool = False) -> str:
    """A text with its newlines, without what could harm whoever shows it. `escapes_lost`: the escape characters
    themselves were taken out before, so that `[31m` is what remains of a colour.
    """
    if _SAFE.fullmatch(text) and not escapes_lost:
        return text.strip()
    text = _ESCAPES.sub("", text)
    if escapes_lost:
        text = _ESCAPE_REMAINS.sub("", text)
    text = _BREAKS.sub("\n", text).replace("\t", " ")
    return _HIDDEN.sub("", text).strip()


def one_line(text: str) -> str:
    """A clean text on a single line."""
    return " ".join(text.split()) if "\n" in text or "  " in text else text


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` characters; a cut one ends in an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def shown(name: str) -> str:
    """A file name fit to be shown: whatever cannot be printed is written as an escape."""
    if name.isascii() and name.isprintable():
        return name
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode("ascii")
        for letter in name
    )
