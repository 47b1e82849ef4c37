"""Floods of SMS from one number, and senders that are forged (product.md, section 6; attacks S1 to S3)."""

from datetime import datetime, timedelta

import pytest
from tocsin.app.state.answer_room import ANSWERS_MOST, WITHIN
from tocsin.domain.arrival import ArrivalKind
from tocsin.domain.facts import Answer, Answered, Noted
from tocsin.domain.notification import Kind
from tocsin.domain.operator_notice import Trouble
from tocsin.formats.settings.settings import RepliesSettings, ReplyCodes
from tocsin.text.gsm import segments

from tests.builders.active_config import polled
from tests.unit.app.test_sms_replies import ANA, BO, EVE, MINUTE, House

OTHERS = {Kind.PAGE, Kind.STAND_DOWN}
LAST = "No more answers for now; what you write counts."


@pytest.fixture
async def house() -> House:
    house = await House().open()
    as_sent(house)
    await house.see("pay")
    await house.go(MINUTE)
    return house


def as_sent(house: House) -> None:
    """The provider has taken every page."""

    async def pages_handed_over(_person: str, _until: datetime, *, begun: bool) -> frozenset[tuple[str, int]]:
        return frozenset((name, house.incidents.history(name).episode) for name in house.incidents.open_ids())

    house.ledger.pages_handed_over = pages_handed_over  # type: ignore[method-assign]


async def coded() -> House:
    """A house whose answers must name their page."""
    house = await House().open()
    replies = RepliesSettings(code=ReplyCodes.REQUIRED)
    house.config.replace(house.policy, polled().model_copy(update={"replies": replies}))
    as_sent(house)
    await house.see("pay")
    await house.go(MINUTE)
    return house


async def test_an_ok_does_not_pay_for_more_than_five_answers(house: House) -> None:
    """S1: a telephone that answers by itself gets five, whatever acted before; then a valid one is answered again."""
    assert await house.text(ANA, "ok")
    answers = [await house.text(ANA, "I am driving and will reply later") for _ in range(12)]
    assert [bool(answer) for answer in answers] == [True] * 5 + [False] * 7
    assert await house.text(ANA, "status")


@pytest.mark.parametrize("body", ["status", "note It is slow", "ok", "what?"])
async def test_at_most_twenty_answers_an_hour(house: House, body: str) -> None:
    """S2: the twentieth says that it is the last; operators hear once what to do; an hour later there is room again,
    and another number had room all the while.
    """
    answers = []
    for _ in range(80):
        house.clock.go(timedelta(seconds=2))
        answers.append(await house.text(ANA, body if body != "what?" or len(answers) % 3 else "status"))
    given = [answer for answer in answers if answer]
    assert len(given) == ANSWERS_MOST
    assert answers[: len(given)] == given or body == "what?"
    assert given[-1].endswith(LAST)
    assert not any(answer.endswith(LAST) for answer in given[:-1])
    notices = [notice for notice in house.notices.take() if notice.trouble is Trouble.ANSWER_FLOOD]
    assert len(notices) == 1
    assert notices[0].headline == "A flood of answers from Ana"
    assert notices[0].text.startswith(
        "call Ana; if it is not they who write, their number is forged: have the provider"
    )
    assert "replies: {code: required}" in notices[0].text
    await house.go(5 * MINUTE, "pay")
    assert await house.text(BO, "status")
    house.clock.go(WITHIN)
    assert await house.text(ANA, "status")


async def test_what_comes_in_a_flood_counts(house: House) -> None:
    """Notes are kept, answers count, the last of them stands; none of it is answered."""
    for _ in range(ANSWERS_MOST):
        await house.text(ANA, "status")
    for body in ("note one", "note two", "ok", "pass", "ok"):  # flips of which there were few
        assert await house.text(ANA, body) == ""
    assert [note.text for note in house.facts(Noted)] == ["one", "two"]
    assert [fact.answer for fact in house.facts(Answered)] == [Answer.OK, Answer.PASS, Answer.OK]
    assert house.incidents.history("pay").holder("technical_lead") == "ana"
    results = await house.ledger.newest_results(ArrivalKind.SMS, ANA, 6)
    assert results == ("counted",) * 5 + ("acted",)


