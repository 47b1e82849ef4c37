"""What `doctor` says of an SMS account, asked of the stand-in for Twilio. Nothing is ever sent."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tocsin.adapters.clock import SystemClock
from tocsin.adapters.twilio import account as adapter
from tocsin.adapters.twilio.account import TwilioAccount
from tocsin.app.doctor.check import Check
from tocsin.app.doctor.sms_account import SmsAccount, examine_provider
from tocsin.formats.settings.senders import SmsSenders

from tests.fakes.full_listener import full_listener
from tests.fakes.twilio_server import StandIn

OURS, FREE, CODE, SERVICE = "+14155550100", "+18335550100", "70707", "MG" + "1" * 32
PEOPLE = {"ana": "+14155550101", "bo": "+4915112345678"}


async def found(_host: str) -> tuple[str, ...]:
    return ("127.0.0.1",)


async def examined(
    twilio: StandIn,
    sender: str = OURS,
    people: Mapping[str, str] = PEOPLE,
    senders: Mapping[str, str] | None = None,
    **login: Any,
) -> list[Check]:
    account = TwilioAccount(
        account_sid=twilio.account, api_url=login.pop("api_url", twilio.url), clock=login.pop("clock", SystemClock()),
        **(login or {"auth_token": "token"}),
    )  # fmt: skip
    by_number = SmsSenders("" if sender.startswith("MG") else sender, senders or {})
    service = sender if sender.startswith("MG") else ""
    provider = SmsAccount(twilio.account, account, by_number, service)
    checks = await examine_provider(provider, people, "localhost", found)
    assert not [request for request in twilio.requests if request[0] != "GET"], "nothing is sent"
    assert twilio.created == []
    assert all(check.cure for check in checks if check.ok is False)
    return checks


def named(checks: list[Check], code: str, target: str = "") -> Check:
    (check,) = [check for check in checks if check.code == code and target in ("", check.target)]
    return check


def registered(twilio: StandIn, *campaigns: str) -> None:
    twilio.books.services[SERVICE] = {"numbers": [OURS], "campaigns": list(campaigns)}


async def test_a_good_account() -> None:
    """Login, account, balance, sender, registration, countries, clock: all well, and nothing is sent."""
    async with StandIn(numbers=[OURS]) as twilio:
        registered(twilio, "VERIFIED")
        checks = await examined(twilio)
        assert {check.code for check in checks} == {
            "sms-login", "sms-account", "sms-balance", "sms-sender", "sms-registration", "sms-country", "clock",
        }  # fmt: skip
        assert {check.ok for check in checks} == {True}
        assert not any(check.cure for check in checks)
        assert {check.target for check in checks if check.code == "sms-country"} == {"US", "DE"}
        assert named(checks, "sms-balance").message == "100.00 USD left"


async def test_a_wrong_token() -> None:
    """It is told with the variables to look at; nothing else is asked."""
    async with StandIn(numbers=[OURS]) as twilio:
        checks = await examined(twilio, auth_token="wrong")
        assert [check.ok for check in checks] == [False, *[None] * 5]
        assert "TOCSIN_SMS__AUTH_TOKEN" in checks[0].cure
        assert len(twilio.requests) == 1


@pytest.mark.parametrize("status", ["suspended", "closed"])
async def test_an_account_that_may_not_send(status: str) -> None:
    """Suspended or closed: nothing will arrive."""
    async with StandIn(numbers=[OURS]) as twilio:
        twilio.books.status = status
        check = named(await examined(twilio), "sms-account")
        assert check.ok is False
        assert status in check.message


@pytest.mark.parametrize(
    ("balance", "ok", "message"),
    [
        ("0.00", False, "nothing is left"),
        ("-3.10", False, "(-3.10 USD)"),
        ("4.50", True, "only 4.50 USD left"),
        ("20", True, "20.00 USD left"),
        ("much", None, "no number"),
    ],
)
async def test_the_balance(balance: str, ok: bool | None, message: str) -> None:
    """Empty is a failure, little a warning."""
    async with StandIn(numbers=[OURS]) as twilio:
        twilio.books.balance = balance
        check = named(await examined(twilio), "sms-balance")
        assert check.ok is ok
        assert message in check.message
        assert bool(check.cure) is (ok is False or "only" in message)


async def test_a_trial_account_reaches_verified_numbers_only() -> None:
    """Whoever is not verified is named."""
    async with StandIn(numbers=[OURS]) as twilio:
        twilio.books.type, twilio.books.verified = "Trial", [PEOPLE["ana"]]
        checks = await examined(twilio)
        assert "on trial" in named(checks, "sms-account").message
        assert named(checks, "sms-trial", "ana").ok is True
        assert named(checks, "sms-trial", "bo").ok is False
        assert PEOPLE["bo"] in named(checks, "sms-trial", "bo").message
        by_name = await examined(twilio, "Acme", {"bo": PEOPLE["bo"]})
        assert [check.ok for check in by_name if check.code == "sms-sender"] == [False, True]


async def test_a_sender_of_somebody_else() -> None:
    """A number or short code that is not the account's, or cannot send SMS, or a service that is not there."""
    async with StandIn(numbers=["+14155550199"]) as twilio:
        twilio.books.numbers["+14155550198"] = False
        for sender, words in {
            OURS: "is not of account",
            CODE: "is not of account",
            SERVICE: "is not of account",
            "+14155550198": "cannot send SMS",
        }.items():
            check = named(await examined(twilio, sender), "sms-sender")
            assert check.ok is False
            assert words in check.message
        twilio.books.short_codes = [CODE]
        assert named(await examined(twilio, CODE), "sms-sender").ok is True
        twilio.books.services[SERVICE] = {"numbers": []}
        assert "has no sender" in named(await examined(twilio, SERVICE), "sms-sender").message
        twilio.books.services[SERVICE] = {"numbers": [OURS], "campaigns": ["VERIFIED"]}
        checks = await examined(twilio, SERVICE)
        assert OURS in named(checks, "sms-sender").message
        assert named(checks, "sms-registration").ok is True


