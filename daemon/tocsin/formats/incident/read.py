"""Incident files: bytes in, an incident out. Reading never fails (product.md section 4).

Decides what a file says as a whole: what counts when severity, status or title is missing or wrong, and when a file is
no YAML at all (timeline.md rules 31, 32, 41). Must not know files, folders or how long a content has stood.
"""

import hashlib
from dataclasses import dataclass

from tocsin.domain.incident import Incident, Status
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.incident.fields import FIELDS, Fields
from tocsin.formats.incident.file_name import incident_id, stem
from tocsin.formats.incident.values import NAME_LIMIT, TITLE_LIMIT
from tocsin.text import yaml
from tocsin.text.cleaning import clean, cut, one_line

FIRST_LINES = 5
"""How many lines of a file that is not YAML are shown to whoever is paged for it."""
LINE_LIMIT = 200
"""How long each of them may be, in characters."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says. `incident` is None when it is no incident file in any sense; `first_lines` then shows it.

    `complete`: nothing was dropped and the severity was read. `severity_read` is about the severity alone: a new
    incident may count as soon as that is known (rule 31).
    """

    incident: Incident | None
    problems: tuple[Problem, ...]
    complete: bool
    severity_read: bool = False
    first_lines: str = ""


def read(data: bytes, name: str, policy: Policy, previous: Incident | None, file: str) -> Reading:
    """Read the file called `name`; `file` is how problems call it. Never raises.

    `previous` is the newest good version: it keeps its id, and while it is open also its severity, status and title
    where this version lacks them (rule 31).
    """
    document = yaml.read(data, file)
    value = document.value
    if not isinstance(value, dict) or (document.broken and not (value.get("title") or value.get("severity"))):
        problems = document.problems or [document.problem((), "not-yaml", _shape(document))]
        return Reading(None, tuple(problems), complete=False, first_lines=first_lines(document.text))
    fields = Fields(document, policy)
    fields.known_keys((), value, FIELDS)
    incident, severity_read = _incident(fields, value, name, previous)
    problems = sorted((*document.problems, *fields.problems), key=lambda problem: (problem.line, problem.column))
    dropped = any(problem.level is ProblemLevel.ERROR for problem in problems)
    return Reading(incident, tuple(problems), complete=severity_read and not dropped, severity_read=severity_read)


def digest(data: bytes) -> str:
    """What tells one content of a file from another."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def unreadable(name: str, lines: str, policy: Policy, known_as: str = "") -> Incident:
    """The incident that a file which is not YAML stands for: its first lines, at `unreadable_severity` (rule 32)."""
    return Incident(
        id=known_as or incident_id(name),
        title=_title_from(name),
        severity=policy.unreadable_severity,
        summary=lines,
        unreadable=True,
    )


def first_lines(text: str) -> str:
    """The first lines that say anything, cleaned and bounded."""
    said = (clean(line) for line in text[: FIRST_LINES * LINE_LIMIT * 8].splitlines())
    return "\n".join(cut(line, LINE_LIMIT) for line in [line for line in said if line][:FIRST_LINES])


def _incident(
    fields: Fields, value: dict[str, yaml.Value], name: str, previous: Incident | None
) -> tuple[Incident, bool]:
    """The incident, and whether its severity was read from the file."""
    opened = previous if previous and not previous.resolved and not previous.unreadable else None
    severity = fields.severity(value.get("severity"))
    if severity is None and value.get("severity") is None:
        instead = f"{opened.severity} goes on" if opened else f"it counts as {fields.policy.unreadable_severity}"
        fields.tell((), "severity-missing", f"severity is missing; {instead}: write severity: {_example(fields)}")
    title = fields.text(("title",), value.get("title"), TITLE_LIMIT, lines=False)
    if not title and value.get("title") is None:
        fields.tell((), "title-missing", "title is missing; write one line that says what is broken", warn=True)
    get = value.get
    incident = Incident(
        id=previous.id if previous else incident_id(name),
        title=title or (opened.title if opened else _title_from(name)),
        severity=severity or (opened.severity if opened else fields.policy.unreadable_severity),
        status=fields.status(get("status")) or (opened.status if opened else Status.INVESTIGATING),
        summary=fields.text(("summary",), get("summary")),
        impact=fields.text(("impact",), get("impact")),
        services=fields.services(get("services")),
        roles=fields.roles(get("roles")),
        acknowledged=fields.acknowledged(get("acknowledged")),
        eta=fields.instant(("eta",), get("eta")),
        declared_at=fields.instant(("declared_at",), get("declared_at")),
        declared_by=fields.text(("declared_by",), get("declared_by"), NAME_LIMIT, lines=False),
        updates=fields.updates(get("updates")),
        timeline=fields.timeline(get("timeline")),
        resolution=fields.text(("resolution",), get("resolution")),
        verified_by=fields.text(("verified_by",), get("verified_by"), NAME_LIMIT, lines=False),
        review=fields.review(get("review")),
        drill=fields.truth(("drill",), get("drill")),
    )
    return incident, severity is not None


def _example(fields: Fields) -> str:
    """A severity to show how it is written."""
    return next(iter(fields.policy.severities), "sev1")


def _title_from(name: str) -> str:
    """The title of a file that gives none: its stem."""
    return cut(one_line(clean(stem(name))), TITLE_LIMIT) or incident_id(name)


def _shape(document: yaml.Document) -> str:
    """Why a file that is YAML is still no incident."""
    if document.value is None:
        return "the file is empty; write at least title: and severity:"
    found = "a list" if isinstance(document.value, list) else "plain text"
    return f"the file is {found}; write keys and values: title: … and severity: …"
