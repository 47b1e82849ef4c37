"""What operators are to hear: a cause once an hour, nothing that ended untold, ends once, complaints only while true."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from tocsin.app.state.notices import QUIET, Notices
from tocsin.domain.operator_notice import OperatorNotice, Recovery, Trouble
from tocsin.domain.problem import Problem, ProblemLevel

from tests.fakes.clock import StillClock

FOLDER = OperatorNotice(Trouble.FOLDER_UNREADABLE, "the folder is gone")


def test_a_cause_is_told_once_an_hour() -> None:
    """Rule 39: never more than one message for a cause and hour; another cause is told at once."""
    clock = StillClock()
    notices = Notices(clock)
    for _ in range(3):
        notices.tell(OperatorNotice(Trouble.LEDGER_UNWRITABLE, "the ledger cannot be written"))
    notices.tell(OperatorNotice(Trouble.FOLDER_UNREADABLE, "the folder is gone"))
    assert [notice.cause for notice in notices.take()] == ["ledger-unwritable", "folder-unreadable"]
    clock.go(QUIET - timedelta(seconds=1))
    notices.tell(OperatorNotice(Trouble.LEDGER_UNWRITABLE, "again"))
    assert notices.take() == ()
    assert notices.waiting_since(grave=False) is None
    clock.go(timedelta(seconds=1))
    notices.tell(OperatorNotice(Trouble.LEDGER_UNWRITABLE, "again"))
    assert [notice.text for notice in notices.take()] == ["again"]


async def test_whoever_sends_notices_sleeps_until_there_is_one() -> None:
    """And again after they were taken."""
    notices = Notices(StillClock())
    notices.tell(OperatorNotice(Trouble.PAGE_LOST, "a"))
    await asyncio.wait_for(notices.news(), 1)
    notices.take()
    waiting = asyncio.create_task(notices.news())
    await asyncio.sleep(0)
    assert not waiting.done()
    notices.tell_template(Problem("templates/page.j2", 3, 1, ProblemLevel.ERROR, "bad-template", "no such filter"))
    await asyncio.wait_for(waiting, 1)
    (notice,) = notices.take()
    assert "templates/page.j2:3:1" in notice.text
    assert notice.cause.startswith("template-broken:")


def test_a_trouble_that_ended_before_it_was_told_is_not_told() -> None:
    """Rule 39: it leaves no more; whether its end is news, the ledger says."""
    notices = Notices(StillClock())
    notices.tell(FOLDER)
    notices.cured(Trouble.FOLDER_UNREADABLE, "", "it is back")
    notices.cured(Trouble.FOLDER_UNREADABLE, "", "it is still back")
    assert notices.take() == ()
    assert [recovery.text for recovery in notices.take_recovered()] == ["it is back"]
    assert not notices.was_told(FOLDER.subject)
    notices.tell(FOLDER)
    assert notices.take() == (replace(FOLDER, since=StillClock().now()),)
    assert notices.was_told(FOLDER.subject)


def test_an_end_that_did_not_last_is_not_told() -> None:
    """It came back before its end was told: nothing is news."""
    notices = Notices(StillClock())
    notices.tell(FOLDER)
    notices.take()
    notices.cured(Trouble.FOLDER_UNREADABLE, "", "it is back")
    notices.tell(FOLDER)
    assert (notices.take(), notices.take_recovered()) == ((), ())


def test_what_comes_back_after_its_end_was_told_waits_for_the_hour() -> None:
    """One message an hour for a cause; but "it is over" must not stay the last word."""
    clock = StillClock()
    notices = Notices(clock)
    notices.tell(FOLDER)
    notices.take()
    notices.cured(Trouble.FOLDER_UNREADABLE, "", "it is back")
    notices.take_recovered()
    notices.note_end_told(FOLDER.subject)
    clock.go(QUIET / 2)
    notices.tell(FOLDER)
    assert notices.take() == ()
    assert notices.waiting_since(grave=True) == clock.now() + QUIET / 2
    clock.go(QUIET / 2)
    (notice,) = notices.take()
    assert (notice.text, notice.since) == (FOLDER.text, clock.now() - QUIET / 2)
    notices.tell(FOLDER)
    assert notices.waiting_since(grave=True) is None, "it was told, and has not been over since"


def test_since_when_is_kept_while_it_lasts() -> None:
    """Told again after an hour, a trouble says since when it has lasted; one that just happens says when it did."""
    clock = StillClock()
    began, notices = clock.now(), Notices(clock)
    lost = OperatorNotice(Trouble.PAGE_LOST, "to nobody", about="pay")
    for _ in range(2):
        notices.tell(FOLDER)
        notices.tell(lost)
        told = notices.take()
        clock.go(QUIET)
    assert [notice.since for notice in told] == [began, began + QUIET]
    notices.cured(Trouble.FOLDER_UNREADABLE, "", "it is back")
    over = Recovery(Trouble.FOLDER_UNREADABLE, "it is back", began + 2 * QUIET, since=began)
    assert notices.take_recovered() == (over,)


def test_a_message_is_void_once_all_that_it_complains_of_is_over() -> None:
    """A complaint is true when it arrives (rule 39)."""
    notices = Notices(StillClock())
    for notice in (FOLDER, OperatorNotice(Trouble.PROVIDER_REFUSES, "no", about="SMS")):
        notices.tell(notice)
    notices.note_sent("key", frozenset(notice.subject for notice in notices.take()))
    notices.cured(Trouble.FOLDER_UNREADABLE, "", "it is back")
    assert not notices.is_void("key")
    notices.cured(Trouble.PROVIDER_REFUSES, "SMS", "it works")
    assert notices.is_void("key")
    assert not notices.is_void("another")
    notices.tell(FOLDER)
    assert not notices.is_void("key")


def test_what_is_not_true_any_more_leaves_no_more() -> None:
    """A file was mended, or has other problems now: what waits is dropped, and its end is told to nobody (rule 39)."""
    notices = Notices(StillClock())
    file = OperatorNotice(Trouble.FILE_FAULTY, "eta", about="pay.yaml", aspect="wrong-type")
    notices.tell(file)
    notices.retract(Trouble.FILE_FAULTY, "pay.yaml")
    assert (notices.take(), notices.take_recovered()) == ((), ())
    notices.tell(file)
    notices.note_sent("key", frozenset(notice.subject for notice in notices.take()))
    assert not notices.is_void("key")
    notices.retract(Trouble.FILE_FAULTY, "pay.yaml")
    assert notices.is_void("key"), "its provider took it not yet"
    notices.tell(file)
    assert not notices.is_void("key")


def test_what_is_told_again_while_it_waits_waits_no_longer() -> None:
    """The newest words count, the first instant too."""
    clock = StillClock()
    began, notices = clock.now(), Notices(clock)
    notices.tell(FOLDER)
    clock.go(timedelta(seconds=1))
    notices.tell(replace(FOLDER, text="still gone"))
    assert notices.waiting_since(grave=True) == began
    assert [notice.text for notice in notices.take()] == ["still gone"]


def test_what_lasts_is_left_for_the_next_process() -> None:
    """At a stop only what just happened is taken; the folder is met again."""
    notices = Notices(StillClock())
    lost = OperatorNotice(Trouble.PAGE_LOST, "to nobody", about="pay", aspect="ana")
    for notice in (FOLDER, lost):
        notices.tell(notice)
    assert [notice.trouble for notice in notices.take(lasting=False)] == [Trouble.PAGE_LOST]
    assert (notices.was_told(lost.subject), notices.was_told(FOLDER.subject)) == (True, False)


def test_a_kind_that_is_over_leaves_nothing_behind() -> None:
    """Rule 39: neither what waits nor what is on its way to its provider; of other kinds all stays."""
    notices = Notices(StillClock())
    told, waiting = (OperatorNotice(Trouble.TEMPLATE_BROKEN, "no", about=f"{name}.j2:1:1") for name in ("a", "b"))
    notices.tell(told)
    notices.note_sent("key", frozenset(notice.subject for notice in notices.take()))
    for notice in (waiting, FOLDER):
        notices.tell(notice)
    notices.retract_all(Trouble.TEMPLATE_BROKEN)
    assert notices.is_void("key")
    assert [notice.trouble for notice in notices.take()] == [Trouble.FOLDER_UNREADABLE]
