"""What is wrong with a template or a catalogue: what keeps it from being used, where it broke, and that in words."""

import re
from collections.abc import Iterable
from pathlib import Path

from jinja2 import TemplateError, TemplatesNotFound, TemplateSyntaxError, UndefinedError

from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.sandbox import Sandbox
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.ports.renderer import TemplateFault
from tocsin.text.scalars import closest
from tocsin.wording.language.catalogue import read_catalogue

MISPLACED = "a catalogue stands in the folder of its language, such as de/messages.po; put it there"
FAULTS = (
    TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RuntimeError, MemoryError,
    SyntaxError, NameError, AssertionError, StopIteration, OSError,
)  # fmt: skip
"""What a template may raise while it is compiled or rendered."""

_UNDEFINED = re.compile(r"'(\w+)' is undefined")


class BrokenTemplateError(Exception):
    """A template that gives no text, and where and why."""

    def __init__(self, name: str, line: int, why: str) -> None:
        super().__init__(why)
        self.name = name
        self.line = line
        self.why = why

    @property
    def fault(self) -> TemplateFault:
        """As what it is told."""
        return TemplateFault(self.name, self.line, self.why)


def faults_of(sandbox: Sandbox, name: str, text: str) -> list[TemplateFault]:
    """What keeps a template or a catalogue from being used, each with its line."""
    if sources.is_catalogue(name):
        code, _, inside = name.partition("/")
        if "/" in inside or not inside:
            return [TemplateFault(name, 1, MISPLACED)]
        return [TemplateFault(name, fault.line, fault.why) for fault in read_catalogue(text, code)[1]]
    try:
        sandbox.compile(text, name, name)
    except TemplateSyntaxError as fault:
        return [TemplateFault(name, fault.lineno, words_of(fault))]
    except FAULTS as fault:
        return [TemplateFault(name, 1, words_of(fault))]
    return []


def where_of(fault: BaseException, name: str) -> tuple[str, int]:
    """The template and the line in which it broke, as Jinja wrote them into the traceback."""
    line = 1
    if isinstance(fault, TemplateSyntaxError):
        return fault.name or name, fault.lineno
    traceback = fault.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file.endswith(".j2"):
            name, line = file, traceback.tb_lineno
        traceback = traceback.tb_next
    return name, line


def words_of(fault: BaseException, known: Iterable[str] = ()) -> str:
    """What is said of a fault, on one line. `known` are the names that the template could have used."""
    if isinstance(fault, TemplatesNotFound):
        return "none of the templates named there is there"
    if isinstance(fault, UndefinedError) and (unknown := _UNDEFINED.fullmatch(str(fault)[:1000])):
        near = closest(unknown[1], known).removeprefix("; ")
        return f"{unknown[0]} ({near})" if near else unknown[0]
    return " ".join(str(fault)[:1000].split())[:200].rstrip(".") or type(fault).__name__


def broken_template(path: Path, line: int, why: str) -> Problem:
    """What is told of a fault."""
    return Problem(str(path), line, 1, ProblemLevel.ERROR, "template-broken", why)
