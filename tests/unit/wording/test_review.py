"""The review draft: strangers' text stays text, everything that happened is there in time order, edits are noticed."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.domain.delivery import Accepted, Attempt, Deferred, Outcome, Receipt, Record, Refused, Uncertain
from tocsin.domain.facts import Answer, Answered, ChannelRefused, Fact, PageLost, RoleOpened, Seen, StepFired
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status, TimelineNote, UpdateEntry
from tocsin.domain.notification import Kind, Notification, Reason, Suppression, Why
from tocsin.domain.people import Channel
from tocsin.planning.history.fold import apply_fact
from tocsin.text.markdown import flowing, inline, markdown
from tocsin.wording.report.deliveries import deliveries
from tocsin.wording.report.review import STORY_MOST, draft, unedited
from tocsin.wording.report.timeline import TimelineStep

from tests.builders.policies import small_policy
from tests.unit.wording.records import record

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
CARD = Incident("card", "Card payments fail", "sev1")
PAGE = Notification("k", "card", 1, Kind.PAGE, Reason.ESCALATED, T0, "bo", Channel.SMS, ("scribe",), level=1, round=2)


def after(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def steps(*facts: Fact) -> list[TimelineStep]:
    """Each fact between the histories before and after it."""
    found: list[TimelineStep] = []
    history = History()
    for fact in facts:
        found.append(TimelineStep(fact, history, apply_fact(history, fact)))
        history = found[-1].after
    return found


def page(*facts: Fact, records: tuple[Record, ...] = ()) -> str:
    return draft(steps(*facts), records, small_policy()).decode()


def messages(*records: Record) -> list[tuple[datetime, str]]:
    """What is told of messages, and when, as Markdown."""
    return [(at, markdown(words)) for at, words in deliveries(records, small_policy())]


def timeline(text: str) -> list[str]:
    """The entries of a page's timeline, without the marks of the list."""
    listed = text.split("## Timeline")[1].split("\n## ", maxsplit=1)[0]
    return [line.removeprefix("- **").replace("** ", " ", 1) for line in listed.splitlines() if line.startswith("- **")]


HOSTILE = (
    "# heading", "- list", "+ list", "1. list", "12) list", "> quote", "```", "~~~", "---", "===", "***", "_under_",
    "**bold**", "[a](http://b.example)", "![i](x)", "<script>", "<!-- x -->", "&lt;", "a | b", "a\\", "$x$", "`code`",
    "    code", ":--",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_marks_are_plain_characters(text: str) -> None:
    """Nothing that means something in Markdown or HTML is left unescaped, wherever the text stands."""
    for shown in (inline(text), flowing(f"first\n{text}\n\n{text}").split("\n")[-1]):
        bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", shown)
        assert not re.search(r"[`*_\[\]<>|~&$\\]", bare)
        assert not re.match(r"\s|[#+\-=:>]|\d+[.)]", shown)
        assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown) == text.strip()


