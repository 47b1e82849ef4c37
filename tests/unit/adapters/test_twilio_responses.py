"""Twilio's answers, whatever they hold."""

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.adapters.twilio.responses import DETAIL_MOST, RECEIPTS, fate, to_create, to_list
from tocsin.domain.delivery import Accepted, Deferred, Fate, Fault, Outcome, Receipt, Refused, Uncertain
from tocsin.wording.delivery.sms_verdicts import SMS_VERDICTS

FOR_GOOD = [21211, 21214, 21217, 21265, 21610, 21614, 21635, 30005, 30006]
"""Not a number, not reachable, opted out, not mobile, a landline, unknown."""

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


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (199, {}, Uncertain("Twilio answered 199", "199")),
        (200, {"sid": "SM1"}, Accepted("SM1")),
        (201, {"sid": "SM1", "code": 21211}, Accepted("SM1")),
        (201, {"sid": ""}, Uncertain("Twilio's answer 201 has no sid", "201")),
        (201, {"sid": 7}, Uncertain("Twilio's answer 201 has no sid", "201")),
        (299, {"sid": "SM1"}, Accepted("SM1")),
        (300, {"sid": "SM1"}, Deferred("Twilio answered 300", "300", Fault.PROVIDER)),
        (302, {"code": 21211}, Deferred("Twilio answered 302", "21211", Fault.PROVIDER)),
        (400, {"code": 21211}, Refused("Twilio answered 400", "21211")),
        (400, {"code": "21211"}, Deferred("Twilio answered 400", "400", Fault.PROVIDER)),
        (429, {"code": 21211}, Deferred("Twilio answered 429", "21211")),
        (429, {"code": 63038}, Deferred("Twilio answered 429", "63038", Fault.PROVIDER)),
        (429, {"code": 99999}, Deferred("Twilio answered 429", "99999")),
        (400, {"code": 21611}, Deferred("Twilio answered 400", "21611")),
        (499, {}, Deferred("Twilio answered 499", "499", Fault.PROVIDER)),
        (500, {"code": 21611}, Uncertain("Twilio answered 500", "21611")),
        (503, {"code": 20429}, Uncertain("Twilio answered 503", "20429")),
    ],
)
def test_answers_by_their_number(status: int, body: dict[str, object], outcome: Outcome) -> None:
    """Only 2xx with a sid created it; codes count within 4xx only; from 5xx on nobody knows."""
    assert to_create(status, json.dumps(body)) == outcome


@pytest.mark.parametrize(
    ("wish", "wait"),
    [("0", None), ("-1", None), ("0.5", 0.5), ("7", 7), ("3600", 3600), ("3601", 3600), ("1e7", None), ("nan", None),
     ("soon", None), ("", None)],
)  # fmt: skip
def test_how_long_twilio_asks_us_to_wait(wish: str, wait: float | None) -> None:
    """A number of seconds, at most an hour; what makes no sense is no wish."""
    outcomes = [to_create(429, "{}", wish), to_create(400, '{"code": 21611}', wish), to_list(429, wish)]
    span = None if wait is None else timedelta(seconds=wait)
    assert [outcome.retry_after for outcome in outcomes if isinstance(outcome, Deferred)] == [span] * 3


@pytest.mark.parametrize(
    ("status", "fault"),
    [(200, Fault.PASSING), (299, Fault.PASSING), (300, Fault.PROVIDER), (401, Fault.PROVIDER), (428, Fault.PROVIDER),
     (429, Fault.PASSING), (430, Fault.PROVIDER), (499, Fault.PROVIDER), (500, Fault.PASSING), (503, Fault.PASSING)],
)  # fmt: skip
def test_no_list_by_its_number(status: int, fault: Fault) -> None:
    """3xx and 4xx are the account's or the settings', but for too many requests; the rest passes."""
    failure = to_list(status)
    assert (failure.code, failure.fault) == (str(status), fault)


def test_twilios_words_are_told_on_one_line() -> None:
    """What Twilio explains is one line of bounded length."""
    outcome = to_create(403, json.dumps({"message": "no\n way " + "x" * 300, "title": 7}))
    assert outcome == Deferred(("no way " + "x" * 300)[:DETAIL_MOST], "403", Fault.PROVIDER)


def test_the_newer_form_of_errors() -> None:
    """An error as RFC 9457 has it is read like the older form."""
    said = {"type": "t", "title": "Invalid number", "status": 400, "code": 21211, "detail": "It has no digits"}
    assert to_create(400, json.dumps(said)) == Refused("Invalid number It has no digits", "21211")


def test_deep_answers_are_survived() -> None:
    """An answer nested beyond reason is one that cannot be read."""
    assert isinstance(to_create(201, "[" * 100_000), Uncertain)
    assert to_create(403, "[" * 100_000) == Deferred("Twilio answered 403", "403", Fault.PROVIDER)


@pytest.mark.parametrize("code", FOR_GOOD)
def test_a_code_about_a_number_refuses_it(code: int) -> None:
    """As an answer, and as the error of a message that was not delivered, however the code is written there."""
    said = fate("undelivered", code, "SM1")
    assert said.refused is not None
    assert said.refused.fault is Fault.ADDRESS
    assert fate("undelivered", str(code), "SM1") == said
    assert to_create(400, json.dumps({"code": code, "message": "no"})) == Refused("no", str(code))


@pytest.mark.parametrize("state", ["delivered", "sent", "queued", "something new"])
def test_only_what_failed_refuses(state: str) -> None:
    """A code beside a message that is on its way, or arrived, refuses nobody."""
    assert fate(state, 21610).refused is None


def test_no_other_code_refuses_a_number() -> None:
    """The list is complete: a code that is put in or taken out changes who is never written to again."""
    assert [int(code) for code, verdict in SMS_VERDICTS.items() if verdict.fault is Fault.ADDRESS] == FOR_GOOD


@given(st.sampled_from(sorted(RECEIPTS)) | st.text(max_size=9) | st.none(), st.integers() | st.text() | st.none())
def test_any_word_about_a_message_has_a_meaning(status: str | None, code: object) -> None:
    """Only an undelivered one can refuse a number, and only by a code about it; what is unknown says nothing."""
    said = fate(status, code)
    assert said.receipt is RECEIPTS.get(status or "", Receipt.UNKNOWN)
    if said.refused and said.refused.fault is Fault.ADDRESS:
        assert said.receipt is Receipt.UNDELIVERED
        assert int(str(code)) in FOR_GOOD


@pytest.mark.parametrize("code", ["", None, 30003, 30008, "30034", "x", "²"])
def test_what_time_or_the_account_can_cure_refuses_nobody(code: object) -> None:
    """Undelivered, and the number stays as good as it was."""
    fault = Fault.PROVIDER if code == "30034" else Fault.PASSING
    assert fate("failed", code) == Fate(Receipt.UNDELIVERED, code=str(code or ""), fault=fault)


@pytest.mark.parametrize("code", ["30002", "30032", "30034", "30024"])
def test_codes_about_the_account_or_the_sender_are_the_providers_fault(code: str) -> None:
    """Rule 38: beside another state they say nothing."""
    assert fate("undelivered", code).fault is Fault.PROVIDER
    assert not fate("undelivered", code).may_pass
    assert fate("sent", code).fault is Fault.PASSING
