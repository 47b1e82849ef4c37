"""Alerts that wait for the daemon: in their order, never lost, never twice; and how small they are on the way."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from tocsin.adapters.files.incident_writer import IncidentFiles
from tocsin.app.alerts.apply import AlertIncidents
from tocsin.app.alerts.entries import alert_entries
from tocsin.app.alerts.payload import AlertGroup
from tocsin.app.alerts.words import NOT_NOW, NOT_SET, TOO_MANY
from tocsin.app.arrivals.alert_feed import AlertFeed
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import AlertEntry, Arrival, ArrivalKind
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.formats.inbox.entries import ENTRY_MOST, read_entry, write_entry
from tocsin.formats.settings.settings import AlertmanagerSettings, WebSettings

from tests.builders.active_config import settings
from tests.builders.policies import shipped_policy
from tests.fakes.clock import StillClock
from tests.fakes.ledger import MemoryLedger
from tests.unit.alerts import T0, alert, group

ALERTS = AlertmanagerSettings(severities={"critical": "sev1"}, default_severity="sev3")
NO_LINKS = [[["x", "javascript:alert(1)"]], [["x", "tel:+4930123456"]], [["", "https://example.com"]], [["x"]], "x"]
REFS = (f"reference{number}" for number in count())
MINUTE = timedelta(minutes=1)


def entries(told: AlertGroup) -> list[AlertEntry]:
    return alert_entries(told, ALERTS, lambda value: 0 if value == "critical" else 1, REFS)


class TickingClock(StillClock):
    """As a real clock: each look at it is later than the one before."""

    def now(self) -> datetime:
        self.go(timedelta(microseconds=1))
        return super().now()


class Feed:
    """The daemon's side of alerts, over a real folder."""

    def __init__(self, folder: Path, alerts: AlertmanagerSettings | None = ALERTS) -> None:
        self.folder, self.ledger, self.clock = folder / "incidents", MemoryLedger(), TickingClock(T0)
        self.notices = Notices(self.clock)
        config = ActiveConfig(shipped_policy(), settings(web=WebSettings(alertmanager=alerts)))
        incidents = AlertIncidents(IncidentFiles(self.folder))
        self.feed = AlertFeed(self.clock, self.ledger, config, self.notices, incidents)

    async def hear(self, told: AlertGroup) -> None:
        """A notification came in now."""
        for entry in entries(told):
            body = write_entry(entry).decode()
            await self.ledger.record_arrival(Arrival(ArrivalKind.ALERT, entry.ref, entry.group, body, self.clock.now()))

    async def results(self) -> list[str | None]:
        """Look, and say what became of each."""
        await self.feed.look()
        return [result for _, result in self.ledger.pages.arrivals]

    def files(self) -> list[str]:
        return [path.read_text() for path in self.folder.glob("*.yaml")] if self.folder.is_dir() else []

    def told(self) -> list[str]:
        """What operators are to hear."""
        return [word.text for word in self.notices.take() if isinstance(word, OperatorNotice)]


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    return Feed(tmp_path)


async def test_what_came_while_no_daemon_ran(feed: Feed) -> None:
    """It fired, was told again, and ended: one incident, which is resolved from its first version on, so that nobody is
    woken for what is over (rule 20); looked at again it changes nothing.
    """
    await feed.hear(group(alert()))
    await feed.hear(group(alert()))
    await feed.hear(group(alert(ended=9)))
    feed.clock.go(60 * MINUTE)
    assert await feed.results() == ["resolved", "nothing", "changed"]
    assert await feed.results() == ["resolved", "nothing", "changed"]
    (text,) = feed.files()
    assert "stopped firing" in text
    assert "alert firing" not in text
    assert '  Alertmanager: "http://alertmanager.example.com:9093/#/alerts?filter=' in text


async def test_what_fires_again_by_the_time_it_is_judged_pages(feed: Feed) -> None:
    """Only the last word counts as the end: what came after it is not over. Nor is what began after the end."""
    await feed.hear(group(alert()))
    await feed.hear(group(alert(ended=9)))
    await feed.hear(group(alert("b", began=10)))
    feed.clock.go(60 * MINUTE)
    assert await feed.results() == ["declared", "resolved", "reopened"]
    (text,) = feed.files()
    assert "status: investigating" in text


