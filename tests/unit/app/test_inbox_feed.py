"""The way from the inbox into the ledger: answers first, a bounded number a second, each reference once, and nothing
that lies there holds up anything.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tocsin.app.arrivals.edit_feed import EditFeed
from tocsin.app.arrivals.gate import Gate
from tocsin.app.arrivals.inbound import Arrivals
from tocsin.app.arrivals.inbox_feed import InboxFeed
from tocsin.app.arrivals.words import TOLD_WITHIN, Words
from tocsin.app.reply_options import signed_links
from tocsin.app.state.notices import Notices
from tocsin.app.state.open_sessions import OpenSessions
from tocsin.app.state.sign_in_codes import SignInCodes
from tocsin.domain.arrival import (
    AlertEntry,
    AnswerEntry,
    Arrival,
    ArrivalKind,
    CommandAnswerEntry,
    InboxEntry,
    PruneEntry,
    ResubscribeEntry,
    WebhookEntry,
    WebhookRoute,
    WishEntry,
    WordEntry,
)
from tocsin.domain.facts import Answer
from tocsin.domain.operator_notice import Trouble
from tocsin.formats.inbox.entries import write_entry
from tocsin.formats.inbox.names import EntryName, entry_name
from tocsin.ports.inbox import InboxFile

from tests.builders.active_config import active_config, settings
from tests.builders.policies import paging_policy
from tests.fakes.inbox import FakeInboxFolder
from tests.fakes.ledger import MemoryLedger
from tests.fakes.loop import VirtualClock, run_virtually
from tests.unit.alerts import T0

KEY, OLD_KEY = "a key of more than sixteen", "the key before that one"
SIGNING = {"web": {"signing_key": [KEY, OLD_KEY]}, "public_url": "https://tocsin.example.com"}


def answer(number: int = 0, key: str = KEY, **changes: Any) -> AnswerEntry:
    """Ana takes it."""
    signature = signed_links.answer([key], "pay", "ana").rpartition("/")[2]
    entry = AnswerEntry(f"answer{number:04}", "pay", 1, "ana", Answer.OK, signature)
    return replace(entry, **changes)


def webhook(number: int) -> WebhookEntry:
    """A stranger's."""
    return WebhookEntry(f"webhook{number:04}", WebhookRoute.INBOUND, "/twilio/inbound", (("Body", "ok"),), "x")


