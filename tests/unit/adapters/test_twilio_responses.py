"""Twilio's answers, whatever they hold."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.adapters.twilio.responses import DETAIL_MOST, RECEIPTS, fate, to_create
from tocsin.domain.delivery import Accepted, Deferred, Fate, Fault, Receipt, Refused, Uncertain
from tocsin.domain.people import Channel
from tocsin.wording.message import refusal

FOR_GOOD = [21211, 21214, 21217, 21265, 21610, 21612, 21614, 21635, 30004, 30005, 30006]
"""Not a number, not reachable, opted out, not mobile, a landline, blocked, unknown."""

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


@pytest.mark.parametrize("code", FOR_GOOD)
def test_every_code_about_a_number_has_words(code: int) -> None:
    """What is wrong and what helps; an undelivered message with such a code refuses the number for good."""
    said = fate("undelivered", code, "SM1")
    assert said.refused is not None
    assert refusal.cause(said.refused) == f"{refusal.what(str(code))} ({code})"
    assert refusal.cure(Channel.SMS, said.refused) != refusal.cure(Channel.SMS, Refused("no reason"))
    assert fate("undelivered", str(code), "SM1") == said
    assert to_create(400, json.dumps({"code": code, "message": "no"})) == Refused("no", str(code))


def test_no_other_code_refuses_a_number() -> None:
    """The list is complete: a code that is put in or taken out changes who is never written to again."""
    assert sorted(map(int, refusal.CODES)) == FOR_GOOD


@given(st.sampled_from(sorted(RECEIPTS)) | st.text(max_size=9) | st.none(), st.integers() | st.text() | st.none())
def test_any_word_about_a_message_has_a_meaning(status: str | None, code: object) -> None:
    """Only an undelivered one can refuse a number, and only by a code about it; what is unknown says nothing."""
    said = fate(status, code)
    assert said.receipt is RECEIPTS.get(status or "", Receipt.UNKNOWN)
    if said.refused:
        assert said.receipt is Receipt.UNDELIVERED
        assert int(str(code)) in FOR_GOOD


@pytest.mark.parametrize("code", ["", None, 30003, 30008, "30034", "x", "²"])
def test_what_time_or_the_account_can_cure_refuses_nobody(code: object) -> None:
    """Undelivered, and the number stays as good as it was."""
    assert fate("failed", code) == Fate(Receipt.UNDELIVERED)


def test_the_providers_own_words_do_for_the_rest() -> None:
    """A code that is not known here is told with them; a code that stands in them is not repeated."""
    assert refusal.cause(Refused("550 5.1.1 no such user", "550")) == "550 5.1.1 no such user"
    assert refusal.cause(Refused("mailbox gone", "551")) == "mailbox gone (551)"
    assert refusal.cause(Refused("")) == "the provider gave no reason"
