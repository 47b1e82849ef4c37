"""What `tocsin doctor` found, in 80 columns: a block for each thing looked at, failures with their cures beneath."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from tocsin.app.doctor.check import Check, Diagnosis, ProvenAddress
from tocsin.app.doctor.people import PROVE_ANEW, PROVEN_FOR
from tocsin.cli.output.terminal.line import Line, Mark, marked, rows
from tocsin.text.cleaning import shown
from tocsin.text.times import iso_utc, span

WIDTH = 80
"""Characters of a line where there is no terminal."""
WIDEST = 100
"""And on one, however wide it is."""
LABELS = {True: "ok", False: "FAILS", None: "not tried"}
LOOK = "look"
"""The label of what holds, and yet has a cure."""
_MARKS = {LABELS[False]: Mark.ALARM, LOOK: Mark.WARNING}
INDENT = 13
HOW = {"receipt": "a delivery receipt", "answer": "an answer", "accepted": "an accepted mail"}


def lines(diagnosis: Diagnosis, now: datetime, width: int = WIDTH) -> Iterator[str]:
    """Everything, and one line at the end that sums up."""
    for title, checks in diagnosis.groups:
        yield shown(title)
        for reason, same in groupby(checks, key=_reason):
            yield from _check_lines(reason, list(same), len(checks), width)
        yield ""
    if diagnosis.people and not diagnosis.people_known:
        yield "people: when their addresses last proved to work is not known without a ledger"
        yield ""
    elif diagnosis.people:
        yield "people: when their addresses last proved to work"
        yield from _people_lines(diagnosis.people, now, width)
        if any(_unproven(proven, now) for proven in diagnosis.people):
            yield from _wrapped(" " * INDENT + "-> ", PROVE_ANEW, width)
        yield ""
    yield summary(diagnosis)


def summary(diagnosis: Diagnosis) -> str:
    """How it went, in a line."""
    checks = diagnosis.checks
    fails = sum(check.ok is False for check in checks)
    look = sum(check.ok is True and bool(check.cure) for check in checks)
    untried = sum(check.ok is None for check in checks)
    well = sum(check.ok is True and not check.cure for check in checks)
    parts = [f"{well} ok"]
    parts += [f"{count} {word}" for count, word in ((look, "to look at"), (untried, "not tried")) if count]
    verdict = f"{fails} FAIL{'S' * (fails == 1)}" if fails else "nothing fails"
    return f"{verdict}; {', '.join(parts)}"


def document(diagnosis: Diagnosis) -> dict[str, Any]:
    """The same as JSON (P7; `docs/behaviour.md`)."""
    return {
        "ok": diagnosis.ok,
        "checks": [
            {"code": check.code, "target": check.target, "ok": check.ok, "message": check.message, "cure": check.cure}
            for check in diagnosis.checks
        ],
        "people": [
            {
                "person": proven.person,
                "via": proven.via.value,
                "proved": iso_utc(proven.at) if proven.at else None,
                "by": proven.by,
            }
            for proven in diagnosis.people
        ],
    }


def _reason(check: Check) -> tuple[bool, str, str]:
    """What makes checks one line: they were not tried, for the same reason."""
    return (True, check.message, check.cure) if check.ok is None else (False, f"{check.code} {check.target}", "")


def _check_lines(reason: tuple[bool, str, str], checks: Sequence[Check], of: int, width: int) -> Iterator[str]:
    """One check; or several that were not tried for one reason, whose codes are named unless they are all there are."""
    check = checks[0]
    label = LOOK if check.ok and check.cure else LABELS[check.ok]
    message = check.message
    if reason[0]:
        codes = ", ".join(dict.fromkeys(same.code for same in checks))
        message = message.removeprefix("not tried: ")
        message = message if len(checks) == of else f"{codes}: {message}"
    stands_out = marked(label, _MARKS[label]) if label in _MARKS else label
    yield from _wrapped(Line("  ", stands_out, " " * (INDENT - 2 - len(label))), message, width)
    if check.cure:
        yield from _wrapped(" " * INDENT + "-> ", check.cure, width)


def _wrapped(begin: str, text: str, width: int) -> Iterator[str]:
    return rows(Line(begin, shown(text), hang=len(begin)), width)


def _people_lines(people: Sequence[ProvenAddress], now: datetime, wide: int) -> Iterator[str]:
    width = max(len(proven.person) for proven in people)
    for proven in people:
        begin = f"  {shown(proven.person):<{width}}  {proven.via.value:<5}  "
        if proven.at is None:
            yield f"{begin}never"
            continue
        late = " (long ago)" if _unproven(proven, now) else ""
        how = HOW.get(proven.by or "", proven.by)
        yield from _wrapped(begin, f"{proven.at:%Y-%m-%d}, {span(now - proven.at)} ago, by {how}{late}", wide)


def _unproven(proven: ProvenAddress, now: datetime) -> bool:
    return proven.at is None or now - proven.at > PROVEN_FOR