@pytest.mark.parametrize(
    ("campaigns", "ok", "message"),
    [
        (None, False, "belongs to no messaging service"),
        ([], False, "it has no campaign"),
        (["IN_PROGRESS"], False, "its campaign is in progress"),
        (["FAILED"], False, "its campaign is failed"),
        (["FAILED", "VERIFIED"], True, "registered"),
    ],
)
async def test_a_local_number_of_the_usa_is_registered(campaigns: list[str] | None, ok: bool, message: str) -> None:
    """Or carriers drop what it sends (30034), told only afterwards."""
    async with StandIn(numbers=[OURS]) as twilio:
        if campaigns is not None:
            registered(twilio, *campaigns)
        check = named(await examined(twilio), "sms-registration")
        assert check.ok is ok
        assert message in check.message
        assert ("30034" in check.message) is not ok


async def test_a_list_that_goes_on_proves_nothing() -> None:
    """A number that is not on its first page may stand on the next: that is no failure."""
    async with StandIn(numbers=[OURS]) as twilio:
        twilio.books.long_lists = ["services"]
        check = named(await examined(twilio), "sms-registration")
        assert check.ok is None
        assert "too long" in check.message


async def test_registration_concerns_the_usa_alone() -> None:
    """Nobody there, or a sender from elsewhere: nothing to look at."""
    async with StandIn(numbers=[OURS, "+447700900100"]) as twilio:
        assert named(await examined(twilio, people={"bo": PEOPLE["bo"]}), "sms-registration").ok is None
        assert named(await examined(twilio, "+447700900100"), "sms-registration").ok is None


async def test_the_cure_names_where_the_sender_stands() -> None:
    """A number for one beginning is another setting; and who has a number of the USA gets SMS from another sender."""
    async with StandIn(numbers=[OURS]) as twilio:
        checks = await examined(twilio, senders={"+49": "+15005550099", "+1415": OURS})
        assert named(checks, "sms-sender", "+15005550099").cure == "name another in sms.senders.+49"
        registration = named(checks, "sms-registration", "+15005550099").message
        assert registration == "not tried: no SMS from it goes to a number of the USA"
    async with StandIn(numbers=[]) as twilio:
        assert named(await examined(twilio), "sms-sender").cure == "name another in sms.sender"


@pytest.mark.parametrize(
    ("state", "ok"), [("TWILIO_APPROVED", True), ("IN_REVIEW", False), ("TWILIO_REJECTED", False), (None, False)]
)
async def test_a_toll_free_number_is_verified(state: str | None, ok: bool) -> None:
    """Or carriers drop what it sends (30032)."""
    async with StandIn(numbers=[FREE]) as twilio:
        if state:
            twilio.books.tollfree[FREE] = state
        check = named(await examined(twilio, FREE), "sms-registration")
        assert check.ok is ok
        assert ("30032" in check.message) is not ok


async def test_a_country_that_is_not_allowed() -> None:
    """It is told with who lives there."""
    async with StandIn(numbers=[OURS]) as twilio:
        twilio.books.barred = ["DE"]
        checks = await examined(twilio)
        assert named(checks, "sms-country", "US").ok is True
        check = named(checks, "sms-country", "DE")
        assert check.ok is False
        assert "DE (bo)" in check.message
        assert "Geo permissions" in check.cure


async def test_a_name_is_not_taken_everywhere() -> None:
    """Not in the USA; in the United Kingdom only when registered; a sender by prefix mends it."""
    people = PEOPLE | {"gil": "+447700900123"}
    async with StandIn(numbers=[OURS]) as twilio:
        registered(twilio, "VERIFIED")
        checks = await examined(twilio, "Acme", people)
        assert named(checks, "sms-country", "US").ok is False
        assert "sms.senders" in named(checks, "sms-country", "US").cure
        assert named(checks, "sms-country", "DE").cure == ""
        assert "registered" in named(checks, "sms-country", "GB").cure
        checks = await examined(twilio, "Acme", people, {"+1": OURS})
        assert named(checks, "sms-country", "US").ok is True
        assert {check.target for check in checks if check.code == "sms-sender"} == {"Acme", OURS}
        assert named(checks, "sms-registration", OURS).ok is True