class Post:
    """A feed in virtual time, and who judged what."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock, self.folder, self.ledger = clock, FakeInboxFolder(), MemoryLedger()
        self.sessions = OpenSessions()
        self.notices, self.judged, self.heard = Notices(clock), list[tuple[float, str]](), list[str]()
        config = active_config(paging_policy(), settings(**SIGNING))
        judges = dict.fromkeys(ArrivalKind, self.judge) | {ArrivalKind.WORD: Words(clock, self.notices).judge}
        no_judge: Any = None  # nobody looks at edits here
        self.arrivals = Arrivals(self.ledger, judges, self.notices, (self,))
        self.edits = EditFeed(clock, self.ledger, no_judge, self.notices)
        self.feed = InboxFeed(
            clock,
            self.ledger,
            self.folder,
            Gate(clock, config, self.sessions, SignInCodes()),
            self.arrivals,
            self.edits,
            self.notices,
        )
        self.began = clock.now()

    async def hear(self, arrivals: Sequence[Arrival]) -> None:
        """What is to be judged without the ledger."""
        self.heard += [arrival.ref for arrival in arrivals]

    async def judge(self, arrival: Arrival) -> str:
        """Remember it."""
        self.judged.append(((self.clock.now() - self.began).total_seconds(), arrival.ref))
        return "acted"

    def put(self, entry: InboxEntry, ago: float = 0, **how: Any) -> str:
        """Somebody leaves an entry."""
        return self.folder.put(entry, self.clock.now() - timedelta(seconds=ago), **how)

    def told(self) -> list[tuple[Trouble, str]]:
        """What operators hear."""
        return [(notice.trouble, notice.text) for notice in self.notices.take()]

    @property
    def refs(self) -> list[str]:
        """The references judged, in that order."""
        return [ref for _, ref in self.judged]


def at_post(story: Callable[[Post], Awaitable[None]], *, runs: bool = True) -> None:
    """Tell a story about a feed that runs."""

    async def tell(clock: VirtualClock) -> None:
        post = Post(clock)
        running = asyncio.create_task(post.feed.run()) if runs else None
        await story(post)
        if running:
            assert not running.done() or running.result()
            running.cancel()

    run_virtually(tell)


def test_what_is_left_is_judged_once_and_removed() -> None:
    """Each kind in its turn; a file that comes back under another name with a known reference counts no more."""

    async def story(post: Post) -> None:
        signature = signed_links.unsubscribe([OLD_KEY], "pay", "x@example.com").rpartition("/")[2]
        entries = [answer(), WishEntry("wish000001", "pay", "x@example.com", signature)]
        entries = [*entries, ResubscribeEntry("again00001", "x@example.com")]
        for entry in entries:
            post.put(entry)
        await asyncio.sleep(0.5)
        assert sorted(post.refs) == sorted(entry.ref for entry in entries)
        assert post.folder.files == {}
        kept = [arrival for arrival, _ in post.ledger.pages.arrivals]
        assert [(one.kind, one.who, one.body) for one in kept if one.kind is ArrivalKind.ANSWER] == [
            (ArrivalKind.ANSWER, "ana", "ok 1 pay")
        ]
        post.put(answer(), ago=5)
        await asyncio.sleep(0.5)
        assert (len(post.refs), post.folder.files) == (3, {})
        assert post.told() == []

    at_post(story)


def test_answers_come_first_and_no_more_than_200_a_second() -> None:
    """Of 900 that wait the answers are judged at once, though they came last; webhooks are 20 a second."""

    async def story(post: Post) -> None:
        for number in range(300):
            post.put(webhook(number), ago=50)
        for number in range(550):
            post.put(ResubscribeEntry(f"again{number:05}", "x@example.com"), ago=20)
        for number in range(50):
            post.put(answer(number))
        await asyncio.sleep(1.0)
        assert post.refs[:50] == [f"answer{number:04}" for number in range(50)]
        assert len(post.refs) <= 400
        assert len(post.folder.files) <= 900 - 200
        await asyncio.sleep(10.0)
        left = [name for name in post.folder.files if "webhook" in name]
        assert 300 - len(left) <= 20 * 13
        await asyncio.sleep(10.0)
        assert post.folder.files == {}
        per_second = [sum(int(at) == second for at, _ in post.judged) for second in range(6)]
        assert max(per_second[1:]) <= 220

    at_post(story)


def test_a_flood_is_told_and_worked_off() -> None:
    """5,000 entries: an answer among them is judged within two seconds, operators hear of the flood and of its end."""

    async def story(post: Post) -> None:
        for number in range(5000):
            post.put(ResubscribeEntry(f"again{number:05}", "x@example.com"), ago=20)
        await asyncio.sleep(1.5)
        post.put(answer())
        await asyncio.sleep(2.2)
        assert "answer0000" in post.refs
        ((trouble, text),) = post.told()
        assert trouble is Trouble.INBOX_FLOODED
        assert "entries wait in the inbox" in text
        await asyncio.sleep(40)
        assert post.folder.files == {}
        assert [recovery.trouble for recovery in post.notices.take_recovered()].count(Trouble.INBOX_FLOODED) == 1
        assert post.folder.listings < 600

    at_post(story)


def test_a_flood_of_webhooks_is_told() -> None:
    """A genuine one waits behind them, and the web side lets too few wait for a flood of everything. It is told once,
    until few are left.
    """

    async def story(post: Post) -> None:
        for number in range(150):
            post.put(webhook(number), ago=20)
        await asyncio.sleep(1)
        assert post.told() == []
        for number in range(150, 450):
            post.put(webhook(number), ago=20)
        await asyncio.sleep(1)
        ((trouble, text),) = post.told()
        assert trouble is Trouble.INBOX_FLOODED
        assert "webhooks wait in the inbox, and 20 a second are checked" in text
        await asyncio.sleep(12)
        assert Trouble.INBOX_FLOODED not in [recovery.trouble for recovery in post.notices.take_recovered()]
        await asyncio.sleep(10)
        assert [recovery.trouble for recovery in post.notices.take_recovered()].count(Trouble.INBOX_FLOODED) == 1

    at_post(story)


def test_more_than_can_be_listed_is_told() -> None:
    """Also where all of it seems to be still written."""

    async def story(post: Post) -> None:
        post.folder.more = True
        await asyncio.sleep(1)
        assert [(trouble, "more than can be listed" in text) for trouble, text in post.told()] == [
            (Trouble.INBOX_FLOODED, True)
        ]
        post.folder.more = False
        post.put(answer())
        await asyncio.sleep(1)
        assert post.refs == ["answer0000"]
        assert Trouble.INBOX_FLOODED in [recovery.trouble for recovery in post.notices.take_recovered()]

    at_post(story)


def test_what_is_no_entry_is_removed_and_told_once() -> None:
    """Links, folders, FIFOs, what is too big, unknown or misnamed: nothing of it in the ledger, and nothing repeated."""

    async def story(post: Post) -> None:
        name = entry_name(EntryName(post.clock.now(), answer().kind, "other00001"))
        good = post.put(answer(7))
        data = post.folder.files.pop(good).data
        for file in (
            InboxFile("x", fault="it is a symbolic link"),
            InboxFile("a\nb\x1b[31m", fault="it is a folder"),
            InboxFile(name, b"", "", True),
            InboxFile(name + "x", data, "", True),
            InboxFile(name.replace("other00001", "big0000001"), b"{" * 9000, "", True),
            InboxFile(name.replace("other00001", "swapped001"), data, "", True),
            InboxFile(good.replace("-answer-", "-word-"), data, "", True),
            InboxFile(
                name.replace("other00001", "unknown001"), data.replace(b'"kind"', b'"secret": 1, "kind"'), "", True
            ),
        ):
            post.folder.put_file(file)
        await asyncio.sleep(1)
        assert (post.refs, post.ledger.pages.arrivals, post.folder.files) == ([], [], {})
        texts = [text for trouble, text in post.told() if trouble is Trouble.INBOX_REFUSED]
        assert 1 <= len(texts) <= 3
        assert not any("\x1b" in text or "secret" in text or "\n" in text for text in texts)

    at_post(story)


def test_who_may_leave_what() -> None:
    """What the web side leaves counts from its own user alone, and what commands leave from every other user."""

    async def story(post: Post) -> None:
        post.put(answer(1), of_web_side=False)
        post.put(WordEntry("word000001", "pull", "the pull was refused"), of_web_side=False)
        await asyncio.sleep(1)
        assert (post.refs, post.folder.files) == ([], {})
        told = dict(post.told())
        assert told[Trouble.PULL_REFUSED] == "the pull was refused"
        assert "sam has left it" in told[Trouble.INBOX_REFUSED]

    at_post(story)


def test_a_pass_counts_from_who_may_write_incident_files() -> None:
    """A command's word for whoever it names, as `tocsin ack` writes it: it comes before other entries, and from
    somebody who may only read it is refused and told.
    """

    async def story(post: Post) -> None:
        post.put(WordEntry("word000001", "pull", "the pull was refused"), of_web_side=False, ago=9)
        post.put(CommandAnswerEntry("pass000001", "pay", 1, "ana", Answer.PASS), of_web_side=False, of_responder=True)
        post.put(CommandAnswerEntry("pass000002", "pay", 1, "bo", Answer.PASS), of_web_side=False)
        await asyncio.sleep(1)
        assert (post.refs, post.folder.files) == (["pass000001"], {})
        (arrival,) = [arrival for arrival, _ in post.ledger.pages.arrivals if arrival.kind is ArrivalKind.ANSWER]
        assert (arrival.who, arrival.body) == ("ana", "pass 1 pay")
        told = dict(post.told())
        assert "an entry (command_answer) in the inbox was refused: sam has left it" in told[Trouble.INBOX_REFUSED]

    at_post(story)


def test_an_order_to_prune_counts_from_who_owns_the_ledger() -> None:
    """What it takes away nobody brings back: a responder, or the web side, cannot order it."""

    async def story(post: Post) -> None:
        post.put(PruneEntry("prune00001", post.clock.now()), of_web_side=False, of_responder=True)
        await asyncio.sleep(1)
        assert (post.refs, post.folder.files) == ([], {})
        told = dict(post.told())
        assert "sam has left it, and only root and the daemon's own user may prune" in told[Trouble.INBOX_REFUSED]
        post.put(PruneEntry("prune00002", post.clock.now()))
        await asyncio.sleep(1)
        assert post.refs == ["prune00002"]

    at_post(story)


@pytest.mark.parametrize(
    "entry",
    [
        PruneEntry("prune00001", datetime(2026, 11, 23, tzinfo=UTC)),
        CommandAnswerEntry("pass000001", "pay", 1, "ana", Answer.PASS),
        WordEntry("word000001", "pull", "call me"),
        ResubscribeEntry("again00001", "x@example.com"),
    ],
)
def test_a_web_side_that_was_taken_over_leaves_no_words(entry: InboxEntry) -> None:
    """What it writes in the name of a command reaches no operator, and takes back nothing: it is refused and told."""

    async def story(post: Post) -> None:
        post.put(entry, ours=False)
        await asyncio.sleep(1)
        assert (post.refs, post.folder.files) == ([], {})
        ((trouble, text),) = post.told()
        assert trouble is Trouble.INBOX_REFUSED
        assert "the web side's user has left it" in text
        assert "call me" not in text

    at_post(story)


@pytest.mark.parametrize(
    "forged",
    [
        answer(key="another key altogether"),
        answer(person="bo"),
        answer(incident="db"),
        answer(episode=2),
        answer(signature=""),
    ],
)
def test_a_signature_is_checked_again(forged: AnswerEntry) -> None:
    """By every key: the web side's word is not enough; nothing of it stands in the ledger, and operators hear why."""

    async def story(post: Post) -> None:
        post.put(forged)
        post.put(answer(2, key=OLD_KEY))
        await asyncio.sleep(1)
        assert post.refs == ["answer0002"]
        assert len(post.ledger.pages.arrivals) == 1
        assert "TOCSIN_WEB__SIGNING_KEY" in dict(post.told())[Trouble.INBOX_REFUSED]

    at_post(story)


