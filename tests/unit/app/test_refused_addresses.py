"""Addresses that were refused, told at the line where the config has them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tocsin.app.configuration.address_advice.refused_addresses import problems, still_standing
from tocsin.domain.arrival import OptOut
from tocsin.domain.delivery import Accepted, Attempt, Deferred, Proof, ProvedBy, Refused
from tocsin.domain.people import Channel
from tocsin.domain.problem import ProblemLevel

from tests.builders.loading import load
from tests.fakes.pager import CONFIG, SETTINGS

AT = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
OPTED_OUT = Attempt("1", "k", 1, Channel.SMS, "+14155550101", AT, Refused("unsubscribed recipient", "21610"), AT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "all.yaml").write_text(CONFIG)
    (tmp_path / "tocsin.yaml").write_text(SETTINGS)
    return tmp_path


def told(folder: Path, *refused: Attempt) -> list[str]:
    found = load(folder, AT, {})
    warnings = list(problems(found, folder, refused))
    assert all(each.level is ProblemLevel.WARNING for each in warnings)
    return [str(each).replace(f"{folder}/", "") for each in warnings]


def test_at_the_persons_number(folder: Path) -> None:
    """With the day, the reason, the code and what helps."""
    assert told(folder, OPTED_OUT) == [
        "all.yaml:3:57: warning: people.ana.phone: +14155550101 was refused on 2026-11-23: the number is opted out "
        "(21610); a text START from that phone to our sender opts it in again"
    ]


def test_at_an_email_address(folder: Path) -> None:
    """Of a person and of a stakeholder group, with the provider's own words."""
    mail = replace(OPTED_OUT, via=Channel.EMAIL, address="bo@example.com", outcome=Refused("550 no such user", "550"))
    listed = replace(mail, address="support@example.com", outcome=Refused("mailbox gone", "551"))
    assert told(folder, mail, listed) == [
        "all.yaml:4:30: warning: people.bo.email: bo@example.com was refused on 2026-11-23: there is no such mailbox "
        "(550 no such user); correct it in the config",
        "all.yaml:9:38: warning: stakeholders.support.emails.0: support@example.com was refused on 2026-11-23: "
        "there is no such mailbox (551 mailbox gone); correct it in the config",
    ]


def test_an_address_that_was_changed_is_another(folder: Path) -> None:
    """What the config does not hold any more, or holds for the other channel, is nobody's."""
    assert told(folder, replace(OPTED_OUT, address="+14155550199"), replace(OPTED_OUT, via=Channel.EMAIL)) == []


def test_each_address_of_a_group_at_its_own_place(folder: Path) -> None:
    """The second of a list is told at the second."""
    both = CONFIG.replace("emails: [support@example.com]", "emails: [support@example.com, desk@example.com]")
    (folder / "all.yaml").write_text(both)
    mail = replace(OPTED_OUT, via=Channel.EMAIL, address="desk@example.com", outcome=Refused("mailbox gone", "551"))
    (line,) = told(folder, mail)
    assert line.startswith("all.yaml:9:59: warning: stakeholders.support.emails.1: desk@example.com was refused")


def test_what_was_taken_or_put_off_is_not_refused(folder: Path) -> None:
    """Only a refusal for good says that an address does not work."""
    for outcome in (Accepted("1"), Deferred("busy", "451"), None):
        assert told(folder, replace(OPTED_OUT, outcome=outcome)) == []


def test_what_is_overtaken_is_not_told() -> None:
    """Rule 51: a number that said STOP is told as that; one from which an SMS came since works; another one stays."""
    ended_at = OPTED_OUT.ended_at
    assert ended_at
    number, later = (Channel.SMS, OPTED_OUT.address), ended_at + timedelta(minutes=1)
    assert still_standing([OPTED_OUT], (), {}) == (OPTED_OUT,)
    assert still_standing([OPTED_OUT], [OptOut(*number, AT, "SM1")], {}) == ()
    assert still_standing([OPTED_OUT], (), {number: Proof(later, ProvedBy.ANSWER)}) == ()
    assert still_standing([OPTED_OUT], (), {number: Proof(ended_at, ProvedBy.RECEIPT)}) == (OPTED_OUT,)
