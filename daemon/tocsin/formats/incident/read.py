"""Reads an incident file: bytes in, an incident and problems out. Never raises.

Decides what a file says as a whole: what counts when severity, status or title is missing or wrong, and when a file is
no YAML at all (rules 31, 32, 41). Must not know files, folders or how long a content has stood.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from tocsin.domain.incident import Incident
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.incident.alerts import alerts_digest
from tocsin.formats.incident.fields import FIELDS, read_fields, warn_of_unknown_keys
from tocsin.formats.incident.file_name import incident_id, stem
from tocsin.formats.incident.values import TITLE_LIMIT, IncidentReader, says_nothing
from tocsin.text.cleaning import clean, cut, one_line
from tocsin.text.yaml import Document, Value, read_yaml

FIRST_LINES = 5
"""How many lines of a file that is not YAML are shown to whoever is paged for it."""
LINE_LIMIT = 200
"""How long each of them may be, in characters."""


@dataclass(frozen=True, slots=True)
class IncidentReading:
    """What a file says. `incident` is None when it is no incident file in any sense; `first_lines` then shows it.

    `complete`: nothing was dropped and the severity was read. `severity_read` is about the severity alone: a new
    incident may count as soon as that is known (rule 31).
    """

    incident: Incident | None
    problems: tuple[Problem, ...]
    complete: bool
    severity_read: bool = False
    first_lines: str = ""


def read_incident(
    data: bytes, name: str, policy: Policy, previous: Incident | None, file: str, now: datetime | None = None
) -> IncidentReading:
    """Read the file called `name`; `file` is how problems call it. Never raises. `now` lets it tell of a beginning that
    is still to come.

    `previous` is the newest good version: it keeps its id, and while it is open also its severity, status and title
    where this version lacks them (rule 31).
    """
    document = read_yaml(data, file)
    value = document.value
    if not isinstance(value, dict) or (document.broken and not (value.get("title") or value.get("severity"))):
        problems = document.problems or [document.problem((), "not-yaml", _shape(document))]
        return IncidentReading(None, tuple(problems), complete=False, first_lines=first_lines(document.text))
    reader = IncidentReader(document, policy)
    warn_of_unknown_keys(reader, (), value, FIELDS)
    opened = previous if previous and not previous.resolved and not previous.unreadable else None
    _tell_of_missing(reader, value, opened)
    values = read_fields(reader, (), value, FIELDS)
    if now and values["started_at"] and values["started_at"] > now:
        words = "started_at is still to come, so the declaration counts; write when it really began"
        reader.tell(("started_at",), "started-in-future", words, warn=True)
    severity_read = values["severity"] is not None
    instead = opened or Incident("", _title_from(name), policy.unreadable_severity)
    lacking = tuple(key for key in ("title", "severity") if not values[key])
    never_read = tuple(key for key in lacking if opened is None or key in opened.never_read)
    values |= {key: values[key] or getattr(instead, key) for key in ("title", "severity", "status")}
    id_ = previous.id if previous else incident_id(name)
    incident = Incident(id=id_, never_read=never_read, alerts=alerts_digest(data), odd_name=_odd(name, id_), **values)
    problems = sorted((*document.problems, *reader.problems), key=lambda problem: (problem.line, problem.column))
    dropped = any(problem.level is ProblemLevel.ERROR for problem in problems)
    return IncidentReading(incident, tuple(problems), complete=not dropped, severity_read=severity_read)


def digest(data: bytes) -> str:
    """What tells one content of a file from another."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def unreadable_incident(name: str, lines: str, policy: Policy, known_as: str = "") -> Incident:
    """The incident that a file which is not YAML stands for: its first lines, at `unreadable_severity` (rule 32)."""
    id_ = known_as or incident_id(name)
    return Incident(
        id=id_,
        title=_title_from(name),
        severity=policy.unreadable_severity,
        summary=lines,
        unreadable=True,
        odd_name=_odd(name, id_),
    )


def _odd(name: str, id_: str) -> str:
    return "" if name == f"{id_}.yaml" else name


def first_lines(text: str) -> str:
    """The first lines that say anything, cleaned and bounded."""
    cleaned = (clean(line) for line in text[: FIRST_LINES * LINE_LIMIT * 8].splitlines())
    return "\n".join(cut(line, LINE_LIMIT) for line in [line for line in cleaned if line][:FIRST_LINES])


def _tell_of_missing(reader: IncidentReader, mapping: dict[str, Value], opened: Incident | None) -> None:
    """Tell of a severity and a title that are not written, or empty; `opened` is the version whose values go on."""
    if says_nothing(mapping.get("severity")):
        instead = f"{opened.severity} goes on" if opened else f"it counts as {reader.policy.unreadable_severity}"
        example = next(iter(reader.policy.severities), "sev1")
        reader.tell((), "severity-missing", f"severity is missing; {instead}: write severity: {example}")
    if says_nothing(mapping.get("title")):
        reader.tell((), "title-missing", "title is missing; write one line that says what is broken", warn=True)


def _title_from(name: str) -> str:
    """The title of a file that gives none: its stem."""
    return cut(one_line(clean(stem(name))), TITLE_LIMIT) or incident_id(name)


def _shape(document: Document) -> str:
    """Why a file that is YAML is still no incident."""
    if document.value is None:
        return "the file is empty; write at least title: and severity:"
    shape = "a list" if isinstance(document.value, list) else "plain text"
    return f"the file is {shape}; write keys and values: title: … and severity: …"
