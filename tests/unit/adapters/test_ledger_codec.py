"""The ledger's codec: every fact and every outcome comes back as it went in, whatever it says."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tocsin.adapters.ledger.schema.codec import UnknownClassError, read_fact, write_fact
from tocsin.adapters.ledger.schema.outcome_codec import read_outcome, write_outcome
from tocsin.adapters.ledger.schema.rows import content_row
from tocsin.domain.delivery import Accepted, Content, Deferred, Fault, Outcome, Refused, Uncertain
from tocsin.domain.facts import Answer, Answered, ChannelRefused, Closed, Fact, PageLost, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.people import Channel
from tocsin.planning.history.fold import apply_fact

from tests.builders.examples import some

AT = datetime(2026, 11, 23, tzinfo=UTC)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
st.register_type_strategy(datetime, instants)
st.register_type_strategy(timedelta, st.timedeltas(timedelta(0), timedelta(days=2)))


@pytest.mark.parametrize("kind", get_args(Fact), ids=lambda kind: kind.__name__)
def test_facts_come_back(kind: type) -> None:
    """Each class of fact, with any values."""

    @settings(max_examples=some(10), deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
    @given(st.from_type(kind))
    def back(fact: Fact) -> None:
        assert read_fact(kind.__name__, write_fact(fact)) == fact

    back()


@settings(max_examples=some(30), deadline=None, database=None)
@given(st.one_of([st.from_type(kind) for kind in get_args(Outcome)]))
def test_outcomes_come_back(outcome: Outcome) -> None:
    """Each way a try can end, with any values."""
    assert read_outcome(write_outcome(outcome)) == outcome


def test_what_an_older_tocsin_wrote_of_a_refusal_is_read() -> None:
    """Rules 65, 66: its rows name neither the address nor a channel; they mean whatever address, and every channel."""
    at = "2026-11-23T00:00:00Z"
    refused = read_fact("ChannelRefused", f'{{"at":"{at}","reader":"ana","via":"sms"}}')
    assert refused == ChannelRefused(AT, "ana", Channel.SMS)
    lost = read_fact("PageLost", f'{{"at":"{at}","person":"ana","page_at":"{at}"}}')
    assert lost == PageLost(AT, "ana", AT)
    history = apply_fact(History(), refused)
    assert history.refuses("ana", Channel.SMS, "+14155550101")
    assert not history.refuses("ana", Channel.EMAIL, "ana@example.com")


def test_what_says_nothing_takes_no_room() -> None:
    """Fields that were left out are not written; ten thousand short incidents stay small."""
    body = write_fact(Seen(AT, Incident("db", "Database down", "sev1")))
    assert len(body) < 120


def test_half_a_character_stops_nothing() -> None:
    """Text that is no text (half a surrogate pair) does not stop a fact from being kept."""
    read = read_fact("Seen", write_fact(Seen(AT, Incident("db", "a\ud800b", "sev1"))))
    assert isinstance(read, Seen)
    assert read.incident.title == "a?b"
    assert read_outcome(write_outcome(Deferred("\ud800"))) == Deferred("\ud800")
    assert content_row("digest", Content("\ud800", "a\0b")) == {
        "digest": "digest", "text": "?", "subject": "a?b", "html": "", "language": "en",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["Dreamt", "Accepted"])
def test_an_unknown_class_is_named(name: str) -> None:
    """A class that is no fact, or no outcome, of this tocsin is refused by name."""
    with pytest.raises(UnknownClassError, match=f'"{name}" is a word that only a newer tocsin knows'):
        read_fact(name, "{}")
    with pytest.raises(UnknownClassError, match='"Seen"'):
        read_outcome('{"is": "Seen"}')


@pytest.mark.parametrize(
    ("outcome", "body"),
    [
        (Accepted(), '{"is": "Accepted"}'),
        (Accepted("SM1"), '{"is": "Accepted", "provider_id": "SM1"}'),
        (
            Refused("d\u00e9j\u00e0 \u2029", "550"),
            r'{"is": "Refused", "detail": "d\u00e9j\u00e0 \u2029", "code": "550"}',
        ),
        (
            Deferred("busy", "451", Fault.PROVIDER, timedelta(seconds=90)),
            '{"is": "Deferred", "detail": "busy", "code": "451", "fault": "provider", "retry_after": "PT1M30S"}',
        ),
        (Uncertain("a cut line"), '{"is": "Uncertain", "detail": "a cut line"}'),
    ],
)
def test_outcomes_are_written_as_before(outcome: Outcome, body: str) -> None:
    """Ledgers of earlier versions hold outcomes in this form; it is read and written as it is."""
    assert write_outcome(outcome) == body
    assert read_outcome(body) == outcome


@pytest.mark.parametrize(
    ("fact", "body"),
    [
        (Answered(AT, "ana", Answer.OK), '{"at":"2026-11-23T00:00:00Z","person":"ana","answer":"ok"}'),
        (Closed(AT), '{"at":"2026-11-23T00:00:00Z"}'),
        (
            Seen(AT, Incident("db", "Datenbank \u00fcberlastet", "sev1"), "d1"),
            '{"at":"2026-11-23T00:00:00Z","incident":{"id":"db","title":"Datenbank \u00fcberlastet","severity":"sev1"},'
            '"digest":"d1"}',
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_facts_are_written_as_before(fact: Fact, body: str) -> None:
    """Ledgers of earlier versions hold facts in this form; it is read and written as it is."""
    assert write_fact(fact) == body
    assert read_fact(type(fact).__name__, body) == fact