@given(st.text())
def test_any_text_is_read_back(text: str) -> None:
    """Without the escapes and our line breaks the lines are those that were written."""
    shown = flowing(text, "  ")
    lines = [line.removeprefix("  ") for line in re.sub(r"(?<!\\)((?:\\\\)*)\\\n", r"\1\n", shown).split("\n")]
    plain = [re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", line) for line in lines if line]
    assert [inline(line) for line in plain] == [line for line in map(inline, flowing_lines(text)) if line]


def flowing_lines(text: str) -> list[str]:
    from tocsin.text.cleaning import clean

    return clean(text).split("\n")


def test_the_whole_story_in_time_order() -> None:
    """Versions and what changed, acceptances, notes, updates and passes, each at its own instant in UTC."""
    later = replace(
        CARD,
        status=Status.IDENTIFIED,
        severity="sev2",
        eta=after(60),
        roles=(("scribe", "chen"),),
        updates=(UpdateEntry("Found *it*\n# really", "We know", after(1), "chen"),),
        timeline=(TimelineNote("Looked at it", None, "eli"),),
    )
    over = replace(later, status=Status.RESOLVED, resolution="Failed over")
    text = page(
        Seen(T0, CARD),
        RoleOpened(T0, "technical_lead", Reason.DECLARED),
        StepFired(T0, "technical_lead", 1, 0, ("bo",)),
        Answered(after(1.5), "bo", Answer.OK),
        Seen(after(2), later),
        Answered(after(3), "bo", Answer.PASS),
        ChannelRefused(after(4), "bo", Channel.SMS),
        PageLost(after(5), "bo", T0),
        StepFired(after(6), "technical_lead", None, None, ()),
        Seen(after(7), over),
        Seen(after(8), over, "digest"),
    )
    assert timeline(text) == [
        "10:00:00 **Declared**: Card payments fail; severity SEV1, status investigating",
        "10:01:00 **Update** by Chen Li: Found \\*it\\*\\",
        "10:01:30 Bo Berg answered “ok”",
        "10:01:30 **Bo Berg accepted technical\\_lead**",
        "10:02:00 File changed: severity lowered from SEV1 to SEV2; status investigating → identified; "
        "ETA none → 2026-11-23 11:00:00 UTC; Chen Li assigned as scribe",
        "10:02:00 **Note** by eli: Looked at it",
        "10:03:00 Bo Berg answered “pass”",
        "10:03:00 Bo Berg no longer holds technical\\_lead",
        "10:04:00 Bo Berg cannot be reached by sms any more: refused for good",
        "10:05:00 The page of 2026-11-23 10:00:00 UTC to Bo Berg reached nobody",
        "10:06:00 The last resort for technical\\_lead reached nobody",
        "10:07:00 **Resolved**: status identified → resolved; resolution: Failed over",
        "10:08:00 File saved, with no change that counts",
    ]
    assert "Found \\*it\\*\\\n  \\# really\\\n  *in public:* We know\n" in text
    assert "| Duration | 7 minutes, from 2026-11-23 10:00:00 UTC to 2026-11-23 10:07:00 UTC |" in text
    assert "| technical\\_lead | Bo Berg | 2026-11-23 10:01:30 UTC |" in text
    assert "## Resolution\n\nFailed over\n" in text
    for heading in ("What went well", "What went badly", "Where we got lucky", "Action items"):
        assert f"\n## {heading}\n" in text


def test_episodes_and_days() -> None:
    """A reopened incident tells each episode's duration; each day has its own heading; nobody's role says so."""
    again = replace(CARD, declared_by="Ana", drill=True)
    over = replace(CARD, status=Status.RESOLVED)
    opened = RoleOpened(after(24 * 60), "technical_lead", Reason.REOPENED)
    text = page(Seen(T0, CARD), Seen(after(90), over), Seen(after(24 * 60), again), opened)
    assert "| Duration | 1 hour 30 minutes, from" in text
    assert "| Reopened, episode 2 | from 2026-11-24 10:00:00 UTC, still open |" in text
    assert re.findall("^### (.*)$", text, re.MULTILINE) == ["2026-11-23", "2026-11-24"]
    assert "**Reopened** by Ana Souza (a drill): Card payments fail" in text
    assert text.startswith("# Drill: Card payments fail\n")
    by_bo = [replace(version, declared_by="Bo") for version in (CARD, over, CARD)]
    same = page(*(Seen(after(at), version) for at, version in zip((0, 90, 24 * 60), by_bo, strict=True)), opened)
    assert "**Declared** by Bo" in same
    assert "**Reopened**: Card payments fail" in same  # who declared it need not have
    assert "| technical\\_lead | nobody | never |" in text


def test_an_edited_entry_is_told_once() -> None:
    """An entry that was mended stands as it last stood, when it was first written; a removed one stays."""
    notes = [replace(CARD, timeline=(TimelineNote("One", by=by), TimelineNote("Two"))) for by in ("", "eli")]
    text = page(Seen(T0, CARD), Seen(after(1), notes[0]))
    assert "File" not in text.partition("\n## Timeline")[2]  # what is new stands there itself
    text = page(Seen(T0, notes[0]), Seen(after(1), notes[1]), Seen(after(2), CARD))
    assert text.count("File changed: `timeline` edited") == 2
    assert [line for line in timeline(text) if "Note" in line] == [
        "10:00:00 **Note** by eli: One",
        "10:00:00 **Note**: Two",
    ]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Accepted("id"), "SMS accepted 10:00:00 at try 2"),
        (Deferred("busy", "421"), "SMS put off 10:00:00 at try 2 (421 busy)"),
        (Refused("550 <no> such user", "550"), "SMS refused 10:00:00 at try 2 (550 \\<no\\> such user)"),
        (Uncertain("timed out"), "SMS uncertain 10:00:00 at try 2 (timed out)"),
        (None, "SMS on its way"),
    ],
)
def test_how_a_message_ended(outcome: Outcome | None, said: str) -> None:
    """In the provider's words, after how many tries, what came later, and whether it may have gone twice."""
    first = Attempt("1", "k", 1, Channel.SMS, "x", T0, Deferred("busy"), T0)
    attempt = Attempt("1", "k", 2, Channel.SMS, "x", T0, outcome, T0 if outcome else None)
    what = "Page to Bo Berg as scribe (escalated, level 1, round 2): "
    assert messages(record(PAGE, (first, attempt))) == [(T0, what + said)]
    twice = record(PAGE, (first, replace(attempt, possible_duplicate="killed")), Receipt.UNDELIVERED)
    assert messages(twice) == [(T0, f"{what}{said}, undelivered, possibly a second copy (killed)")]
    off = replace(attempt, receipt=Receipt.UNDELIVERED, receipt_code="30003")
    told = f"{what}{said}, undelivered: the phone is off or out of reach (30003)"
    assert messages(record(PAGE, (first, off), Receipt.UNDELIVERED)) == [(T0, told)]