async def test_what_is_over_already_takes_room_as_well(feed: Feed) -> None:
    """P8: whoever can forge alerts writes no files without end either, by ending each at once."""
    for number in range(60):
        await feed.hear(named(number))
        await feed.hear(named(number, ended=9))
    feed.clock.go(MINUTE)
    await feed.results()
    assert len(feed.files()) == 50


async def test_an_end_from_before_ends_nothing_that_began_since(feed: Feed) -> None:
    """Notifications can overtake each other."""
    await feed.hear(group(alert(began=10)))
    await feed.hear(group(alert("b", ended=9)))
    feed.clock.go(60 * MINUTE)
    assert await feed.results() == ["declared", "nothing"]


async def test_what_flapped_while_no_daemon_ran_opens_nothing_again(feed: Feed) -> None:
    """It was over before, fired and ended anew: what is resolved stays so, at every instant."""
    await feed.hear(group(alert()))
    await feed.results()
    await feed.hear(group(alert(ended=9)))
    feed.clock.go(10 * MINUTE)
    await feed.results()
    feed.clock.go(10 * MINUTE)
    await feed.hear(group(alert("b", began=15)))
    await feed.hear(group(alert("b", began=15, ended=18)))
    assert (await feed.results())[2:] == ["changed", "nothing"]
    (text,) = feed.files()
    assert "status: resolved" in text
    await feed.hear(group(alert("b", began=15)))  # an old word that comes late
    feed.clock.go(MINUTE)
    assert "status: resolved" in feed.files()[0]


@pytest.mark.parametrize(("began", "written"), [("08:53:10.5", "08:53:10"), ("23:59:00", None), ("0001", "")])
async def test_an_incident_began_when_the_first_of_its_alerts_did(feed: Feed, began: str, written: str | None) -> None:
    """Not when we heard of it; never in the future; a zero time of Go says nothing."""
    day = f"{T0:%Y-%m-%d}"
    starts = "0001-01-01T00:00:00Z" if began == "0001" else f"{day}T{began}Z"
    others = [alert(), alert("CritB")]
    await feed.hear(
        group(*({**one, "startsAt": starts} for one in others[:1]), *([] if began == "0001" else others[1:]))
    )
    await feed.results()
    (text,) = feed.files()
    lines = [line for line in text.splitlines() if line.startswith("started_at")]
    if written == "":
        assert lines == []
    else:
        assert lines == [f"started_at: {day}T{written}Z" if written else f"started_at: {T0:%Y-%m-%dT%H:%M:%SZ}"]


async def test_its_day_is_that_on_which_it_came_in(tmp_path: Path) -> None:
    """Two machines judge the same, one of them when its database is back, and midnight has passed: it is one incident."""
    soon, later = Feed(tmp_path / "soon"), Feed(tmp_path / "later")
    for feed, waited in ((soon, MINUTE), (later, 24 * 60 * MINUTE)):
        await feed.hear(group(alert()))
        feed.clock.go(waited)
        assert await feed.results() == ["declared"]
    (name,) = [path.name for path in soon.folder.glob("*.yaml")]
    assert name.startswith(f"{T0:%Y-%m-%d}-")
    assert [path.name for path in later.folder.glob("*.yaml")] == [name]


async def test_a_kill_between_the_file_and_the_record(feed: Feed) -> None:
    """Judged again it is known: nothing is declared twice."""
    await feed.hear(group(alert()))
    assert await feed.results() == ["declared"]
    feed.ledger.pages.arrivals[0] = (feed.ledger.pages.arrivals[0][0], None)
    assert await feed.results() == ["nothing"]
    assert len(feed.files()) == 1


async def test_a_folder_that_cannot_be_written(feed: Feed) -> None:
    """Whoever waits hears that it is to be said again; nobody waits for what came earlier, so it is held and told to the
    operators until it is written. Another group's alerts do not wait for it longer than for the folder.
    """
    feed.folder.write_text("no folder")
    await feed.hear(group(alert()))
    assert await feed.results() == ["not taken"]
    assert (await feed.ledger.outcome(ArrivalKind.ALERT, feed.ledger.pages.arrivals[0][0].ref)).words == NOT_NOW  # type: ignore[union-attr]
    assert feed.told() == []
    await feed.hear(group(alert()))
    await feed.hear(group(alert(ended=9)))
    feed.clock.go(MINUTE)
    for _ in range(3):
        assert await feed.results() == ["not taken", None, None]
    (text,) = feed.told()
    assert text.startswith('alerts wait ("Errors on a"): ')
    feed.folder.unlink()
    assert await feed.results() == ["not taken", None, None]
    feed.clock.go(MINUTE)
    assert await feed.results() == ["not taken", "resolved", "changed"]
    assert feed.told() == []