async def test_all_at_once_counts_in_a_flood(house: House) -> None:
    """`ok all` answers everything, unanswered, and once."""
    await house.see("db", "Database down")
    for _ in range(ANSWERS_MOST):
        await house.text(ANA, "status " + house.code("pay"))
    assert await house.text(ANA, "ok all") == ""
    assert [house.incidents.history(name).holder("technical_lead") for name in ("pay", "db")] == ["ana", "ana"]
    assert await house.text(ANA, "ok all") == ""
    assert await house.ledger.newest_results(ArrivalKind.SMS, ANA, 2) == ("ignored", "counted")
    assert len(house.facts(Answered)) == 2


async def test_a_restart_does_not_forget_what_was_answered(house: House) -> None:
    """The ledger knows it: else each restart would pay for twenty more."""
    for _ in range(ANSWERS_MOST - 1):
        await house.text(ANA, "status")
    again = await House(house.clock, house.ledger.pages).open()
    again.count = 100
    assert (await again.text(ANA, "status")).endswith(LAST)
    assert await again.text(ANA, "status") == ""


@pytest.mark.parametrize("body", ["ok", "pass", "yes", "note It is slow", "ok all", "pass all"])
async def test_where_a_code_is_required_nothing_counts_without(body: str) -> None:
    """S3: who forges a sender does not know the codes. The number's owner reads which to add."""
    house = await coded()
    code = house.code("pay")
    said = await house.text(ANA, body)
    assert said.startswith("Nothing has changed. Reply ")
    assert code in said
    assert not house.facts(Answered)
    assert not house.facts(Noted)
    assert await house.text(ANA, body.replace(" It", f" {code} It") if "note" in body else f"{body} {code}")
    assert house.facts(Answered) or house.facts(Noted)


async def test_where_a_code_is_required_the_answers_name_it() -> None:
    """The words, for one page and for several."""
    house = await coded()
    code = house.code("pay")
    assert await house.text(ANA, "ok") == f"Nothing has changed. Reply ok with its code: {code} Card payments fail"
    await house.see("db", "Database down")
    other = house.code("db")
    listed = f"{code} Card payments fail; {other} Database down"
    assert await house.text(ANA, "ok") == f"Nothing has changed. Reply ok with its code, or ok all {code}: {listed}"
    all_ = await house.text(ANA, "ok all")
    assert all_ == f"Nothing has changed. Reply ok all {code}, or for one its code: {listed}"
    assert segments(all_) == 1
    assert (await house.text(ANA, "ok all Z99")).startswith("Z99 is no code of yours. Open: ")
    assert not house.facts(Answered)


async def test_where_a_code_is_required_no_answer_names_a_way_without_one() -> None:
    """What was not understood, either: the `ok all` that it names counts as it stands there."""
    house = await coded()
    code = house.code("pay")
    said = await house.text(ANA, f"all {code}")
    way = said.partition(", or ")[2].partition(":")[0]
    assert way == f"ok all {code}"
    assert (await house.text(ANA, way)).startswith("You accepted 1: ")


@pytest.mark.parametrize("needs_code", [False, True])
async def test_a_known_word_is_answered_however_quiet_we_are(needs_code: bool) -> None:
    """Somebody confused at night gets the codes at any time, and hears that what they wrote counts for nothing yet; a
    machine gets no more than five, and after a `status` still none; a code that is none, neither.
    """
    house = await (coded() if needs_code else House().open())
    for incident in ("pay", "db"):
        await house.see(incident)
    for body in ("ok", "yes", "pass", "ok", "pass", "I am driving and will reply later"):
        await house.text(ANA, body)
    for _ in range(5):
        await house.text(ANA, "hm")
    assert await house.text(ANA, "hm") == ""
    assert " Reply ok with its code, or ok all" in await house.text(ANA, "ok")
    assert " Reply pass with its code" in await house.text(ANA, "no")
    assert not needs_code or (await house.text(ANA, "ok all")).startswith("Nothing has changed. Reply ok all ")
    assert (await house.text(ANA, "status")).startswith("Which one? Reply status with its code: ")
    assert "Reply note with its code and the text: " in await house.text(ANA, "note It is slow")
    assert await house.text(ANA, "I am driving and will reply later") == ""
    assert await house.text(ANA, "status Z99") == ""
    assert await house.text(ANA, "ok Z99") == ""
    assert not house.facts(Noted)