def test_who_carried_a_message_and_in_what_company() -> None:
    """P6: the provider is named where it is not the only one, with those that were passed over; a bundle by how many
    other pages left in it.
    """
    put_off = Attempt("1", "k", 1, Channel.SMS, "x", T0, Deferred("busy", "421"), T0, provider="main")
    taken = Attempt("2", "k", 2, Channel.SMS, "x", T0, Accepted("id"), T0, provider="spare_1", bundle="b")
    what = "Page to Bo Berg as scribe (escalated, level 1, round 2): "
    page = record(PAGE, (put_off, taken), Receipt.DELIVERED)
    said = f"{what}SMS accepted 10:00:00 by spare\\_1, after main put off (421 busy)"
    assert messages(page) == [(T0, f"{said}, delivered")]
    for others, words in ((1, "1 other page"), (4, "4 other pages")):
        bundled = replace(page, bundled_with=(PAGE,) * others)
        assert messages(bundled) == [(T0, f"{said}, in one message with {words}, delivered")]
    alone = record(PAGE, (replace(taken, number=1, provider="main"),))
    assert messages(alone) == [(T0, f"{what}SMS accepted 10:00:00")]


def test_why_a_message_was_not_sent_to_who_wants_none() -> None:
    """Rule 51: in words, not in the ledger's."""
    ((_, said),) = messages(record(PAGE, state="opted_out"))
    assert said.endswith("SMS not sent (that address wants nothing more)")