async def test_a_late_word_is_held_while_nobody_hears_409(feed: Feed) -> None:
    """Told as firing right after its end: who waits hears 409 and says it again. If nobody does it counts once two
    minutes have passed, unless something newer came of its group.
    """
    await feed.hear(group(alert()))
    await feed.hear(group(alert(ended=9)))
    await feed.hear(group(alert()))
    assert await feed.results() == ["declared", "resolved", "too soon"]
    await feed.hear(group(alert()))
    feed.clock.go(MINUTE / 2)
    assert (await feed.results())[3:] == [None]
    feed.clock.go(3 * MINUTE)
    assert (await feed.results())[3:] == ["reopened"]
    await feed.hear(group(alert(ended=9)))
    await feed.feed.look()
    await feed.hear(group(alert()))
    await feed.hear(group(alert(ended=9)))
    feed.clock.go(MINUTE / 2)
    assert (await feed.results())[4:] == ["resolved", "nothing", "nothing"]


async def test_alerts_open_so_many_incidents_and_no_more(feed: Feed) -> None:
    """A web side that was taken over pages nobody without end with titles of its own (P8): the operators hear of it, a
    worse severity has room of its own, and what is true is said again, or waits, until there is room.
    """
    for number in range(60):
        await feed.hear(named(number))
    assert Counter(await feed.results()) == {"declared": 50, "not taken": 10}
    assert (await feed.ledger.outcome(ArrivalKind.ALERT, feed.ledger.pages.arrivals[-1][0].ref)).words == TOO_MANY  # type: ignore[union-attr]
    many, text = feed.told()
    assert many == 'alerts have opened 50 incidents within 10 min; the newest is "Words 49"'
    assert text == 'alerts would open more than 50 incidents of sev3 at once; the newest is "Words 59"'
    await feed.hear(named(60, severity="critical"))
    assert (await feed.results())[-1] == "declared"
    feed.clock.go(timedelta(seconds=13))
    for number in range(61, 64):
        await feed.hear(named(number))
    assert (await feed.results())[-3:] == ["declared", "declared", "not taken"]
    assert len(feed.files()) == 53


async def test_alerts_without_room_wait_where_nobody_hears_so(feed: Feed) -> None:
    """What came while no daemon ran is declared in its order, as there is room; then operators hear that it is over."""
    for number in range(52):
        await feed.hear(named(number))
    feed.clock.go(MINUTE)
    assert Counter(await feed.results()) == {"declared": 50, None: 2}
    assert len(feed.told()) == 2
    feed.clock.go(MINUTE)
    assert Counter(await feed.results()) == {"declared": 52}
    assert feed.notices.take_recovered() != ()


async def test_operators_hear_when_alerts_open_many_incidents(feed: Feed) -> None:
    """Twenty in ten minutes are told to nobody, one more at once, and that it is over once ten minutes had few."""
    for number in range(20):
        await feed.hear(named(number))
    assert Counter(await feed.results()) == {"declared": 20}
    assert feed.told() == []
    await feed.hear(named(20))
    await feed.feed.look()
    assert feed.told() == ['alerts have opened 21 incidents within 10 min; the newest is "Words 20"']
    feed.clock.go(9 * MINUTE)
    await feed.hear(named(21))
    await feed.feed.look()
    assert feed.told() == [], "once an hour"
    assert Trouble.ALERTS_MANY not in [recovery.trouble for recovery in feed.notices.take_recovered()]
    feed.clock.go(2 * MINUTE)
    await feed.feed.look()
    assert [recovery.trouble for recovery in feed.notices.take_recovered()].count(Trouble.ALERTS_MANY) == 1


def named(number: int, ended: float | None = None, **labels: str) -> AlertGroup:
    """Alerts of a group of their own, with a title of their own."""
    return group(
        alert(ended=ended, **labels), groupKey=f"group {number}", commonAnnotations={"summary": f"Words {number}"}
    )