def test_strangers_bring_no_word_to_operators() -> None:
    """Anybody can call a webhook: what is not signed is in the log only, a few lines a minute, and leaves no trace."""

    async def story(post: Post) -> None:
        for number in range(100):
            post.put(webhook(number))
        await asyncio.sleep(10)
        assert (post.told(), post.ledger.pages.arrivals, post.folder.files) == ([], [], {})

    at_post(story)


def test_words_are_told_while_they_are_news() -> None:
    """Of pulls and of what only another version knows; one that is an hour old, or older, is told to nobody."""

    async def story(post: Post) -> None:
        post.put(WordEntry("word000001", "pull:main", "old"), ago=TOLD_WITHIN.total_seconds())
        post.put(WordEntry("word000002", "pull:main", "late"), ago=TOLD_WITHIN.total_seconds() - 5)
        post.put(WordEntry("word000003", "elsewhere", "new"), ago=-50)
        await asyncio.sleep(1)
        assert post.told() == [(Trouble.PULL_REFUSED, "late"), (Trouble.WORD_LEFT, "new")]

    at_post(story)


def test_a_ledger_in_trouble_loses_nothing() -> None:
    """What was not recorded lies there still, and is judged once it can be."""

    async def story(post: Post) -> None:
        await asyncio.sleep(3)
        post.ledger.trouble = "disk full"
        post.put(answer())
        await asyncio.sleep(5)
        assert (post.refs, len(post.folder.files)) == ([], 1)
        post.ledger.trouble = ""
        await asyncio.sleep(2)
        assert (post.refs, post.folder.files) == (["answer0000"], {})

    at_post(story)