def test_messages_decided_together_are_told_together() -> None:
    """A page's channels are one line; of an update's many readers those are named whom it did not plainly reach."""
    email = replace(PAGE, via=Channel.EMAIL)
    assert [text.split(": ")[1] for _, text in messages(record(PAGE), record(email, state="unwanted"))] == [
        "SMS waiting to be sent; email not sent (unwanted)"
    ]
    attempt = Attempt("1", "k", 1, Channel.EMAIL, "x", T0, Accepted(), T0)
    update = replace(email, kind=Kind.UPDATE, group="support", roles=(), level=None, reason=Reason.DUE)
    many = [record(replace(update, to=f"r{number}@example.com"), (attempt,)) for number in range(9)]
    many[3] = replace(many[3], attempts=(replace(attempt, outcome=Refused("no", "550")),))
    ((_, text),) = messages(*many)
    assert (
        text == "Update to support (due): 8 of 9 messages accepted; r3@example.com by email refused 10:00:00 (550 no)"
    )


def test_what_was_not_sent() -> None:
    """A suppression stands in the timeline, with why."""
    held = Suppression("h", "card", 1, Kind.PAGE, Why.NO_CHANNEL, after(1), "bo", "no *address*")
    assert timeline(page(Seen(T0, CARD), records=(Record(held),)))[1] == (
        "10:01:00 Not sent: page to Bo Berg (no channel: no \\*address\\*)"
    )


def test_an_edit_is_noticed() -> None:
    """A page stands unedited, for its incident only, until anything in it is changed."""
    written = draft(steps(Seen(T0, replace(CARD, title="<!-- é -->"))), (), small_policy())
    assert unedited(written, "card")
    assert not unedited(written, "card-2")
    for edited in (written.replace(b"helped", b"hindered"), written + b"\n", written[:-40], b"# mine\n", b""):
        assert not unedited(edited, "card")


def test_a_page_has_an_end() -> None:
    """A story without end is cut, and says how much is missing."""
    entries = tuple(UpdateEntry("x" * 4000, at=after(number)) for number in range(100))
    text = page(Seen(T0, replace(CARD, updates=entries)))
    assert len(text.encode()) < STORY_MOST + 10_000
    assert re.search(r"\nand 5\d more entries", text)


def test_a_file_that_cannot_be_read() -> None:
    """It has a story too: until it can be read, it was only seen."""
    lines = timeline(page(Seen(T0, replace(CARD, unreadable=True)), Seen(after(1), CARD)))
    assert [line.split("**")[1] for line in lines] == ["Seen", "Declared"]


def test_when_it_really_began() -> None:
    """The duration counts from `started_at`; how late it was noticed is told. One of the future is none."""
    early = replace(CARD, started_at=after(-20))
    text = page(Seen(T0, early), Seen(after(90), replace(early, status=Status.RESOLVED)))
    assert "| Duration | 1 hour 50 minutes, from 2026-11-23 09:40:00 UTC to 2026-11-23 11:30:00 UTC |" in text
    assert "| Declared | 2026-11-23 10:00:00 UTC, 20 minutes after it began |" in text
    ahead = replace(CARD, started_at=after(24 * 60))
    text = page(Seen(T0, ahead), Seen(after(90), replace(ahead, status=Status.RESOLVED)))
    assert "| Duration | 1 hour 30 minutes, from 2026-11-23 10:00:00 UTC" in text
    assert "| Declared |" not in text


def test_the_figures_stand_in_the_page() -> None:
    """How quickly it was answered, by whom, and that nobody wrote: what figures count stands above them."""
    opened = RoleOpened(T0, "technical_lead", Reason.DECLARED)
    fired = StepFired(T0, "technical_lead", 1, 0, ("ana",))
    text = page(
        Seen(T0, CARD),
        opened,
        fired,
        Answered(after(4), "ana", Answer.OK),
        Seen(after(90), replace(CARD, status=Status.RESOLVED)),
    )
    assert (
        "\n## Figures\n\nCounted from the declaration; a role from when it was asked for.\n\n| | |\n|---|---|\n" in text
    )
    assert "| First accepted | after 4 minutes |" in text
    assert "| First update written | none |" in text
