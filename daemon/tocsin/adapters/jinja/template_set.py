"""What one set of templates makes of words: a message for a channel in a language, or which template gives no text.

Decides which template speaks (the reader's language first), and that a drill is marked whatever the template says.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from jinja2 import TemplateNotFound, TemplateSyntaxError

from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.bounds.sentences import sentences_in
from tocsin.adapters.jinja.faults import FAULTS, BrokenTemplateError, faults_of, where_of, words_of
from tocsin.adapters.jinja.sandbox import Codes, Sandbox
from tocsin.adapters.jinja.unguarded import Unguarded, is_light
from tocsin.domain.delivery import Content
from tocsin.domain.people import Channel
from tocsin.ports.renderer import OwnWords, TemplateFault
from tocsin.wording.language.language import Language
from tocsin.wording.language.languages import Languages
from tocsin.wording.message.bundle import BundleWording, shorten_bundle
from tocsin.wording.message.page_words import behind
from tocsin.wording.message.shorten import shorten
from tocsin.wording.message.wording import Wording

PAGES_A_BUDGET = 20
"""Pages of a bundle for which a template gets what other messages get for one."""
DRILL_KIND, DRILL = "drill", "DRILL"
"""What the names of the templates of a drill's marks begin with; and what stands in each mark, whatever they say."""
BUILTIN_MARKS = {
    "email.txt": f"{DRILL}: this is an exercise.",
    "email.html": f'<p style="padding:8px 16px;background:#6b3fa0;color:#ffffff;">{DRILL}: this is an exercise</p>',
}
"""The marks where the templates' do not say it; of all other parts it is the word alone."""

OF_INCIDENTS = ("id", "page_url", "since", "tag", "title")
"""What messages about incidents say that stands in a layout: empty in what the daemon says by itself."""

_BLANKS = re.compile(r"\n(?:[ \t]*\n){2,}")
_BODY = re.compile(r"<body[^<>]*>", re.IGNORECASE)

