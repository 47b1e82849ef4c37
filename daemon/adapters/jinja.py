"""Templates: the words of a message, by Jinja2. A user's folder overrides the shipped templates file by file.

Decides which template speaks and when the built-in text does instead: a broken template never delays a page (P2).
Incident text is data, never template. Must not know who gets a message, nor when.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, StrictUndefined, Template, TemplateError, TemplateSyntaxError, select_autoescape
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from daemon.documents import plain
from daemon.documents.fitting import shortened
from daemon.documents.sms import cut, fold, segments
from daemon.documents.wording import Wording, language_of, wording, zone_of
from daemon.domain.delivery import Content
from daemon.domain.history import History
from daemon.domain.incident import Incident
from daemon.domain.notification import Kind, Notification
from daemon.domain.people import Channel
from daemon.domain.policy import Policy
from daemon.domain.problem import Problem, ProblemLevel

SOURCE_LIMIT = 64 * 1024
"""The longest template, in bytes; longer ones are refused."""
FILES_LIMIT = 500
OUTPUT_LIMIT = 256 * 1024
"""The longest text a template may make, in characters."""
STEPS_LIMIT = 10_000
"""How far all `range`s of one rendering may count together, and how long a repeated text may become."""
KEPT = 64
"""How many renderings are kept for readers who get the same words."""

BLANKS = re.compile(r"\n(?:[ \t]*\n){2,}")
SHARED = frozenset({Kind.UPDATE, Kind.CLOSING})
FAULTS = (TemplateError, TypeError, ValueError, KeyError, AttributeError, ArithmeticError, RecursionError, MemoryError)
"""What a template of a user may raise while it is rendered."""

Tell = Callable[[Problem], None]


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox whose costs are bounded too."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse operations that make much of little."""
        if operator == "**" or (operator == "%" and isinstance(left, str)):
            raise SecurityError(f"the operator {operator} is not for templates")
        if operator == "*":
            sizes = [len(each) if isinstance(each, str | list | tuple) else each for each in (left, right)]
            if all(isinstance(size, int) for size in sizes) and sizes[0] * sizes[1] > STEPS_LIMIT:
                raise SecurityError("a repetition is too long")
        return super().call_binop(context, operator, left, right)


@dataclass(frozen=True, slots=True)
class _Kept:
    """Words rendered before, with what they were made of."""

    incident: Incident
    history: History
    policy: Policy
    content: Content


class JinjaRenderer:
    """Renders notifications. `tell` hears of templates that broke while rendering, each once until the next load."""

    def __init__(self, shipped: Path, tell: Tell) -> None:
        self._shipped = _sources(shipped)[0]
        self._tell = tell
        self._told: set[str] = set()
        self._kept: dict[tuple[Any, ...], _Kept] = {}
        self._own: dict[str, str] = {}
        self._label = ""
        self._environment = _environment(self._shipped)

    def load(self, folder: Path) -> tuple[Problem, ...]:
        """Take a user's folder, whole or not at all: with a template that cannot be parsed the last good set goes on;
        at the first load the good ones count and the shipped text stands in for the broken. Gives what is wrong.
        """
        found, problems = _sources(folder)
        self._label = str(folder)
        problems += [problem for name, text in found.items() if (problem := self._fault(name, text))]
        broken = {Path(problem.file).relative_to(folder).as_posix() for problem in problems}
        if problems and self._own:
            return tuple(problems)
        self._own = {name: text for name, text in found.items() if name not in broken}
        self._environment = _environment({**self._shipped, **self._own})
        self._kept.clear()
        self._told.clear()
        return tuple(problems)

    def render(self, notification: Notification, incident: Incident, history: History, policy: Policy) -> Content:
        """The words this reader gets; those who get the same words share one Content."""
        key = _key(notification, policy)
        known = self._kept.get(key)
        if known and known.incident is incident and known.history is history and known.policy is policy:
            return known.content
        words = wording(notification, incident, history, policy)
        try:
            content = self._content(words, notification.via, language_of(notification, policy))
        except FAULTS as fault:
            self._say(notification, fault)
            content = plain.content(words, notification.via)
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[key] = _Kept(incident, history, policy, content)
        return content

    def try_out(self, notification: Notification, incident: Incident, history: History, policy: Policy) -> str:
        """Render without the built-in text standing in: what is wrong with the template, or nothing. For `check`."""
        words = wording(notification, incident, history, policy)
        try:
            self._content(words, notification.via, language_of(notification, policy))
        except FAULTS as fault:
            return str(_problem(fault, self._label, self._own, notification))
        return ""

    def _content(self, words: Wording, via: Channel, language: str) -> Content:
        if via is Channel.SMS:
            return Content(self._sms(words, language))
        subject = " ".join(self._text(words.kind, "subject.txt", words, language).split())
        text = self._text(words.kind, "email.txt", words, language)
        html = self._text(words.kind, "email.html", words, language)
        return Content(text.strip("\n") + "\n", subject, html.strip() + "\n")

    def _sms(self, words: Wording, language: str) -> str:
        """A text that fits: the title is cut first, then what was said, never the way to acknowledge (rule 42)."""
        limit = plain.SEGMENTS.get(words.kind, plain.SEGMENTS_ELSE)
        template = self._template(words.kind, "sms.txt", language)
        words = replace(words, title=fold(words.title))

        def said(candidate: Wording) -> str:
            return fold(" ".join(_output(template, candidate).split()))

        fitted = shortened(words, lambda each: segments(said(each)) <= limit)
        if fitted is not None:
            return said(fitted)
        if words.kind == Kind.PAGE:
            return plain.content(words, Channel.SMS).text
        return cut(said(words), limit)

    def _text(self, kind: str, part: str, words: Wording, language: str) -> str:
        return _output(self._template(kind, part, language), words)

    def _template(self, kind: str, part: str, language: str) -> Template:
        """The reader's language first, then the default."""
        return self._environment.select_template([f"{language}/{kind}.{part}.j2", f"{kind}.{part}.j2"])

    def _fault(self, name: str, text: str) -> Problem | None:
        """What keeps a template from being parsed."""
        try:
            self._environment.parse(text, name)
        except TemplateSyntaxError as fault:
            words = f"{fault.message}; the last good text is used until this is mended"
            return Problem(f"{self._label}/{name}", fault.lineno, 1, ProblemLevel.ERROR, "template-syntax", words)
        return None

    def _say(self, notification: Notification, fault: BaseException) -> None:
        problem = _problem(fault, self._label, self._own, notification)
        if str(problem) not in self._told:
            self._told.add(str(problem))
            self._tell(problem)


