"""A catalogue: the file in which a language's translators say what each English sentence is there (gettext, `.po`).

What could mislead is refused with its line: a line that is none of such a file, a sentence that is translated twice, a
translation whose {names} are not those of the sentence. What is empty or marked as fuzzy is not translated yet.
"""

import gettext
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, PoFileParser

from tocsin.wording.language.language import Translation, locale_of
from tocsin.wording.language.placeholders import placeholders

PLURALS_MOST = 6
"""Sorts of numbers that a language may tell apart; Arabic has as many."""
FAULTS_MOST = 20
"""Faults of one file that are told."""
LONGEST = 20
"""How many times as long as its sentence a translation may be, beside a line."""
NO_LINE = 'this is no line of a catalogue, such as msgid "…" and msgstr "…", whole in its quotes'
NUMBER = "number"
"""The name that a count knows by itself. "A page" has none, for one."""

_LINE = re.compile(r'\s*(?:#.*|(?:(?:msgctxt|msgid|msgid_plural|msgstr|msgstr\[\d+\]) )?"(?:[^"\\]|\\.)*"|)\s*')
_PLURALS = re.compile(r"nplurals\s*=\s*(\d+)")
_PARSING = (PoFileError, ValueError, LookupError, AttributeError, TypeError, AssertionError, RecursionError)
"""What Babel raises at a file that is none."""


@dataclass(frozen=True, slots=True)
class CatalogueFault:
    """What is wrong with a catalogue, and in which line."""

    line: int
    why: str


class _Entries(Catalog):
    """What stands in a catalogue, as it stands there: Babel would make one of two."""

    def __init__(self, code: str) -> None:
        super().__init__(locale=locale_of(code))
        self.entries: list[Message] = []

    def __setitem__(self, id: object, message: Message) -> None:  # noqa: A002 - as in Babel
        if id == "":
            super().__setitem__("", message)
        else:
            self.entries.append(message)


def read_catalogue(text: str, code: str) -> tuple[dict[str, Translation], tuple[CatalogueFault, ...]]:
    """The translations of a language by the English sentences, and what is wrong with the file. Never raises."""
    entries, faults = _entries(text, code)
    if entries is None:
        return {}, faults
    try:
        which = _plural(entries.plural_expr, entries.num_plurals)
    except (ValueError, RecursionError) as fault:
        line = next((number for number, line in enumerate(text.split("\n"), 1) if "Plural-Forms" in line), 1)
        return {}, (CatalogueFault(line, f"Plural-Forms cannot be understood: {' '.join(str(fault).split())[:100]}"),)
    words: dict[str, Translation] = {}
    lines: dict[str, int] = {}
    wrong: list[CatalogueFault] = []
    for entry in entries.entries:
        texts = _texts(entry.id)
        line, forms = entry.lineno or 1, _texts(entry.string)
        if why := _misfit(entry, texts, forms, lines):
            wrong.append(CatalogueFault(line, why))
        lines.setdefault(texts[0], line)
        if not entry.fuzzy and any(forms):
            words[texts[0]] = Translation(forms, which if len(texts) > 1 else _only)
    return words, tuple(wrong[:FAULTS_MOST])


def sentences_of(text: str) -> tuple[str, ...]:
    """The English sentences of a catalogue or of the template of all, in its order; none of a file that is broken."""
    return tuple(sentence for _, sentence in placed_sentences(text))


def placed_sentences(text: str) -> tuple[tuple[int, str], ...]:
    """The same, each with its line."""
    entries, _ = _entries(text, "en")
    return () if entries is None else tuple((entry.lineno or 1, _texts(entry.id)[0]) for entry in entries.entries)


def _entries(text: str, code: str) -> tuple[_Entries | None, tuple[CatalogueFault, ...]]:
    """What stands in the file, or why that cannot be told."""
    for number, line in enumerate(text.split("\n"), 1):
        if not _LINE.fullmatch(line):
            return None, (CatalogueFault(number, f"{NO_LINE}: {line.strip()[:40]}"),)
        if any(len(count) > 1 or int(count) > PLURALS_MOST for count in _PLURALS.findall(line)):
            return None, (CatalogueFault(number, f"nplurals is over {PLURALS_MOST}; no language counts so"),)
    at = [1]
    entries = _Entries(code)
    try:
        PoFileParser(entries, ignore_obsolete=True, abort_invalid=True).parse(_noted(text, at))
    except _PARSING as fault:
        why = re.sub(r" on \d+$", "", " ".join(str(fault).split()))[:200] or type(fault).__name__
        return None, (CatalogueFault(at[0], f"this is no catalogue: {why}"),)
    return entries, ()


def _noted(text: str, at: list[int]) -> Iterator[str]:
    """The lines; which one was read last stands in `at`."""
    for number, line in enumerate(text.split("\n"), 1):
        at[0] = number
        yield line


def _texts(held: object) -> tuple[str, ...]:
    """A sentence, or those of one and of many."""
    return tuple(map(str, held)) if isinstance(held, list | tuple) else (str(held),)


def _misfit(entry: Message, texts: tuple[str, ...], forms: tuple[str, ...], lines: dict[str, int]) -> str:
    """Why a translation cannot be used, if so."""
    if entry.context is not None:
        return "this has a msgctxt; sentences here have none, take it out"
    if texts[0] in lines:
        return f'"{_short(texts[0])}" is translated in line {lines[texts[0]]} already; take one of them out'
    if entry.fuzzy or not any(forms):
        return ""
    if not all(forms):
        return f"msgstr[{forms.index('')}] is missing; write what is said of such a number"
    wanted = placeholders(texts[-1])
    needed = wanted - {NUMBER} if len(texts) > 1 else wanted
    for form in forms:
        names = placeholders(form)
        if lost := sorted(needed - names):
            return f'{{{lost[0]}}} is missing in "{_short(form)}"'
        if strange := sorted(names - wanted):
            return f'"{_short(form)}" has {{{strange[0]}}}, which the sentence has not; {_those(wanted)}'
        if len(form) > LONGEST * len(texts[-1]) + 80:
            return f'"{_short(form)}" is over {LONGEST} times as long as the sentence'
    return ""


def _those(wanted: frozenset[str]) -> str:
    names = ", ".join(f"{{{name}}}" for name in sorted(wanted))
    return f"it has {names}" if names else "it has none"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _plural(expression: str, count: int) -> Callable[[int], int]:
    """Which of a language's forms a number takes, by the rule in C that catalogues have. Raises ValueError."""
    rule = gettext.c2py(expression)

    def which(number: int) -> int:
        try:
            return min(max(rule(number), 0), count - 1)
        except ArithmeticError:
            return count - 1

    return which


def _only(_number: int) -> int:
    return 0