async def test_a_key_of_little_rights_is_no_failure() -> None:
    """A standard API key may send and not see the account: what it may not ask was not tried."""
    async with StandIn(numbers=[OURS]) as twilio:
        twilio.allow("SK1", "secret")
        twilio.books.withheld = {
            f"{twilio.account}.json": 401,
            "Balance": 401,
            "GeoPermissions": 404,
            "/v1/Services": 403,
        }
        checks = await examined(twilio, api_key="SK1", api_secret="secret")
        assert named(checks, "sms-login").ok is True
        assert "API key" in named(checks, "sms-login").message
        for code in ("sms-account", "sms-balance", "sms-registration"):
            assert named(checks, code).ok is None
            assert "this key may not ask" in named(checks, code).message
        assert named(checks, "sms-country", "DE").ok is None
        assert named(checks, "sms-sender").ok is True


@pytest.mark.parametrize("fault", ["slow 60", "lose", "500", "code 20005 403"])
async def test_an_api_that_does_not_serve_us(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """Silent, cut, broken, or it turns us away: one failure with its cure, within the deadline."""
    monkeypatch.setattr(adapter, "ANSWERS_WITHIN", 0.5)
    async with StandIn(numbers=[OURS]) as twilio:
        twilio.always("list", fault)
        checks = await examined(twilio)
        assert [check.ok for check in checks] == [False, *[None] * 5]


async def test_a_way_to_the_api_that_drops_packets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was even asked within the deadline: that is one failure, and it cancels nothing."""
    monkeypatch.setattr(adapter, "ANSWERS_WITHIN", 0.3)
    async with StandIn(numbers=[OURS]) as twilio:
        with full_listener() as url:
            checks = await examined(twilio, api_url=url)
        assert [check.ok for check in checks] == [False, *[None] * 5]
        assert "did not answer within" in checks[0].message


async def test_a_question_that_hangs_takes_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is told; that one was not tried."""
    monkeypatch.setattr(adapter, "ANSWERS_WITHIN", 0.5)
    async with StandIn(numbers=[OURS]) as twilio:
        twilio.books.hangs = ["Balance"]
        checks = await examined(twilio)
        assert named(checks, "sms-balance").ok is None
        assert re.search("did not answer", named(checks, "sms-balance").message)
        assert named(checks, "sms-account").ok is True


@pytest.mark.parametrize(
    "answer",
    [{}, [], "x", {"permissions": 3}, {"permissions": [3, {"country_code": None}]}, {"balance": None, "status": 5},
     {"incoming_phone_numbers": 7}, {"services": {"a": 1}, "meta": {"key": "services"}}, {"meta": {"key": "none"}},
     {"short_codes": [None]}, {"incoming_phone_numbers": [{"phone_number": OURS, "capabilities": 3}]}],
)  # fmt: skip
async def test_answers_that_make_no_sense(answer: Any) -> None:
    """Whatever is said in place of an answer: a line for each question, and never a traceback."""
    async with StandIn(numbers=[OURS]) as twilio:
        twilio.books.garbage = [answer]
        for sender in (OURS, FREE, CODE, SERVICE, "Acme"):
            checks = await examined(twilio, sender)
            assert checks[0].ok is True, "the messages are another list"
            assert not (answer == {} and named(checks, "sms-account").ok is False), "it says nothing"
            assert {check.code for check in checks} >= {"sms-account", "sms-balance", "sms-sender", "sms-country"}


async def test_too_many_requests_pass_by_themselves() -> None:
    """A 429 says nothing of the account."""
    async with StandIn(numbers=[OURS]) as twilio:
        twilio.always("list", "429 3")
        checks = await examined(twilio)
        assert checks[0].ok is True
        assert checks[0].message.startswith("not now")


class _Late:
    """A clock that is behind."""

    def now(self) -> datetime:
        return datetime.now(UTC) - timedelta(minutes=10)


async def test_a_clock_that_is_behind() -> None:
    """The provider's time in its answers shows it."""
    async with StandIn(numbers=[OURS]) as twilio:
        check = named(await examined(twilio, clock=_Late()), "clock")
        assert check.ok is False
        assert "behind the SMS provider's" in check.message
        assert "timedatectl" in check.cure


async def test_without_the_secret_nothing_is_asked() -> None:
    """Whoever has none reads which lacks, and how to see all of it."""
    provider = SmsAccount("AC1", None, SmsSenders(OURS), secret_lacks="TOCSIN_SMS__AUTH_TOKEN")
    checks = await examine_provider(provider, PEOPLE, "localhost", found)
    assert {check.ok for check in checks} == {None}
    assert all("TOCSIN_SMS__AUTH_TOKEN is not known here" in check.message for check in checks)
    assert all("CREDENTIALS_DIRECTORY" in check.cure for check in checks)