async def test_a_daemon_that_takes_no_alerts(tmp_path: Path) -> None:
    """A setting that only the web side has: it is said, and nothing is written."""
    feed = Feed(tmp_path, None)
    await feed.hear(group(alert()))
    assert await feed.results() == ["not taken"]
    judged = await feed.ledger.outcome(ArrivalKind.ALERT, feed.ledger.pages.arrivals[0][0].ref)
    assert judged is not None
    assert judged.words == NOT_SET
    assert feed.files() == []


async def test_what_cannot_be_judged_holds_up_nobody(feed: Feed) -> None:
    """A row that somebody else wrote is set aside and told; the alerts behind it count."""
    await feed.ledger.record_arrival(Arrival(ArrivalKind.ALERT, "x", "group", "{}", T0))
    await feed.hear(group(alert()))
    assert await feed.results() == ["broken", "declared"]
    assert "could not be judged" in feed.told()[0]


@pytest.mark.parametrize("number", [1, 20, 900, 9000])
@pytest.mark.parametrize("words", ["", '"\\' * 900, "🙂" * 3000])
def test_entries_are_small(number: int, words: str) -> None:
    """Whatever the notification's size, each entry has room in a file of the inbox, is read as it was written, and
    together they name every alert; the worst come first.
    """
    alerts = [alert(f"host-{n}", severity="critical" if n % 3 == 0 else words[:50]) for n in range(number)]
    for n, one in enumerate(alerts[:50]):
        one |= {"generatorURL": f"https://prometheus.example.com/{n}?" + "é" * 100}
    told = entries(group(*alerts, commonAnnotations={"description": words, "summary": words}))
    for entry in told:
        data = write_entry(entry)
        assert len(data) <= ENTRY_MOST
        assert read_entry(data) == entry
    marks = [mark for entry in told for some in entry.firing for mark in some.all_marks]
    assert len(set(marks)) == len(marks) == number
    assert told[0].firing[0].severity == "critical"
    assert len(told) <= 1 + number // 100


@pytest.mark.parametrize(
    "changes",
    [
        {"marks": "abcdefg"},
        {"marks": "abcdefgh!"},
        {"marks": ""},
        {"newest_at": "2026-11-23T10:00:00"},
        {"newest_at": 5},
        {"severity": None},
        {"service": "x" * 256},
        {"more": "x"},
    ],
)
def test_what_is_no_entry(changes: dict[str, object]) -> None:
    """Whatever a web side that was taken over leaves: a value that is none is refused, with the whole entry."""
    (entry,) = entries(group(alert()))
    values = json.loads(write_entry(entry))
    assert read_entry(json.dumps(values).encode()) == entry
    values["firing"][0] |= changes
    assert isinstance(read_entry(json.dumps(values).encode()), str)
    for name, value in (
        ("group", "../x"),
        ("title", ""),
        ("title", "x" * 256),
        ("truncated", -1),
        ("ended_at", "now"),
        *(("links", links) for links in NO_LINKS),
    ):
        assert isinstance(read_entry(json.dumps(json.loads(write_entry(entry)) | {name: value}).encode()), str)


def test_every_kind_of_many_services() -> None:
    """A service each: no entry is too big, none is left out."""
    alerts = [alert(f"host-{n}", service=f"service {n} " + "é" * 300) for n in range(300)]
    told = entries(group(*alerts))
    assert all(len(write_entry(entry)) <= ENTRY_MOST for entry in told)
    assert sum(len(entry.firing) for entry in told) == 300


async def test_a_storm_is_one_incident(feed: Feed) -> None:
    """Nine thousand alerts in many entries: one file that knows all, and nothing when they are told again."""
    storm = group(*(alert(f"host-{n}", severity="critical" if n == 8000 else "") for n in range(9000)))
    await feed.hear(storm)
    number = len(feed.ledger.pages.arrivals)
    assert number > 5
    assert (await feed.results())[0] == "declared"
    (text,) = feed.files()
    assert "severity: sev1" in text
    await feed.hear(storm)
    assert set((await feed.results())[number:]) == {"nothing"}
    assert feed.files() == [text]


async def test_the_loop_is_not_held_up(feed: Feed) -> None:
    """Whatever touches the folder does so in a thread."""
    await feed.hear(group(alert()))
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await feed.feed.look()
    ticking.cancel()
    assert ticks > 3
