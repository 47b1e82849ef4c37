"""The reply grammar: what somebody's SMS to us says.

It is an exact grammar, so that nothing is ever taken for an answer that is none: case, quotes, blanks, widths and
marks that nobody sees don't matter, and a digit is a digit in any script; a letter that only looks like another is not
that letter. One blank more or less changes nothing (`okall`, `okk7`, `K 7`, `o k`), but where words of everyday could
become an answer (`at 5`, `not5`, `a 5`, `b4no`), a slip another answer (`nok7`), or another incident could be meant:
then it is unclear. A closed table of slips stands for `ok`; nothing that is one letter away from declining is in it.
Whose message it is, and which codes there are, plays no part.

    ok ack a yes [CODE | all [CODE]] · CODE [ok …] · pass no [CODE | all [CODE]] · status [CODE] · note [CODE] TEXT
    stop stopall unsubscribe cancel end quit revoke optout · start unstop (and yes) · help info

Only the first line that says something counts, so that a signature or a quoted page below it does no harm; a note keeps
all of its lines.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum

from tocsin.text.cleaning import clean, one_line

READ_MOST = 2000
"""Characters of a message that are looked at; ten segments hold fewer."""
NOTE_MOST = 1000
"""Characters of a note that are kept."""


class Verb(StrEnum):
    """What is wanted. STOP and START are the carrier's words for "send nothing here" and "send again" (rule 51),
    CARRIER those that it answers itself; UNCLEAR is everything else.
    """

    OK = "ok"
    PASS = "pass"  # noqa: S105 - a word of the grammar, not a secret
    STATUS = "status"
    NOTE = "note"
    STOP = "stop"
    START = "start"
    CARRIER = "carrier"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class SmsCommand:
    """What was said, and by which code (in capitals, "" without one). A note's `text` is what follows its code, and
    `whole` what follows the word: the code may be a word of the note. `everything`: it answers all that is asked
    (`ok all`), and its code only shows who writes. `starts`: to the carrier it says START as well.
    """

    verb: Verb
    code: str = ""
    text: str = ""
    whole: str = ""
    everything: bool = False
    starts: bool = False

    @property
    def is_bare_ok(self) -> bool:
        """Whether it is an `ok` that does not say what it answers."""
        return self.verb is Verb.OK and not (self.code or self.everything)


SLIPS = frozenset({"okay", "okey", "okk", "okok"})
"""What thumbs make of `ok`: a closed table (rule 47)."""
WORDS = {
    "ok": Verb.OK, "ack": Verb.OK, "a": Verb.OK, "yes": Verb.OK, **dict.fromkeys(sorted(SLIPS), Verb.OK),
    "pass": Verb.PASS, "no": Verb.PASS,
    "status": Verb.STATUS,
}  # fmt: skip
STOP = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
"""The provider's list: from then on it sends nothing to that number. Heard with a signature below it, too, which the
provider may not: whoever says so does not want more.
"""
START = frozenset({"start", "unstop", "yes"})
"""What lifts it there, as the whole message. `yes` is an answer to us as well."""
CARRIER = {
    **dict.fromkeys(STOP, Verb.STOP),
    **dict.fromkeys(START - WORDS.keys(), Verb.START),
    **dict.fromkeys(("help", "info"), Verb.CARRIER),
}
_QUOTES = "\"'`´‘’‚‛“”„‟«»‹›「」『』"
_EDGES = " .,;:!()[]…。、،।"
_BETWEEN = "[ :,.;#-]"
_CODE = r"[a-z][0-9]{1,2}"
_APART = r"(?![aeiouy] )[a-z] ?[0-9]{1,2}"
"""A code that may have a blank inside; behind a letter that is a word by itself it is a sentence (`a 5`, `y 5`)."""
_JOINED = "ok|ack|pass|status|yes"
"""Words that may stand at a code without a blank: with any other it may be a word of everyday, or a slip (`not5`)."""
_WORD = "|".join(sorted(WORDS, key=len, reverse=True))
_PIECES = "|".join(" ?".join(word) for word in sorted(WORDS.keys() - SLIPS, key=len, reverse=True))
_ALL = " ?".join("all")
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"(?P<verb>{_PIECES}|{_WORD})(?:{_BETWEEN}+(?P<code>{_CODE}))?",
        rf"(?P<verb>{_WORD}){_BETWEEN}+(?P<code>{_APART})",
        rf"(?P<verb>{_JOINED})(?P<code>{_CODE})",
        rf"#? ?(?P<code>{_APART})(?:{_BETWEEN}+(?P<verb>{_WORD}))?",
        rf"#? ?(?P<code>{_CODE})(?:(?P<verb>{_JOINED})|{_BETWEEN}+(?P<pieces>{_PIECES}))",
        rf"(?P<verb>{_PIECES}|{_WORD}){_BETWEEN}*(?P<all>{_ALL})(?:{_BETWEEN}+(?P<code>{_APART})|(?P<glued>{_CODE}))?",
    )
)
"""Each has one thing at most that is not as it should be: a blank in a word or in a code, or none between them."""
_NOTE = re.compile(rf"[ .#(\[]*(?:(?P<before>{_CODE})[ :,]*)?note[ :,]*")
_NOTE_CODE = re.compile(rf"#?(?P<code>{_CODE})(?:[ :,]+|$)")


def read(text: str) -> SmsCommand:
    """What an SMS says. Never raises."""
    text = text[:READ_MOST]
    first = next((line for line in map(_line, text.splitlines()) if line), "")
    alone = first == _line(text)  # the carrier hears its words only where nothing stands below them
    if first in CARRIER:
        verb = CARRIER[first]
        return SmsCommand(verb if alone or verb is Verb.STOP else Verb.CARRIER)
    if said := _said(first):
        return replace(said, starts=alone and first in START)
    question = _said(first.rstrip("?؟ "))
    if question and question.verb is Verb.STATUS:  # the one word that is a question
        return question
    return _note(text) or SmsCommand(Verb.UNCLEAR)


def _said(line: str) -> SmsCommand | None:
    """What a line says that is a word, a code, or both in either order; None for anything else."""
    match = next((match for form in _FORMS if (match := form.fullmatch(line))), None)
    if match is None:
        return None
    parts = {name: (part or "").replace(" ", "") for name, part in match.groupdict().items()}
    verb = WORDS[parts["verb"] or parts.get("pieces") or "ok"]
    everything = bool(parts.get("all"))
    if everything and verb is Verb.STATUS:
        return None
    return SmsCommand(verb, (parts["code"] or parts.get("glued", "")).upper(), everything=everything)


def _note(text: str) -> SmsCommand | None:
    """A note, in the letters that were written."""
    text = text.strip()
    if text[:1] in _QUOTES and text[-1:] in _QUOTES:
        text = text[1:-1]
    plain, places = _plain(text)
    note = _NOTE.match(plain)
    after = note.end() if note else 0
    code = _NOTE_CODE.match(plain, after)
    if not note or (not code and note[0].endswith("note") and _goes_on(plain[after : after + 1])):
        return None
    whole = _note_text(text, places, after)
    if note["before"]:
        return SmsCommand(Verb.NOTE, note["before"].upper(), whole, whole) if whole else None
    words = _note_text(text, places, code.end()) if code else ""
    if code and words:
        return SmsCommand(Verb.NOTE, code["code"].upper(), words, whole)
    return SmsCommand(Verb.NOTE, "", whole, whole) if whole and not code else None


def _note_text(text: str, places: list[int], start: int) -> str:
    """What was written after so many plain letters: clean, on one line, bounded; "" when it says nothing."""
    note = one_line(clean(text[places[start - 1] + 1 :]))[:NOTE_MOST].strip()
    return note if any(letter.isalnum() for letter in note) else ""


def _goes_on(letter: str) -> bool:
    """Whether a word goes on with this letter; one of a script without capitals may follow it without a blank."""
    return letter.isdecimal() or letter.lower() != letter.upper()


def _line(text: str) -> str:
    """A line as it is compared."""
    return " ".join(_plain(text)[0].split()).strip(_EDGES)


def _plain(text: str) -> tuple[str, list[int]]:
    """The text in small letters of plain width and plain digits, without quotes and marks that nobody sees; and where
    in the text each letter stands.
    """
    visible = [(_letter(letter), place) for place, letter in enumerate(text) if _is_visible(letter)]
    return "".join(letter for letter, _ in visible), [place for _, place in visible]


def _is_visible(letter: str) -> bool:
    """Whether a letter says something: no quote, no mark of direction or width, no variant of a symbol."""
    if letter in _QUOTES or "\ufe00" <= letter <= "\ufe0f":
        return False
    return letter.isspace() or unicodedata.category(letter) not in {"Cf", "Cc"}


def _letter(letter: str) -> str:
    """One letter as it is compared. One that stands for several (№ for No, ß for ss) is none of ours."""
    if letter.isspace():
        return " "
    value = unicodedata.decimal(letter, None)
    if value is not None:
        return str(value)
    plain = unicodedata.normalize("NFKC", letter)
    return plain.lower() if len(plain) == len(plain.lower()) == 1 and _is_plain(letter) else letter


def _is_plain(letter: str) -> bool:
    """Whether a letter is only another shape of a plain one: ａ and 𝐚 are, ª and ⓐ are signs of their own."""
    tag = unicodedata.decomposition(letter).partition(" ")[0]
    return tag in ("", "<wide>", "<narrow>", "<font>") or not tag.startswith("<")