def test_a_kill_between_the_record_and_the_removal() -> None:
    """Read again after the start it is the same arrival, judged once."""

    async def story(post: Post) -> None:
        post.put(answer())
        await post.feed.look(1)
        assert len(post.folder.files) == 1
        again = Post(post.clock)
        again.ledger.pages.arrivals.extend(post.ledger.pages.arrivals)
        again.folder.files.update(post.folder.files)
        await again.feed.look(1)
        await again.feed.look(1)
        assert (post.refs, again.refs, again.folder.files) == (["answer0000"], [], {})

    at_post(story, runs=False)


def test_what_cannot_be_removed_is_passed_over() -> None:
    """It is judged once, operators hear of it, and what comes after it is judged."""

    async def story(post: Post) -> None:
        post.folder.stuck.add(post.put(answer()))
        await asyncio.sleep(5)
        post.put(answer(1))
        await asyncio.sleep(1)
        assert post.refs == ["answer0000", "answer0001"]
        ((trouble, text),) = post.told()
        assert (trouble, "cannot be removed (operation not permitted)" in text) == (Trouble.INBOX_REFUSED, True)

    at_post(story)


def test_who_renames_what_cannot_be_removed_fills_no_memory() -> None:
    """Names that are passed over are forgotten once nothing is called so; and what comes later under the name of
    something that was removed is judged.
    """

    async def scenario(clock: VirtualClock) -> None:
        post = Post(clock)
        for number in range(20):
            post.folder.stuck = {f"junk {number}"}
            post.folder.files.pop(f"junk {number - 1}", None)
            post.folder.put_file(InboxFile(f"junk {number}", fault="it is a folder"))
            for _ in range(3):
                await post.feed.look(1)
        assert len(post.feed.passed_over) <= 2
        name = post.put(answer(1, key="nobody's"))
        for _ in range(3):
            await post.feed.look(1)
        assert name not in post.folder.files
        post.folder.put_file(replace(InboxFile(name, write_entry(answer(1))), of_web_side=True))
        for _ in range(3):
            await post.feed.look(1)
        assert [ref for _, ref in post.judged] == ["answer0001"]

    run_virtually(scenario)