AnyWording = Wording | BundleWording | OwnWords
Names = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The template that speaks, by its path, and what it makes of the words by their names."""

    name: str
    text: Callable[[Names], str]


class TemplateSet:
    """Templates by their paths, one message at a time; `shipped` are those that come with tocsin. `tell` hears of the
    mark of a drill that gives no text.
    """

    def __init__(
        self,
        texts: Mapping[str, str],
        shipped: Mapping[str, str],
        codes: Codes,
        languages: Languages,
        tell: Callable[[TemplateFault], None],
    ) -> None:
        self._texts = {name: text for name, text in texts.items() if not sources.is_catalogue(name)}
        self._sandbox = Sandbox(self._texts, codes, shipped)
        self._unguarded = Unguarded(shipped)
        self._shipped_ones: dict[tuple[str, str], str] = {}
        self._languages = languages
        self._tell = tell

    def content(self, words: AnyWording, via: Channel, language: Language, warning: str = "") -> Content:
        """The message; of a short one a warning is the end, for which it leaves room. Raises BrokenTemplateError."""
        marks = {part: self._mark(part, language) for part in _parts(via)} if words.drill else {}
        if via.traits.short:
            return Content(self._short(words, via, language, marks, warning), language=language.code)
        names = _names(words)
        light = is_light(names)
        subject, text, html = (
            self._rendered(self._template(words, part, language, light=light), words, names) for part in _parts(via)
        )
        subject, text, html = " ".join(subject.split()), text.strip("\n") + "\n", html.strip() + "\n"
        if not marks:
            return Content(text, subject, html, language.code)
        start = body.end() if (body := _BODY.search(html)) else 0
        html = f"{html[:start]}{marks['email.html']}{html[start:]}"
        return Content(f"{marks['email.txt']}\n\n{text}", f"{marks['subject.txt']} {subject}", html, language.code)

    def broken(
        self, words: AnyWording, via: Channel, language: Language, begins: Callable[[str], None]
    ) -> Iterator[BrokenTemplateError]:
        """Every template of a message that gives no text. `begins` hears which one is rendered."""
        for part in _parts(via):
            for kind in (words.kind, *([DRILL_KIND] if words.drill else [])):
                name = f"{kind}.{part}.j2"
                begins(
                    next(path for path in self._languages.paths(language, name) if path in self._texts or path == name)
                )
                try:
                    if kind == DRILL_KIND:
                        self._drill(part, language)
                    elif via.traits.short:
                        self._short(words, via, language, {})
                    else:
                        names = _names(words)
                        template = self._template(words, part, language, light=is_light(names))
                        self._rendered(template, words, names)
                except BrokenTemplateError as broken:
                    if isinstance(broken.__cause__, MemoryError):  # there is no sense in trying the other samples
                        raise broken.__cause__ from None
                    yield broken

    def warm(self, name: str, text: str) -> None:
        """Compile a shipped template, for the sandbox too: those of the user may take from it."""
        self._unguarded.has(name, self._texts)
        self.unusable(name, text)

    def unusable(self, name: str, text: str) -> list[TemplateFault]:
        """What keeps a template or a catalogue from being used at all."""
        return faults_of(self._sandbox, name, text)

    def sentences(self, names: Iterable[str]) -> Iterator[str]:
        """What these templates say in the reader's language."""
        for name in names:
            if name in self._texts:
                yield from sentences_in(self._sandbox.parse(self._texts[name], name, name))

    def _short(
        self, words: AnyWording, via: Channel, language: Language, marks: Mapping[str, str], warning: str = ""
    ) -> str:
        """A text that fits its segments."""
        (part,) = _parts(via)
        template = self._template(words, part, language, light=is_light(_names(words)))

        def render(shorter: Any) -> str:
            text = self._rendered(template, shorter, _names(shorter))
            text = f"{marks[part]} {text}" if part in marks and shorter.drill else text
            return behind(text, warning) if warning else text

        if isinstance(words, Wording):
            text = shorten(words, render)
        elif isinstance(words, BundleWording):
            text = shorten_bundle(words, render)
        else:
            text = words.fitted(render)
        if text is None:
            raise BrokenTemplateError(template.name, 1, "the text does not fit, however short its words; say less")
        return text

    def _mark(self, part: str, language: Language) -> str:
        """What stands before a part of a drill's message. It has the word in it, whatever the template says."""
        builtin = BUILTIN_MARKS.get(part, DRILL)
        try:
            mark = self._drill(part, language)
        except BrokenTemplateError as broken:
            self._tell(broken.fault)
            return builtin
        return mark if DRILL in mark else f"{builtin} {mark}"

    def _drill(self, part: str, language: Language) -> str:
        """The mark as the template has it."""
        template = self._choose(f"{DRILL_KIND}.{part}.j2", language, 1, light=True)
        return " ".join(self._rendered(template, None, {}).split())

    def _template(self, words: AnyWording, part: str, language: Language, *, light: bool) -> _Chosen:
        return self._choose(f"{words.kind}.{part}.j2", language, _times(words), light=light)

    def _choose(self, name: str, language: Language, times: int, *, light: bool) -> _Chosen:
        """The reader's language first, then those that it falls back to, then the default. `light` are words for which
        the shipped templates need no budget.
        """
        try:
            if light and (shipped := self._shipped_one(name, language)):
                return _Chosen(shipped, lambda words: self._unguarded.text(shipped, words, language))
            paths = self._languages.paths(language, name)
            template = self._sandbox.choose(*paths, times=times, language=language)
            return _Chosen(template.name or "", lambda words: self._sandbox.text(template, words, times))
        except TemplateSyntaxError as fault:
            raise BrokenTemplateError(fault.name or name, fault.lineno, words_of(fault)) from fault
        except TemplateNotFound as fault:
            raise BrokenTemplateError(name, 1, "there is no such template") from fault

    def _shipped_one(self, name: str, language: Language) -> str:
        """The template that speaks in a language, by its path, if it is the shipped one with all that it takes from
        others; else nothing.
        """
        known = self._shipped_ones.get((name, language.code))
        if known is None:
            first = next((path for path in self._languages.paths(language, name) if path in self._texts), name)
            known = first if self._unguarded.has(first, self._texts) else ""
            self._shipped_ones[name, language.code] = known
        return known

    def _rendered(self, template: _Chosen, words: AnyWording | None, names: Names) -> str:
        """What a template makes of the words, if it takes any. An empty text is a broken template's."""
        try:
            text = template.text(names)
        except FAULTS as fault:
            known = getattr(type(words), "__slots__", ())
            raise BrokenTemplateError(*where_of(fault, template.name), words_of(fault, known)) from fault
        if not text.strip():
            raise BrokenTemplateError(template.name, 1, "the text is empty")
        return _BLANKS.sub("\n\n", text)


def _parts(via: Channel) -> tuple[str, ...]:
    """The templates of a message on a channel, by what follows its kind in their names."""
    return (f"{via}.txt",) if via.traits.short else ("subject.txt", f"{via}.txt", f"{via}.html")


def _times(words: AnyWording | None) -> int:
    """How many times a message may cost what others may."""
    return 1 + len(words.pages) // PAGES_A_BUDGET if isinstance(words, BundleWording) else 1


def _names(words: AnyWording) -> dict[str, Any]:
    """The words as the names templates know them by. The pages of a bundle are mappings: a sandbox asks much before it
    reads a field of anything else.
    """
    names: dict[str, Any] = dict.fromkeys(OF_INCIDENTS, "")
    fields = getattr(type(words), "__slots__", ())
    names.update(zip(fields, map(getattr, repeat(words), fields), strict=True))
    return {**names, "pages": [_names(page) for page in words.pages]} if isinstance(words, BundleWording) else names
