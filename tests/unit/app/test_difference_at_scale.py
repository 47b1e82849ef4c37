"""tocsin diff in a company of many teams: what moves many people alike is summed up by level, and truly."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.app.configuration.revisions import open_config
from tocsin.app.diff.attribution import Attribution
from tocsin.app.diff.difference import Difference, differ
from tocsin.app.diff.scenarios import ScenarioMoment, fixed, moments
from tocsin.cli.diff import difference_document
from tocsin.cli.output.diff.lines import markdown, text

from tests.builders.big_config import write_big_config
from tests.fakes.bounded_work import SameProcess
from tests.unit.app.test_difference import Repository

AT = datetime(2026, 11, 23, 8, 24, tzinfo=UTC)
ZONE = "Europe/Berlin"


class Company:
    """A committed config of that size, and what an edit of it moves in incidents of one severity."""

    def __init__(self, folder: Path, people: int, services: int) -> None:
        write_big_config(folder / "config", people, services)
        self.repository = Repository(folder, "config")
        self.repository.commit()
        self.moments: tuple[ScenarioMoment, ...] = moments(AT, ZONE)

    def edited(self, name: str, old: str, new: str, severity: str = "sev1") -> Difference:
        self.repository.edit(name, old, new)
        folder = self.repository.config
        before, after = (open_config(SameProcess(), folder, revision, AT, os.environ) for revision in ("HEAD", None))
        assert not isinstance(before, str)
        assert not isinstance(after, str)
        scenarios = [
            scenario for scenario in fixed([before.policy, after.policy], self.moments) if scenario.severity == severity
        ]
        return differ(before, after, scenarios, Attribution(before, after, folder, AT, os.environ), lambda _: None)

    def shown(self, difference: Difference) -> list[str]:
        return list(text(difference, self.moments, ZONE))


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    """Three teams of eight people, who look after three services."""
    monkeypatch.chdir(tmp_path)
    return Company(tmp_path, 24, 3)


def holds_by_level(company: Company) -> None:
    """A longer wait moves every level of everybody: one line a level, with how many people; nobody is named, and the
    answer fits a screen. JSON agrees, and tells each person as ever.
    """
    difference = company.edited("severities.yaml", "acknowledge_within: 5m", "acknowledge_within: 7m")
    lines = company.shown(difference)
    changes = difference_document(difference)["changes"]
    moved = {change["to"] for change in changes if (change["before"], change["after"]) == (300, 420)}
    responds = {effect.change.to for effect in difference.effects if effect.change.about == ("responder",)}
    second = next(line for line in lines if line.startswith("  everybody's second level in sev1: "))
    count = int(second.rpartition("(")[2].split()[0])
    assert second.startswith("  everybody's second level in sev1: paged later — +5m → +7m (")
    assert len(moved - responds) <= count <= len(moved)
    assert any(line.startswith("  everybody's third level in sev1: paged later — +10m → +14m (") for line in lines)
    assert not any(": p0" in line or "or otherwise" in line for line in lines)
    assert len(lines) <= 12
    assert len(lines[-1]) <= 200
    assert list(changes[0]) == ["situation", "change", "to", "via", "before", "after", "file", "line"]


def test_a_longer_wait_is_told_by_level(company: Company) -> None:
    """In three teams."""
    holds_by_level(company)


@pytest.mark.attack
def test_a_longer_wait_of_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 200 people and 60 services."""
    monkeypatch.chdir(tmp_path)
    holds_by_level(Company(tmp_path, 200, 60))


def test_a_level_of_one_role_is_not_everybodys(company: Company) -> None:
    """A change of one role's chain names that role at most: what others are paged for is none of it."""
    difference = company.edited("roles.yaml", "chain: [team01.on_call, team01.next, ", "chain: [p020, ")
    shown = company.shown(difference)
    assert any("p020" in line or "technical_lead" in line for line in shown)
    assert not any("everybody's" in line for line in shown)
    assert not any("everybody's" in line for line in markdown(difference, company.moments, ZONE))


def test_a_channel_that_goes(company: Company) -> None:
    """A channel taken from a severity is told by level and with the channel."""
    shown = company.shown(company.edited("severities.yaml", "via: [sms, email]", "via: [email]"))
    assert any(
        line.startswith("  everybody's first level in sev1: no longer paged by sms — was +0s (") for line in shown
    )


def test_times_that_differ_by_moment_say_when(company: Company) -> None:
    """Several times stand with their moments, not as this or that or otherwise: of a level each on a line, of one
    reader beside each other.
    """
    edit = "acknowledge_within: 4h, hours: office", "acknowledge_within: 3h, hours: office"
    shown = company.shown(company.edited("severities.yaml", *edit, "sev3"))
    start = shown.index("  everybody's second level in sev3: paged earlier")
    assert shown[start + 1 : start + 4] == [
        "    at noon: +4h → +3h (3 people)",
        "    at night: +10h → +9h (3 people)",
        "    on a weekend: +1d23h → +1d22h (3 people)",
    ]
    company.repository.commit()
    chain = "chain: [team01.on_call, ", "chain: [team01.on_call, p020, "
    shown = company.shown(company.edited("roles.yaml", *chain, "sev3"))
    new = "  p020: newly paged — without a service: sev3 +3h at noon, +9h at night, +1d22h on a weekend"
    assert new in shown
