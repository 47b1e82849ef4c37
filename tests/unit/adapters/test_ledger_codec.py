"""The ledger's codec: every fact and every outcome comes back as it went in, whatever it says."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tocsin.adapters.ledger.codec import UnknownClassError, read_fact, read_outcome, write_fact, write_outcome
from tocsin.adapters.ledger.rows import content_row
from tocsin.domain.delivery import Content, Deferred, Outcome
from tocsin.domain.facts import Fact, Seen
from tocsin.domain.incident import Incident

instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
st.register_type_strategy(datetime, instants)
st.register_type_strategy(timedelta, st.timedeltas(timedelta(0), timedelta(days=2)))


@pytest.mark.parametrize("kind", get_args(Fact), ids=lambda kind: kind.__name__)
def test_facts_come_back(kind: type) -> None:
    """Each class of fact, with any values."""

    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
    @given(st.from_type(kind))
    def back(fact: Fact) -> None:
        assert read_fact(kind.__name__, write_fact(fact)) == fact

    back()


@settings(max_examples=30, deadline=None, database=None)
@given(st.one_of([st.from_type(kind) for kind in get_args(Outcome)]))
def test_outcomes_come_back(outcome: Outcome) -> None:
    """Each way a try can end, with any values."""
    assert read_outcome(write_outcome(outcome)) == outcome


def test_what_says_nothing_takes_no_room() -> None:
    """Fields that were left out are not written; ten thousand short incidents stay small."""
    body = write_fact(Seen(datetime(2026, 11, 23, tzinfo=UTC), Incident("db", "Database down", "sev1")))
    assert len(body) < 120


def test_half_a_character_stops_nothing() -> None:
    """Text that is no text (half a surrogate pair) does not stop a fact from being kept."""
    at = datetime(2026, 11, 23, tzinfo=UTC)
    read = read_fact("Seen", write_fact(Seen(at, Incident("db", "a\ud800b", "sev1"))))
    assert isinstance(read, Seen)
    assert read.incident.title == "a?b"
    assert read_outcome(write_outcome(Deferred("\ud800"))) == Deferred("\ud800")
    assert content_row("digest", Content("\ud800"))["text"] == "?"


def test_an_unknown_class_is_named() -> None:
    """A class that this tocsin does not have is refused by name."""
    with pytest.raises(UnknownClassError, match="Dreamt"):
        read_fact("Dreamt", "{}")