async def test_with_nothing_open_only_status_is_answered_on(house: House) -> None:
    """A machine that answers "Note: I am away" gets five answers, too."""
    assert [bool(await house.text(EVE, "Note: I am away.")) for _ in range(7)] == [True] * 5 + [False] * 2
    assert await house.text(EVE, "status") == "You have no open page. Nothing has changed."


async def test_a_code_alone_is_an_ok_where_one_is_required() -> None:
    """`K7` names its page."""
    house = await coded()
    assert (await house.text(ANA, house.code("pay"))).startswith("You are technical_lead of Card payments fail")


async def test_ok_all_may_name_a_code_anywhere(house: House) -> None:
    """Where none is required it does no harm, if it is theirs."""
    assert (await house.text(ANA, "ok all Z99")).startswith("Z99 is no code of yours.")
    assert not house.facts(Answered)
    assert (await house.text(ANA, f"ok all {house.code('pay')}")).startswith("You accepted 1: ")
    assert len(house.facts(Answered)) == 1


async def flip(house: House, times: int) -> list[str]:
    """Somebody accepts and passes on, each 1.6 s; what we answer."""
    answers = []
    for number in range(2 * times):
        house.clock.go(timedelta(seconds=1.6))
        answers += await text(house, "pass" if number % 2 else "ok")
    return answers


async def text(house: House, body: str) -> list[str]:
    """Ana writes; what we answer then, which may be nothing."""
    await house.comes(ANA, body)
    return await house.judge()


def pages(house: House) -> int:
    """How many pages and stand-downs others got."""
    letters = house.ledger.pages.letters.values()
    return sum(letter.notification.to != "ana" and letter.notification.kind in OTHERS for letter in letters)


async def test_flips_wake_others_three_times_only(house: House) -> None:
    """S2: a forged sender's `ok` and `pass` in turn. From the third time on an `ok` has to stand; the last word counts,
    and a `pass` does so at once: then the incident asks on.
    """
    await flip(house, 3)
    woken = pages(house)
    assert woken
    answers = await flip(house, 20)
    assert pages(house) == woken
    assert len(answers) <= 5  # "You passed on … already", which is in vain
    (notice,) = [notice for notice in house.notices.take() if notice.trouble is Trouble.ANSWER_FLOOD]
    assert "accepted pay and handed it back 3 times within an hour; an ok from there counts once it" in notice.text
    await house.judge()
    assert len(await house.ledger.unjudged_arrivals()) == 0
    assert house.incidents.history("pay").holder("technical_lead") is None


async def test_who_handed_it_back_too_often_reads_what_follows(house: House) -> None:
    """The silence of the next minute is announced, once, in one segment: they would write again, and call."""
    answers = await flip(house, 3)
    end = "An ok of yours counts only after 1 min now, and is answered then."
    assert [answer.endswith(end) for answer in answers] == [False] * 5 + [True]
    assert answers[-1].startswith("Noted: you pass on ")
    assert segments(answers[-1]) == 1


async def test_an_ok_that_stands_counts_after_flips(house: House) -> None:
    """A minute later, once, and it is answered; one said again meanwhile does not begin anew."""
    await flip(house, 3)
    assert await text(house, "ok") == []
    house.clock.go(timedelta(seconds=40))
    assert await text(house, "ok") == []
    assert house.incidents.history("pay").holder("technical_lead") is None
    house.clock.go(timedelta(seconds=20))
    (answer,) = await house.judge()
    assert answer.startswith("You a")
    assert house.incidents.history("pay").holder("technical_lead") == "ana"
    house.clock.go(WITHIN)
    assert await text(house, "pass")
    assert await text(house, "ok")


async def test_flips_of_one_incident_hold_up_no_other(house: House) -> None:
    """Nor anybody else's answer, nor a note; after a restart nothing waits."""
    await flip(house, 3)
    await house.see("db", "Database down")
    assert await text(house, f"ok {house.code('db')}")
    assert await text(house, f"note {house.code('pay')} it is slow")
    assert await text(house, f"ok {house.code('pay')}") == []
    await house.go(5 * MINUTE, "pay")
    again = await House(house.clock, house.ledger.pages).open()
    (answer,) = await again.judge()
    assert answer.startswith("You are technical_lead of Card payments fail")