@pytest.mark.parametrize("hangs", [True, False])
def test_a_folder_that_does_not_answer_is_told(hangs: bool) -> None:
    """Or that cannot be read; when it is back, what lay there counts, and operators hear that it is over."""

    async def story(post: Post) -> None:
        post.put(answer())
        if hangs:
            post.folder.hangs = back = asyncio.Event()
        else:
            post.folder.away = "the inbox /x cannot be read"
        await asyncio.sleep(50)
        assert post.refs == []
        assert [trouble for trouble, _ in post.told()] == [Trouble.INBOX_UNUSABLE]
        post.folder.hangs, post.folder.away = None, ""
        if hangs:
            back.set()
        await asyncio.sleep(5)
        assert post.refs == ["answer0000"]
        assert Trouble.INBOX_UNUSABLE in [recovery.trouble for recovery in post.notices.take_recovered()]

    at_post(story)


@pytest.mark.parametrize("away", ["", "the inbox is missing"])
def test_a_start_knows_when_its_answers_are_judged(away: str) -> None:
    """Rule 62: late steps wait for the answers that lay there, and for nothing that cannot be."""

    async def story(post: Post) -> None:
        post.folder.away = away
        for number in range(300):
            post.put(answer(number))
        assert not post.feed._read_once.is_set()
        await asyncio.wait_for(post.feed.first_read(), 4)
        assert len(post.refs) == (0 if away else 300)

    at_post(story)


def test_a_fault_of_ours_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that the gate cannot cope with is told and removed; the next one counts."""
    admit = Gate.admit

    def breaks(self: Gate, file: InboxFile) -> Any:
        if "answer0001" in file.name:
            raise KeyError("secret")
        return admit(self, file)

    monkeypatch.setattr(Gate, "admit", breaks)

    async def story(post: Post) -> None:
        for number in range(3):
            post.put(answer(number))
        await asyncio.sleep(1)
        assert (post.refs, post.folder.files) == (["answer0000", "answer0002"], {})
        assert [trouble for trouble, _ in post.told()] == [Trouble.INBOX_REFUSED]

    at_post(story)


def test_what_the_ledger_does_not_take_is_heard() -> None:
    """Rule 54: alerts and answers among it are judged by what this process knows, and lie there until it takes them."""

    async def story(post: Post) -> None:
        post.ledger.trouble = "away"
        post.put(WordEntry("word000001", "pull", "the pull was refused"), of_web_side=False)
        post.put(AlertEntry("alert00001", "abcdefgh", "title", "", 0, T0, ()))
        post.put(answer(1))
        await asyncio.sleep(5)
        assert (set(post.heard), post.judged) == ({"alert00001", "answer0001"}, [])
        post.ledger.trouble = ""
        await asyncio.sleep(5)
        assert "answer0001" in post.refs

    at_post(story)
