"""Reply: what somebody's SMS to us says (product.md section 6).

Decides by an exact grammar, so that nothing is ever taken for an answer that is none: case, quotes, blanks, widths and
marks that nobody sees don't matter, and a digit is a digit in any script; a letter that only looks like another is not
that letter. Must not know whose message it is, nor which codes there are.

    ok ack a yes [CODE] · CODE [ok …] · pass no [CODE] · status [CODE] · note [CODE] TEXT
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from daemon.documents.cleaning import clean, one_line

READ_MOST = 2000
"""Characters of a message that are looked at; ten segments hold fewer."""
NOTE_MOST = 1000
"""Characters of a note that are kept."""


class Verb(StrEnum):
    """What is wanted. CARRIER are words that the carrier answers itself; UNCLEAR is everything else."""

    OK = "ok"
    PASS = "pass"  # noqa: S105 - the word of product.md section 6, not a secret
    STATUS = "status"
    NOTE = "note"
    CARRIER = "carrier"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Reply:
    """What was said, and by which code (in capitals, "" without one). A note's `text` is what follows its code, and
    `whole` what follows the word: the code may be a word of the note.
    """

    verb: Verb
    code: str = ""
    text: str = ""
    whole: str = ""


WORDS = {
    "ok": Verb.OK, "ack": Verb.OK, "a": Verb.OK, "yes": Verb.OK,
    "pass": Verb.PASS, "no": Verb.PASS,
    "status": Verb.STATUS,
}  # fmt: skip
CARRIER = frozenset(
    {"help", "info", "stop", "stopall", "unsubscribe", "cancel", "end", "quit", "start", "unstop", "optout", "revoke"}
)
_QUOTES = "\"'`´‘’‚‛“”„‟«»‹›「」『』"
_EDGES = f" {_QUOTES}.,;:!?()[]…"
_BETWEEN = "[ :,.;#-]"
_CODE = r"[a-z][0-9]{1,2}"
_FIRST = re.compile(rf"(?P<verb>ok|ack|a|yes|pass|no|status)(?:{_BETWEEN}+(?P<code>{_CODE}))?")
_GLUED = re.compile(rf"(?P<verb>ok|ack|pass)(?P<code>{_CODE})")
_LAST = re.compile(rf"#?(?P<code>{_CODE})(?:{_BETWEEN}+(?P<verb>ok|ack|a|yes|pass|no|status))?")
_NOTE = re.compile(rf"(?:#?(?P<before>{_CODE})[\s:,]+)?note\b[\s:,]*(?P<rest>.*)", re.DOTALL | re.IGNORECASE | re.ASCII)
_NOTED = re.compile(rf"#?(?P<code>{_CODE})[\s:,]+(?P<text>.+)", re.DOTALL | re.IGNORECASE | re.ASCII)


def read(text: str) -> Reply:
    """What an SMS says. Never raises."""
    lines = [line for line in map(_plain, text[:READ_MOST].splitlines()) if line]
    if not lines:
        return Reply(Verb.UNCLEAR)
    said = lines[0].casefold()
    if said in CARRIER:
        return Reply(Verb.CARRIER)
    for form in (_FIRST, _GLUED, _LAST):
        if found := form.fullmatch(said):
            return Reply(WORDS[found["verb"] or "ok"], (found["code"] or "").upper())
    return _note(text[:READ_MOST]) or Reply(Verb.UNCLEAR)


def _note(said: str) -> Reply | None:
    """A note, in the letters that were written."""
    found = _NOTE.fullmatch(said.strip(_EDGES))
    if not found or not found["rest"].strip(_EDGES):
        return None
    whole = _kept(found["rest"])
    if found["before"]:
        return Reply(Verb.NOTE, found["before"].upper(), whole, whole)
    coded = _NOTED.fullmatch(found["rest"])
    if coded:
        return Reply(Verb.NOTE, coded["code"].upper(), _kept(coded["text"]), whole)
    return Reply(Verb.NOTE, "", whole, whole)


def _kept(text: str) -> str:
    return one_line(clean(text))[:NOTE_MOST].strip()


def _plain(line: str) -> str:
    """One line in plain widths and digits, without marks that nobody sees, quotes and stops around it."""
    seen = (_digit(letter) for letter in unicodedata.normalize("NFKC", line) if _is_seen(letter))
    return " ".join("".join(seen).split()).strip(_EDGES)


def _is_seen(letter: str) -> bool:
    """Whether a letter says something: no quote, no mark of direction or width, no variant of a symbol."""
    if letter in _QUOTES or "\ufe00" <= letter <= "\ufe0f":
        return False
    return letter == "\t" or unicodedata.category(letter) not in {"Cf", "Cc"}


def _digit(letter: str) -> str:
    value = unicodedata.decimal(letter, None)
    return letter if value is None else str(value)