def shipped_folder() -> Path:
    """Where the shipped templates are: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "shipped" / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def _environment(sources: Mapping[str, str]) -> _Environment:
    environment = _Environment(
        loader=DictLoader(dict(sources)),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("html.j2", "html"), default=False),
        trim_blocks=False,
        keep_trailing_newline=False,
    )
    environment.globals = {"range": _range}
    return environment


def _range(*bounds: int) -> range:
    counted = range(*bounds)
    if len(counted) > STEPS_LIMIT // 100:
        raise SecurityError("a range is too long for a template")
    return counted


def _output(template: Template, words: Wording) -> str:
    """What a template makes, up to the limit. An empty text is a broken template's."""
    parts: list[str] = []
    length = 0
    for part in template.generate(_names(words)):
        length += len(part)
        if length > OUTPUT_LIMIT:
            raise SecurityError("the text becomes too long")
        parts.append(part)
    text = BLANKS.sub("\n\n", "".join(parts))
    if not text.strip():
        raise SecurityError("the text is empty")
    return text


def _names(words: Wording) -> dict[str, Any]:
    """The words as the names templates know them by."""
    return {name: getattr(words, name) for name in Wording.__slots__}


def _key(each: Notification, policy: Policy) -> tuple[Any, ...]:
    """What the words of a message depend on, beside incident, history and policy."""
    who = "" if each.kind in SHARED else each.to
    about = (each.kind, each.reason, each.via, each.at, each.group, each.external, each.next_update_at)
    return (
        *about,
        each.incident,
        each.roles,
        each.level,
        each.round,
        who,
        zone_of(each, policy),
        language_of(each, policy),
    )


def _problem(fault: BaseException, label: str, own: Mapping[str, str], each: Notification) -> Problem:
    """A fault of rendering as a problem, at the template's line where that is known."""
    name, line = f"{each.kind.value}.{'sms' if each.via is Channel.SMS else 'email'}.txt.j2", 1
    traceback = fault.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file.endswith(".j2"):
            name, line = file, traceback.tb_lineno
        traceback = traceback.tb_next
    if isinstance(fault, TemplateSyntaxError):
        name, line = fault.name or name, fault.lineno
    place = f"{label}/{name}" if name in own else f"templates/{name}"
    words = f"{' '.join(str(fault).split())[:200]}; the built-in text was sent instead"
    return Problem(place, line, 1, ProblemLevel.ERROR, "template-broken", words)


def _sources(folder: Path) -> tuple[dict[str, str], list[Problem]]:
    """The templates of a folder, by their path in it, and what cannot be read."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    files = sorted(folder.rglob("*.j2"))[:FILES_LIMIT] if folder.is_dir() else []
    for path in files:
        fault = ""
        try:
            data = path.read_bytes() if path.is_file() else b""
            found[path.relative_to(folder).as_posix()] = data.decode()
            if len(data) > SOURCE_LIMIT:
                fault = f"the template is over {SOURCE_LIMIT // 1024} KiB; shorten it"
        except (OSError, ValueError) as trouble:
            fault = f"the template cannot be read: {trouble}"
        if fault:
            problems.append(Problem(str(path), 1, 1, ProblemLevel.ERROR, "template-unreadable", fault))
    return found, problems
