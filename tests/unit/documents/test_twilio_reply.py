"""Twilio's answers, whatever they hold."""

import json

from hypothesis import given
from hypothesis import strategies as st

from daemon.documents.twilio_reply import DETAIL_MOST, to_create
from daemon.domain.delivery import Accepted, Deferred, Fault, Refused, Uncertain

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["sid", "code", "message", "x"]), inner)
    ),
    max_leaves=5,
)


@given(st.integers(100, 599), JSON.map(json.dumps) | st.text(max_size=50), st.text(max_size=20))
def test_any_answer_has_a_meaning(status: int, text: str, retry_after: str) -> None:
    """Accepted needs a sid; an answer that may hide a created message is uncertain; 4xx never is."""
    outcome = to_create(status, text, retry_after)
    if isinstance(outcome, Accepted):
        assert 200 <= status < 300
        assert outcome.provider_id
    else:
        assert isinstance(outcome, (Deferred, Refused)) == (300 <= status < 500)
        assert len(outcome.detail) <= DETAIL_MOST


def test_the_newer_form_of_errors() -> None:
    """An error as RFC 9457 has it is read like the older form."""
    said = {"type": "t", "title": "Invalid number", "status": 400, "code": 21211, "detail": "It has no digits"}
    assert to_create(400, json.dumps(said)) == Refused("Invalid number It has no digits", "21211")


def test_deep_answers_are_survived() -> None:
    """An answer nested beyond reason is one that cannot be read."""
    assert isinstance(to_create(201, "[" * 100_000), Uncertain)
    assert to_create(403, "[" * 100_000) == Deferred("Twilio answered 403", "403", Fault.PROVIDER)
