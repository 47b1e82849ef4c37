"""Gaps in words: which are named, how many more there are, and who asks."""

from datetime import UTC, datetime, timedelta

import pytest
from tocsin.formats.config.coverage_advice import CoverageAdvice
from tocsin.formats.config.read import Sources, read_config
from tocsin.planning.on_call.gaps import Gap, GapCause, GapSource, PagedChain, SkippedLevels, UnreachedChain

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
END = AT + timedelta(days=30)
CONFIG = b"""\
people: {ana: {email: ana@example.com}, bo: {email: bo@example.com}}
rotations:
  duty:
    shifts: [{members: [ana, bo], handoff: 0 9 * * mon, timezone: Europe/Berlin, starts: 2026-01-05,
              during: mon-fri 09:00-17:00}]
roles: {lead: {chain: [duty.on_call, bo]}}
"""
SOURCE = GapSource("duty", GapCause.DURING)
WHO = (PagedChain("sev1", "lead"),)


def gap(day: float, hours: float = 1) -> Gap:
    start = AT + timedelta(days=day)
    return Gap(start, start + timedelta(hours=hours))


def said(gaps: tuple[Gap, ...], chains: tuple[PagedChain, ...] = WHO) -> str:
    found = read_config(Sources({"a.yaml": CONFIG}, "config"), AT, lambda _: None)
    assert found.policy is not None
    advice = CoverageAdvice(found.declared, found.policy, AT, END)
    unreached = [UnreachedChain((), (SOURCE,), gaps, chains)]
    (warning,) = advice.problems(unreached, [SkippedLevels(SOURCE, gaps, chains)])
    assert (warning.code, warning.line, warning.column) == ("chain-gap", 5, 23)
    return warning.message


@pytest.mark.parametrize(
    ("gaps", "words"),
    [
        ((gap(1),), "is reached Tue 24 Nov 11:00 – 12:00 Europe/Berlin; duty"),
        ((gap(0),), "is reached from now until Mon 23 Nov 12:00 Europe/Berlin; duty"),
        ((gap(1, 24),), "is reached Tue 24 Nov 11:00 – Wed 25 Nov 11:00 Europe/Berlin; duty"),
        ((gap(1), gap(3)), "11:00 – 12:00 Europe/Berlin, and 1 more time until Thu 26 Nov; duty"),
        ((gap(1), gap(3), gap(4)), "11:00 – 12:00 Europe/Berlin, and 2 more times until Fri 27 Nov; duty"),
        ((gap(1, 2), gap(3, 3)), "Tue 24 Nov 11:00 – 13:00 Europe/Berlin, and 1 more time until Thu 26 Nov; duty"),
        ((gap(1, 2), gap(3, 4)), "Tue 24 Nov 11:00 – 13:00, Thu 26 Nov 11:00 – 15:00 Europe/Berlin; duty"),
        ((Gap(AT + timedelta(days=1), END),), "is reached from Tue 24 Nov 11:00 Europe/Berlin on; duty"),
        ((Gap(AT, END),), "is reached in all of the next 30 days; duty"),
    ],
)
def test_gaps_in_the_rotation_s_own_zone(gaps: tuple[Gap, ...], words: str) -> None:
    """The first, the longest where it is more than half as long again, and how many more there are."""
    assert words in said(gaps)


@pytest.mark.parametrize(
    ("services", "words"),
    [
        ([""], "lead in sev1:"),
        (["a", ""], "lead and lead of a in sev1:"),
        (["", "a", "b"], "lead, lead of a and lead of b in sev1:"),
        (["", "a", "b", "c"], "lead, lead of a and 2 more in sev1:"),
    ],
)
def test_who_asks(services: list[str], words: str) -> None:
    """A role's own chain before those of services; of more than three the others are counted."""
    message = said((gap(1),), tuple(PagedChain("sev1", "lead", service) for service in services))
    assert message.startswith(words)
