"""`check` warns of people whose addresses have not proved to work for 90 days."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tocsin.app.doctor.people import PROVE_ANEW, Proofs, problems
from tocsin.domain.delivery import Proof, ProvedBy
from tocsin.domain.people import Channel
from tocsin.domain.problem import ProblemLevel

from tests.builders.loading import load
from tests.fakes.pager import CONFIG, SETTINGS

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SENDING = SETTINGS.replace("email: {", "email: {transport: smtp, host: mail.acme.dev, ").replace(
    "sms: {", "sms: {transport: twilio, account_sid: AC1, "
)
FRESH = Proof(NOW - timedelta(days=89), ProvedBy.ANSWER)
STALE = Proof(NOW - timedelta(days=91), ProvedBy.ACCEPTED)
MAIL, PHONE = (Channel.EMAIL, "ana@example.com"), (Channel.SMS, "+14155550101")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "all.yaml").write_text(CONFIG)
    (tmp_path / "tocsin.yaml").write_text(SENDING)
    return tmp_path


def told(folder: Path, proofs: Proofs, *known: tuple[Channel, str]) -> dict[str, str]:
    """What is said of each person, without what helps."""
    warnings = list(problems(load(folder, NOW, {}), folder, proofs, known, NOW))
    assert all(warning.level is ProblemLevel.WARNING for warning in warnings)
    assert all(warning.code == "unproven-address" and warning.message.endswith(PROVE_ANEW) for warning in warnings)
    said = [str(warning).replace(f"{folder}/", "").split("; ")[0].split("people.")[1] for warning in warnings]
    return dict(line.split(": ", 1) for line in said)


def test_one_line_a_person(folder: Path) -> None:
    """With every address that never proved to work, or not for 90 days."""
    said = told(folder, {MAIL: STALE, PHONE: FRESH})
    assert said["ana"] == "ana@example.com has not proved to work since 2026-08-24"
    assert said["bo"] == ("+14155550102 has not proved to work yet, bo@example.com has not proved to work yet")
    assert "ana" not in told(folder, {MAIL: FRESH, PHONE: FRESH})


def test_at_the_persons_place(folder: Path) -> None:
    """The line where the person begins."""
    warning = next(problems(load(folder, NOW, {}), folder, {}, (), NOW))
    assert str(warning).startswith(f"{folder}/all.yaml:3:3: warning: people.ana: ")


def test_what_is_known_to_be_refused_is_not_told_twice(folder: Path) -> None:
    """A refused address has a warning of its own."""
    assert "ana" not in told(folder, {PHONE: FRESH}, MAIL)


def test_where_nothing_leaves_nothing_is_told(folder: Path) -> None:
    """A channel that goes to the outbox proves nothing."""
    (folder / "tocsin.yaml").write_text(SETTINGS)
    assert told(folder, {}) == {}
