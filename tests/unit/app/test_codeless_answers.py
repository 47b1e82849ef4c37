"""An answer by SMS of somebody whose number has no code: they were asked by email alone, or hold a role unasked. What
is asked of a person counts, not which codes there are.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.domain.facts import Answered, Noted
from tocsin.domain.incident import Acknowledgment, Status
from tocsin.domain.people import Channel
from tocsin.formats.settings.settings import ReplyCodes

from tests.builders.active_config import polled
from tests.builders.policies import paging_policy
from tests.unit.app.test_answer_all import Storm
from tests.unit.app.test_sms_replies import ANA, BO, EVE, MINUTE

NOTHING = "You have no open page. Nothing has changed."


@pytest.fixture
async def storm() -> Storm:
    """Everybody is paged by email."""
    made = Storm()
    made.policy = paging_policy(via=(Channel.EMAIL,))
    await made.open()
    return made


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("ok", "You are technical_lead of Trouble with pay (SEV1)."),
        ("pass", "Noted: you pass on technical_lead of Trouble with pay. Somebody else is asked."),
        ("note It is the disk", "Noted for Trouble with pay."),
        ("status", "SEV1 Trouble with pay: looking for the cause. Next update by"),
        ("ok all", "You accepted 1: SEV1 Trouble with pay."),
    ],
)
async def test_a_page_by_email_is_answered_by_sms(storm: Storm, said: str, answer: str) -> None:
    """The only incident that asks them is meant."""
    await storm.breaks("pay")
    await storm.go(MINUTE)
    assert (await storm.text(ANA, said)).startswith(answer)
    assert len(storm.facts(Answered)) + len(storm.facts(Noted)) == (said != "status")


async def test_what_is_held_is_told(storm: Storm) -> None:
    """Accepted by SMS without a code, and still theirs: `status` and a second `ok` say so, and a `pass` hands it on."""
    await storm.breaks("pay")
    await storm.text(ANA, "ok")
    assert (await storm.text(ANA, "status")).endswith("technical_lead: Ana; incident_commander: nobody yet.")
    assert (await storm.text(ANA, "ok")).startswith("You are already technical_lead of Trouble with pay, since ")
    assert (await storm.text(ANA, "pass")).startswith("Noted: you pass on technical_lead of Trouble with pay.")
    assert storm.lead("pay") is None
    assert (await storm.text(ANA, "ok")) == "You are technical_lead of Trouble with pay (SEV1)."


async def test_a_role_held_without_a_page(storm: Storm) -> None:
    """Who stood in the file from its first version on was never paged, and holds it all the same."""
    await storm.see("pay", acknowledged=(Acknowledgment("ana"),))
    assert storm.lead("pay") == "ana"
    await storm.go(MINUTE)
    assert (await storm.text(ANA, "status")).startswith("SEV1 Card payments fail: ")
    assert (await storm.text(ANA, "pass")).startswith("Noted: you pass on technical_lead of Card payments fail.")


@pytest.mark.parametrize("word", ["ok", "pass", "status"])
async def test_several_are_listed_with_codes(storm: Storm, word: str) -> None:
    """Those that have none get them; they are valid from then on, after a restart too."""
    await storm.breaks("pay", "db")
    said = await storm.text(ANA, word)
    assert said.startswith(f"Which one? Reply {word} with its code")
    assert all(f"{storm.code(incident)} Trouble with {incident}" in said for incident in ("pay", "db"))
    await storm.open()
    assert await storm.text(ANA, f"ok {storm.code('db')}") == "You are technical_lead of Trouble with db (SEV1)."
    assert storm.held_by("ana") == ["db"]


async def test_one_with_a_code_and_one_without(storm: Storm) -> None:
    """Neither is meant before the other; the codes are named."""
    await storm.breaks("pay")
    storm.config.replace(paging_policy(via=(Channel.SMS,)), storm.config.settings)
    await storm.breaks("db")
    await storm.go(MINUTE)
    known = storm.code("db")
    said = await storm.text(ANA, "ok")
    assert said.startswith("Which one? Reply ok with its code, or ok all: ")
    assert f"{known} Trouble with db" in said
    assert f"{storm.code('pay')} Trouble with pay" in said
    assert not storm.facts(Answered)


async def test_what_was_written_before_the_page_had_left_does_not_answer_it(storm: Storm) -> None:
    """It may be about anything; which one is asked for is said."""
    await storm.see("pay")
    await storm.go(MINUTE)
    said = await storm.text(ANA, "pass")
    assert said == f"Which one? Reply pass with its code: {storm.code('pay')} Card payments fail"
    assert not storm.facts(Answered)


async def test_a_code_is_required(storm: Storm) -> None:
    """What counts only with a code is answered with it."""
    required = polled().replies.model_copy(update={"code": ReplyCodes.REQUIRED})
    storm.config.replace(storm.policy, polled().model_copy(update={"replies": required}))
    await storm.breaks("pay")
    said = await storm.text(ANA, "ok")
    assert said == f"Nothing has changed. Reply ok with its code: {storm.code('pay')} Trouble with pay"
    assert (await storm.text(ANA, "ok all")).startswith(f"Nothing has changed. Reply ok all {storm.code('pay')}")
    assert not storm.facts(Answered)


@pytest.mark.parametrize("said", ["ok Z9", "what?"])
async def test_what_cannot_be_acted_on_names_what_is_open(storm: Storm, said: str) -> None:
    """An unknown code and what is not understood, too."""
    await storm.breaks("pay")
    answer = await storm.text(ANA, said)
    assert f"{storm.code('pay')} Trouble with pay" in answer


async def test_the_question_whether_all_is_healthy(storm: Storm) -> None:
    """It came by email: no bare word confirms that unseen, and its code is named."""
    severity = storm.policy.severities["sev1"]
    asking = {"sev1": replace(severity, verify_after=30 * MINUTE)}
    storm.config.replace(replace(storm.policy, severities=asking), polled())
    await storm.see("pay", acknowledged=(Acknowledgment("ana"),))
    await storm.see("pay", status=Status.RESOLVED)
    await storm.go(31 * MINUTE, "pay")
    said = await storm.text(ANA, "ok")
    assert said == f"Which one? Reply ok with its code: {storm.code('pay')} Card payments fail"
    assert await storm.text(ANA, f"ok {storm.code('pay')}") == ("Thank you. Card payments fail: confirmed healthy.")


async def test_whoever_is_not_concerned_hears_so(storm: Storm) -> None:
    """Nothing is asked of them, and nothing was."""
    await storm.breaks("pay")
    await storm.go(timedelta(seconds=10))
    for number in (BO, EVE):
        assert await storm.text(number, "ok") == NOTHING
        assert await storm.text(number, "status") == NOTHING
