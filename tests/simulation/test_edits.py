"""What people do in the browser, on virtual time: from the entry in the inbox to the file, the pages and the words."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tocsin.app.arrivals.gate import Gate
from tocsin.app.arrivals.link_answers import NOT_ASKED
from tocsin.app.edits import words
from tocsin.app.edits.words import declared_id
from tocsin.app.reply_options import signed_links
from tocsin.app.state.act_room import MOST
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.sign_in_codes import SignInCodes
from tocsin.domain.arrival import AnswerEntry, Arrival, ArrivalKind, DeclareEntry, EditEntry, InboxEntry, Judgement
from tocsin.domain.facts import Answer, Seen
from tocsin.domain.incident import Edit, Incident, Status, TimelineNote, UpdateEntry
from tocsin.domain.people import Session, session_digest
from tocsin.domain.policy import PagePolicy, Severity
from tocsin.formats.inbox.entries import write_entry
from tocsin.formats.incident.read import read_incident

from tests.builders.active_config import settings
from tests.builders.policies import BOTH, WITHIN, paging_policy
from tests.simulation.test_delivery import simulate as simulated
from tests.simulation.world import World

KEY = "x" * 32
FILE = "# the night shift\ntitle: Card payments fail\nseverity: sev1 # as the dashboard says\nimpact: None so far.\n"
PAY = "pay"


def simulate(story: Any, **changes: Any) -> World:
    """A story of people with browsers, about an incident that is open for a minute."""

    async def acting(world: World) -> None:
        world.settings = settings(web={"signing_key": [KEY]}, public_url="https://tocsin.example.com")
        policy = paging_policy()
        mild = Severity("sev2", "Major", page=PagePolicy(("technical_lead",), BOTH, WITHIN))
        berlin = {name: replace(person, timezone="Europe/Berlin") for name, person in policy.people.items()}
        world.policy = replace(policy, severities={**policy.severities, "sev2": mild}, people=berlin)
        world.inbox.looks_every = 0.1
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(60)
        await story(Browsers(world))

    return simulated(acting, **changes)


class Browsers:
    """What people do in them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._count = 0

    def sign_in(self, person: str, ago: timedelta = timedelta(0)) -> str:
        """Their session."""
        session = f"session of {person}"
        self.world.sessions.add(Session(session_digest(session), person, self.world.clock.now() - ago))
        return session

    @property
    def version(self) -> str:
        """The digest of the version that a form would be made from now."""
        return next(fact.digest for fact in reversed(self.world.disk.facts[PAY]) if isinstance(fact, Seen))

    def leave(self, entry: InboxEntry, at: datetime | None = None) -> str:
        """The web side leaves it; its reference."""
        self.world.inbox.put(entry, at or self.world.clock.now())
        return entry.ref

    def edit(self, author: str, edit: Edit, version: str | None = None, **changes: Any) -> str:
        """Signed in, somebody does something; the reference."""
        self._count += 1
        session = self.sign_in(author)
        version = self.version if version is None else version
        entry = EditEntry(f"edit{self._count:08}", PAY, author, 0, "", session, version, edit)
        return self.leave(replace(entry, **changes))

    def by_link(self, person: str, edit: Edit, **changes: Any) -> str:
        """By their signed link, somebody does something."""
        signature = signed_links.token(KEY, PAY, 1, person)
        return self.edit(person, edit, **({"episode": 1, "signature": signature, "session": ""} | changes))

    def judgement(self, ref: str) -> Judgement | None:
        """What became of it."""
        return self.world.disk.words.get(ref)

    def said(self, ref: str) -> tuple[str, str]:
        """The same, which must be known."""
        judgement = self.judgement(ref)
        assert judgement is not None, "it is not judged yet"
        return judgement.result, judgement.words

    @property
    def text(self) -> str:
        """The file."""
        data = self.world.files.read("pay.yaml")
        assert data is not None
        return data.decode()

    def incident(self) -> Incident:
        """As the file reads."""
        incident = read_incident(self.text.encode(), "pay.yaml", self.world.policy, None, "pay.yaml").incident
        assert incident is not None
        return incident


def test_an_edit_is_in_the_file_at_once_with_its_author() -> None:
    """P8: within a second, comments kept, the daemon's own time and the name of who is signed in; the page hears what
    is true now once it was seen.
    """

    async def story(browsers: Browsers) -> None:
        ref = browsers.edit("chen", Edit(severity="SEV2"))
        left_at = browsers.world.clock.now()
        await browsers.world.wait(1)
        assert browsers.said(ref) == ("acted", "Severity is SEV2 now, was SEV1. Stood down now: Chen.")
        assert browsers.text.startswith(
            "# the night shift\ntitle: Card payments fail\nseverity: sev2 # as the dashboard"
        )
        (note,) = browsers.incident().timeline
        assert note == TimelineNote("Severity is SEV2 now, was SEV1.", left_at.replace(microsecond=0), "chen")
        await browsers.world.stop()

    simulate(story)


def test_an_update_may_be_for_outsiders_alone() -> None:
    """What the form shows before it is sent is what is done: words for insiders, for outsiders, or both."""

    async def story(browsers: Browsers) -> None:
        ref = browsers.edit("chen", Edit(entry=UpdateEntry("", "We are on it.")))
        await browsers.world.wait(3)
        assert browsers.said(ref)[0] == "acted"
        (entry,) = browsers.incident().updates
        assert (entry.text, entry.public, entry.by) == ("", "We are on it.", "chen")
        await browsers.world.stop()

    simulate(story)


def test_an_update_by_link_is_for_insiders() -> None:
    """P8: a link alone may write one without public words, and note; with public words, or more, it needs signing in."""

    async def story(browsers: Browsers) -> None:
        update = browsers.by_link("ana", Edit(entry=UpdateEntry("Failover  runs.\x1b[31m")))
        note = browsers.by_link("ana", Edit(note=TimelineNote("I see errors.")))
        public = browsers.by_link("ana", Edit(entry=UpdateEntry("x", "Public!")))
        others = [
            browsers.by_link("ana", edit)
            for edit in (
                Edit(entry=UpdateEntry("", "Public!")),
                Edit(severity="sev2"),
                Edit(status=Status.RESOLVED),
                Edit(impact="x"),
                Edit(no_eta=True),
                Edit(public_title="x"),
                Edit(review="done"),
                Edit(role=("technical_lead", "ana")),
                Edit(note=TimelineNote("x"), severity="sev2"),
                Edit(entry=UpdateEntry("x"), status=Status.IDENTIFIED),
                Edit(verified_by=""),
                Edit(resolution="x"),
                Edit(public_resolution="x"),
                Edit(eta=datetime.fromisoformat("2026-11-23T12:00:00Z")),
            )
        ]
        await browsers.world.wait(3)
        assert browsers.said(update) == (
            "acted",
            "Your update is in the incident; insiders who are told of it hear it within seconds.",
        )
        assert browsers.said(note) == ("acted", "Your note is in the timeline.")
        assert {browsers.said(ref) for ref in (public, *others)} == {("refused", words.SIGN_IN)}
        incident = browsers.incident()
        assert [(entry.text, entry.by) for entry in incident.updates] == [("Failover  runs.", "ana")]
        assert [(entry.text, entry.by) for entry in incident.timeline] == [("I see errors.", "ana")]
        assert (incident.severity, incident.status, incident.impact) == ("sev1", Status.INVESTIGATING, "None so far.")

    simulate(story)


FORGED: list[dict[str, Any]] = [
    {"session": "guessed"},
    {"session": ""},
    {"person": "ana"},
    {"person": "nobody"},
    {"session": "", "episode": 1, "signature": "x" * 22},
    {"session": "", "episode": 0, "signature": signed_links.token(KEY, PAY, 1, "chen")},
    {"session": "", "episode": 1, "signature": signed_links.token(KEY, PAY, 1, "ana")},
    {"session": "", "episode": 1, "signature": signed_links.token(KEY, "other", 1, "chen")},
]


@pytest.mark.parametrize("change", FORGED)
def test_nobody_edits_in_a_name_that_is_not_proven(change: dict[str, Any]) -> None:
    """P8: without a session or signature of that very person, incident and episode nothing comes of it, and nothing of
    it is kept.
    """

    async def story(browsers: Browsers) -> None:
        ref = browsers.edit("chen", Edit(note=TimelineNote("x")), **change)
        await browsers.world.wait(3)
        assert browsers.judgement(ref) is None
        assert not browsers.world.disk.arrivals
        assert browsers.text == FILE

    simulate(story)


def test_no_proof_is_kept() -> None:
    """P8: neither the session nor the signature gets into the ledger."""

    async def story(browsers: Browsers) -> None:
        browsers.edit("chen", Edit(note=TimelineNote("x")))
        browsers.by_link("ana", Edit(note=TimelineNote("y")))
        browsers.leave(DeclareEntry("declare1", "chen", browsers.sign_in("chen"), "Search is down", "sev2"))
        browsers.leave(AnswerEntry("answer01", PAY, 0, "chen", Answer.OK, "", browsers.sign_in("chen")))
        await browsers.world.wait(3)
        kept = repr(browsers.world.disk)
        assert "session of" not in kept
        assert signed_links.token(KEY, PAY, 1, "ana") not in kept
        assert len(browsers.world.disk.words) == 4

    simulate(story)


def test_a_session_ends_after_twelve_hours() -> None:
    """P8: what was left while it held and found no daemon counts for an hour more; a name of a file that was put back
    does not help.
    """

    async def story(browsers: Browsers) -> None:
        now = browsers.world.clock.now()
        session = browsers.sign_in("chen", timedelta(hours=12, minutes=30))
        entry = EditEntry("edit0001", PAY, "chen", 0, "", session, "", Edit(note=TimelineNote("in time")))
        browsers.leave(entry, now - timedelta(minutes=40))
        browsers.leave(replace(entry, ref="edit0002", edit=Edit(note=TimelineNote("too late"))), now)
        await browsers.world.wait(1)
        session = browsers.sign_in("dai", timedelta(hours=13, minutes=1))
        browsers.leave(replace(entry, ref="edit0003", person="dai", session=session), now - timedelta(hours=2))
        await browsers.world.wait(3)
        assert [note.text for note in browsers.incident().timeline] == ["in time"]

    simulate(story)


def test_two_people_who_edit_at_once_lose_nothing() -> None:
    """P8: the second hears who changed what and when, on their own clock, and nothing is changed; another field, a note
    and an update go through.
    """

    async def story(browsers: Browsers) -> None:
        version = browsers.version
        first = browsers.edit("chen", Edit(severity="sev2", impact="Cards fail in Europe."), version)
        await browsers.world.wait(5)
        second = browsers.edit("dai", Edit(impact="Cards fail everywhere."), version)
        same = browsers.edit("dai", Edit(severity="sev2"), version)
        other = browsers.edit("dai", Edit(status=Status.IDENTIFIED), version)
        both = browsers.edit("eve", Edit(entry=UpdateEntry("We look.", "We are looking.")), version)
        await browsers.world.wait(5)
        assert browsers.said(first)[0] == "acted"
        assert browsers.said(second) == (
            "refused",
            "Chen changed the impact to “Cards fail in Europe.” at 11:01 CET: after you had opened this page, so nothing "
            "was changed.",
        )
        assert browsers.said(same) == ("unchanged", words.NOTHING)
        assert browsers.said(other) == ("acted", "Status is identified now, was investigating.")
        assert "whoever is told of it hears it within seconds" in browsers.said(both)[1]
        incident = browsers.incident()
        assert incident.impact == "Cards fail in Europe."
        assert [entry.by for entry in incident.timeline] == ["chen", "dai"]

    simulate(story)


def test_somebody_writes_between_the_look_and_the_write() -> None:
    """P8: what an editor saves at that very moment counts: the edit is looked at again, on what the file has become."""

    async def story(browsers: Browsers) -> None:
        world = browsers.world

        def save() -> None:
            world.files.between = lambda: None
            world.folder.write("pay.yaml", browsers.text.replace("None so far.", "By hand."))

        world.files.between = save
        refused = browsers.edit("chen", Edit(impact="By form."))
        await world.wait(3)
        assert browsers.said(refused) == (
            "refused",
            "Somebody changed the impact to “By hand.” just now: after you had opened this page, so nothing was changed.",
        )
        assert browsers.incident().impact == "By hand."
        world.files.between = lambda: world.folder.write("pay.yaml", browsers.text + "summary: By hand.\n")
        world.files.between, save_once = (
            (lambda: save_once(world)),
            _once(lambda: world.folder.write("pay.yaml", browsers.text + "summary: By hand.\n")),
        )
        acted = browsers.edit("chen", Edit(impact="By form."))
        await world.wait(3)
        assert browsers.said(acted)[0] == "acted"
        assert (browsers.incident().impact, browsers.incident().summary) == ("By form.", "By hand.")

    simulate(story)


def _once(act: Callable[[], None]) -> Callable[[World], None]:
    def acting(world: World) -> None:
        world.files.between = lambda: None
        act()

    return acting


KILLS = [0.05, 0.11, 0.12, 0.15, 0.25, 0.5]
DEEDS = {
    "note": Edit(note=TimelineNote("x")),
    "update": Edit(entry=UpdateEntry("x", "y"), status=Status.IDENTIFIED),
    "severity": Edit(severity="sev2", note=TimelineNote("why")),
    "resolve": Edit(status=Status.RESOLVED, resolution="Done.", public_resolution="It works."),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("after", KILLS)
def test_a_kill_makes_it_neither_twice_nor_not(after: float, deed: str) -> None:
    """P3: whenever the daemon is killed, the edit is made once, and its page hears that it is."""

    async def story(browsers: Browsers) -> None:
        ref = browsers.edit("chen", DEEDS[deed])
        await browsers.world.wait(after)
        await browsers.world.kill()
        await browsers.world.wait(30)
        await browsers.world.start()
        await browsers.world.wait(10)
        assert browsers.said(ref)[0] == "acted"
        incident = browsers.incident()
        assert len(incident.updates) + len(incident.timeline) == 1
        assert browsers.world.files.writes == 1

    simulate(story)


def test_somebody_changes_it_after_a_kill() -> None:
    """P3: it was written before the kill, so it is done, though somebody has set something else since."""

    async def story(browsers: Browsers) -> None:
        world = browsers.world
        ref = browsers.edit("chen", Edit(severity="sev2"))
        while not world.files.writes:
            await world.wait(0.001)
        await world.kill()
        world.folder.write("pay.yaml", browsers.text.replace("sev2", "sev1"))
        await world.start()
        await world.wait(5)
        assert browsers.said(ref) == ("acted", "Severity is SEV2 now.")
        assert browsers.incident().severity == "sev1"
        assert world.files.writes == 1

    simulate(story)


def test_what_was_posted_twice_counts_once() -> None:
    """P8: a reference is made when the form is shown."""

    async def story(browsers: Browsers) -> None:
        ref = browsers.edit("chen", Edit(note=TimelineNote("x")))
        browsers.edit("chen", Edit(note=TimelineNote("x")), ref=ref)
        await browsers.world.wait(2)
        browsers.edit("chen", Edit(note=TimelineNote("x")), ref=ref)
        await browsers.world.wait(2)
        assert [entry.text for entry in browsers.incident().timeline] == ["x"]

    simulate(story)


def test_it_was_resolved_meanwhile() -> None:
    """P8: whoever was at it hears who ended it, and when; a note goes through, and so does the review."""

    async def story(browsers: Browsers) -> None:
        version = browsers.version
        browsers.edit(
            "chen", Edit(status=Status.RESOLVED, resolution="Failed over.", public_resolution="It works again.")
        )
        await browsers.world.wait(120)
        update = browsers.edit("dai", Edit(entry=UpdateEntry("Nearly there.")), version)
        raised = browsers.edit("dai", Edit(severity="sev2"), version)
        again = browsers.edit("dai", Edit(status=Status.RESOLVED, resolution="Mine."), version)
        note = browsers.edit("dai", Edit(note=TimelineNote("Learned something.")), version)
        late = browsers.edit("dai", Edit(severity="sev2"))
        review = browsers.edit("dai", Edit(review="Done"))
        await browsers.world.wait(5)
        over = "Chen resolved it at 11:01 CET: after you had opened this page, so nothing was changed."
        assert [browsers.said(ref) for ref in (update, raised, again)] == [("refused", over)] * 3
        assert browsers.said(note) == ("acted", "Your note is in the timeline.")
        assert browsers.said(late) == ("refused", words.RESOLVED)
        assert browsers.said(review) == ("acted", "The review is done.")
        incident = browsers.incident()
        assert (incident.resolution, incident.public_resolution) == ("Failed over.", "It works again.")
        assert (incident.updates, incident.severity, incident.review) == ((), "sev1", "done")

    simulate(story)


def test_not_healthy_opens_it_again() -> None:
    """P8: whoever was asked says so by their link, anybody who is signed in too; the roles are paged again, the words of
    the end are gone, and the timeline says who said so. A second one finds it open.
    """

    async def story(browsers: Browsers) -> None:
        world = browsers.world
        browsers.edit("chen", Edit(eta=world.clock.now() + timedelta(hours=1)))
        await world.wait(3)
        browsers.edit("chen", Edit(status=Status.RESOLVED, resolution="Failed over."))
        await world.wait(10)
        pages = len(world.pages())
        stranger = browsers.by_link("ana", Edit(), not_healthy=True)
        await world.wait(5)
        assert browsers.said(stranger) == ("refused", words.NOT_ASKED)
        ref = browsers.edit("ana", Edit(note=TimelineNote("Errors again.")), not_healthy=True)
        other = browsers.edit("chen", Edit(), not_healthy=True)
        await world.wait(10)
        assert browsers.said(ref) == (
            "acted",
            "It is open again, status investigating. There is no estimate any more, was 12:01 CET. Paged now: Ana, Chen.",
        )
        assert browsers.said(other) == ("unchanged", words.OPEN_ALREADY)
        incident = browsers.incident()
        assert (incident.status, incident.resolution, incident.eta) == (Status.INVESTIGATING, "", None)
        assert incident.timeline[-1].text == "Ana says that it is not healthy: it is open again. Errors again."
        assert len(world.pages()) > pages

    simulate(story)


def test_a_file_that_is_gone_or_broken_is_written_anew() -> None:
    """Rule 33: from the last good version, as the commands do it; what stood there is kept beside it."""

    async def story(browsers: Browsers) -> None:
        world = browsers.world
        world.folder.remove("pay.yaml")
        await world.wait(20)
        gone = browsers.edit("chen", Edit(impact="Still."))
        await world.wait(5)
        assert browsers.said(gone)[0] == "acted"
        assert (browsers.incident().title, browsers.incident().impact) == ("Card payments fail", "Still.")
        world.folder.write("pay.yaml", "title: [half\n")
        await world.wait(5)
        broken = browsers.edit("chen", Edit(impact="Again."))
        await world.wait(5)
        assert browsers.said(broken)[0] == "acted"
        assert (browsers.incident().title, browsers.incident().impact) == ("Card payments fail", "Again.")
        assert world.files.read(".pay.yaml.unread") == b"title: [half\n"
        kept = "could not be edited and is kept as .pay.yaml.unread"
        assert browsers.said(broken)[1].endswith(f"{kept}. Operators are told.")
        assert kept not in browsers.said(gone)[1]
        await world.wait(60)
        told = [str(arrival.message.content) for arrival in world.arrived if kept in str(arrival.message.content)]
        assert told, "operators hear where the text is"
        assert "as Chen changed the incident in the browser" in told[0]

    simulate(story)


def test_a_folder_that_hangs_holds_up_edits_alone() -> None:
    """Rule 62: answers go on; the edit is made once it answers, and until then nobody says that it is."""

    async def story(browsers: Browsers) -> None:
        world = browsers.world
        world.folder.hang()
        ref = browsers.edit("chen", Edit(impact="Still."))
        await world.wait(2)
        answer = browsers.leave(AnswerEntry("answer01", PAY, 0, "chen", Answer.OK, "", browsers.sign_in("chen")))
        await world.wait(2)
        assert browsers.judgement(ref) is None
        assert browsers.said(answer)[0] == "acted"
        world.folder.answer()
        await world.wait(20)
        assert browsers.said(ref)[0] == "acted"

    simulate(story)


def test_a_file_that_cannot_be_written() -> None:
    """It is said at once, with nothing changed, and operators hear of it."""

    async def story(browsers: Browsers) -> None:
        browsers.world.files.trouble = "no space left on device"
        ref = browsers.edit("chen", Edit(impact="Still."))
        await browsers.world.wait(120)
        assert browsers.said(ref) == ("refused", words.UNWRITTEN)
        told = [each.message.content.text for each in browsers.world.arrived if each.message.person == "olga"]
        assert any("no space left on device" in text for text in told)

    simulate(story)


BAD = {
    Edit(entry=UpdateEntry(" ", "\n")): words.NO_UPDATE,
    Edit(note=TimelineNote("\n")): words.NO_NOTE,
    Edit(severity="sev9"): 'Unknown severity "sev9"; did you mean "sev2"? Nothing was changed.',
    Edit(role=("scribe", "chen")): None,
    Edit(role=("technical_lead", "nobody")): None,
    Edit(review="javascript:alert(1)"): words.REVIEW_LINK,
    Edit(verified_by=""): words.STILL_OPEN,
    Edit(severity="sev1"): words.NOTHING,
    Edit(): words.NOTHING,
}


@pytest.mark.parametrize("edit", BAD)
def test_what_says_nothing_changes_nothing(edit: Edit) -> None:
    """One sentence that says why."""

    async def story(browsers: Browsers) -> None:
        ref = browsers.edit("chen", edit)
        await browsers.world.wait(2)
        result, sentence = browsers.said(ref)
        assert result in {"refused", "unchanged"}
        assert sentence == BAD[edit] or (BAD[edit] is None and sentence.startswith("Unknown "))
        assert browsers.text == FILE

    simulate(story)


def test_a_version_that_nobody_knows() -> None:
    """P8: then nothing is set by it; what only joins a list does."""

    async def story(browsers: Browsers) -> None:
        sets = browsers.edit("chen", Edit(impact="x"), "0" * 32)
        note = browsers.edit("chen", Edit(note=TimelineNote("x")), "")
        await browsers.world.wait(2)
        assert browsers.said(sets) == ("refused", words.UNKNOWN_VERSION)
        assert browsers.said(note)[0] == "acted"

    simulate(story)


def test_a_link_of_an_episode_to_come_opens_nothing() -> None:
    """P8: who holds the key can sign it, and nobody was asked in it."""

    async def story(browsers: Browsers) -> None:
        ref = browsers.by_link(
            "chen", Edit(note=TimelineNote("x")), episode=2, signature=signed_links.token(KEY, PAY, 2, "chen")
        )
        await browsers.world.wait(2)
        assert browsers.said(ref)[0] == "refused"

    simulate(story)


def test_an_incident_that_nobody_knows() -> None:
    """Nothing is written, whatever it is called."""

    async def story(browsers: Browsers) -> None:
        refs = [
            browsers.edit("chen", Edit(note=TimelineNote("x")), incident=name) for name in ("gone", "../../etc/x", ".")
        ]
        await browsers.world.wait(2)
        assert {browsers.said(ref)[0] for ref in refs} == {"refused"}
        assert set(browsers.world.folder.files) == {"pay.yaml"}

    simulate(story)


def test_an_inhuman_number_of_acts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """P8: of one person; others go on, and so do that person's answers; operators hear of it once."""
    monkeypatch.setitem(MOST, ArrivalKind.EDIT, 6)

    async def story(browsers: Browsers) -> None:
        world = browsers.world
        refs = [browsers.edit("chen", Edit(note=TimelineNote(f"note {number}"))) for number in range(9)]
        await world.wait(10)
        other = browsers.edit("dai", Edit(note=TimelineNote("a word")))
        answer = browsers.leave(AnswerEntry("answer01", PAY, 0, "chen", Answer.OK, "", browsers.sign_in("chen")))
        await world.wait(10)
        results = [browsers.said(ref)[0] for ref in refs]
        assert results == ["acted"] * 6 + ["refused"] * 3
        assert browsers.said(other)[0] == browsers.said(answer)[0] == "acted"
        await world.wait(900)
        again = browsers.edit("chen", Edit(note=TimelineNote("later")))
        await world.wait(10)
        assert browsers.said(again)[0] == "acted"
        told = [
            each
            for each in world.arrived
            if each.message.person == "olga" and "in the name of Chen" in each.message.content.text
        ]
        assert sorted(each.message.via.value for each in told) == ["email", "sms"]

    simulate(story)


def test_a_backlog_of_edits_delays_no_declaration(monkeypatch: pytest.MonkeyPatch) -> None:
    """P8: more edits lie in the ledger than are asked for at once, in two people's names; the limit of each holds for
    them too, whenever they were left, and what somebody declares last is judged first. Nothing has to poke.
    """
    monkeypatch.setitem(MOST, ArrivalKind.EDIT, 6)

    async def story(browsers: Browsers) -> None:
        world = browsers.world
        before = world.clock.now() - timedelta(hours=3)
        bodies = [
            EditEntry(f"edit{number:08}", PAY, person, 0, "", "", "", Edit(note=TimelineNote(f"{number}")))
            for number in range(150)
            for person in ("chen", "dai")
        ]
        for number, entry in enumerate(bodies):
            body = f"session {write_entry(entry).decode()}"
            arrival = Arrival(ArrivalKind.EDIT, f"forged{number:06}", entry.person, body, before)
            world.disk.arrivals.append((arrival, None))
        ref = browsers.leave(DeclareEntry("declare1", "eve", browsers.sign_in("eve"), "Search is down", "sev2"))
        await world.wait(3)
        assert browsers.said(ref)[0] == "acted"
        await world.wait(10)
        results = Counter((came.who, result) for came, result in world.disk.arrivals if came.kind is ArrivalKind.EDIT)
        limits = {
            (person, result): most for person in ("chen", "dai") for result, most in (("acted", 6), ("refused", 144))
        }
        assert results == limits

    simulate(story)


def test_the_name_of_a_file_dates_nothing() -> None:
    """P8: an act counts from when its file system saw it left, not from what whoever left it wrote into the name; one
    that was left while no daemon ran, from then.
    """

    async def story(browsers: Browsers) -> None:
        world = browsers.world
        ref = browsers.edit("chen", Edit(note=TimelineNote("backdated")))
        left_at, week = world.clock.now().replace(microsecond=0), timedelta(days=7)
        (file,) = world.inbox.files.values()
        world.inbox.files.clear()
        for year in ("0001", "2020"):
            world.inbox.put_file(replace(file, name=f"{year}{file.name[4:]}"))
        await world.wait(3)
        assert browsers.said(ref)[0] == "acted"
        assert [note.at for note in browsers.incident().timeline] == [left_at]
        gate = Gate(world.clock, ActiveConfig(world.policy, world.settings), world.sessions, SignInCodes())
        for since, at in (
            (left_at - timedelta(hours=5), left_at - timedelta(hours=5)),
            (left_at - 9 * week, world.clock.now() - week),
            (left_at + week, world.clock.now()),
        ):
            admitted = gate.admit(replace(file, lies_since=since))
            assert isinstance(admitted, Arrival)
            assert admitted.at == at

    simulate(story)


def test_declared_from_a_phone() -> None:
    """P8: by who is signed in; the file says who and when, roles are paged at once, and the page hears its id. Ten an
    hour, whatever is declared.
    """

    async def story(browsers: Browsers) -> None:
        world = browsers.world
        session = browsers.sign_in("eve")
        entry = DeclareEntry(
            "declare1", "eve", session, "Search  is\ndown", "SEV2", (), "Nothing is found.", "", "Search does not work"
        )
        entry = replace(entry, drill=True)
        browsers.leave(entry)
        at = world.clock.now().replace(microsecond=0)
        browsers.leave(replace(entry, ref="declare2", session="guessed"))
        browsers.leave(replace(entry, ref="declare3", severity="sev9"))
        browsers.leave(replace(entry, ref="declare4", services=("nothing",)))
        await world.wait(3)
        result, sentence = browsers.said("declare1")
        incident, then = declared_id(sentence)
        assert (result, then) == ("acted", "SEV2 is declared: Search is down. Paged now: Ana.")
        data = world.files.read(f"{incident}.yaml")
        assert data is not None
        read = read_incident(data, f"{incident}.yaml", world.policy, None, "").incident
        assert read is not None
        assert (read.declared_by, read.declared_at, read.public_title) == ("eve", at, "Search does not work")
        assert read.drill
        assert browsers.judgement("declare2") is None
        assert browsers.said("declare3")[0] == browsers.said("declare4")[0] == "refused"
        refs = [
            browsers.leave(replace(entry, ref=f"declare{number}", title=f"No {number}")) for number in range(10, 22)
        ]
        await world.wait(10)
        assert [browsers.said(ref)[0] for ref in refs].count("acted") == 10 - 3

    simulate(story)


@pytest.mark.parametrize("after", KILLS)
def test_a_kill_declares_it_once(after: float) -> None:
    """P3: one file, one incident, and its page hears which."""

    async def story(browsers: Browsers) -> None:
        world = browsers.world
        browsers.leave(DeclareEntry("declare1", "eve", browsers.sign_in("eve"), "Search is down", "sev2"))
        await world.wait(after)
        await world.kill()
        await world.wait(5)
        await world.start()
        await world.wait(5)
        assert browsers.said("declare1")[0] == "acted"
        assert len(world.folder.files) == 2

    simulate(story)


def test_a_flood_of_edits_never_delays_an_answer() -> None:
    """P8: 48 edits lie there, of everybody; an answer that is left last is judged within a second, and every edit is."""

    async def story(browsers: Browsers) -> None:
        world = browsers.world
        people = sorted(world.policy.people)
        refs = [browsers.edit(people[number % 6], Edit(note=TimelineNote(f"{number}"))) for number in range(48)]
        answer = browsers.leave(AnswerEntry("answer01", PAY, 0, "chen", Answer.OK, "", browsers.sign_in("chen")))
        left_at = world.clock.now()
        await world.wait(2)
        assert world.disk.judged_at[answer] - left_at < timedelta(seconds=1)
        await world.wait(10)
        assert {browsers.said(ref) for ref in refs} == {("acted", "Your note is in the timeline.")}
        assert [note.text for note in browsers.incident().timeline] == [str(number) for number in range(48)]

    simulate(story)


def test_answers_of_who_is_signed_in() -> None:
    """P8: like those by link; who was asked for nothing hears how to take a role."""

    async def story(browsers: Browsers) -> None:
        ok = browsers.leave(AnswerEntry("answer01", PAY, 0, "chen", Answer.OK, "", browsers.sign_in("chen")))
        stranger = browsers.leave(AnswerEntry("answer02", PAY, 0, "eve", Answer.OK, "", browsers.sign_in("eve")))
        forged = browsers.leave(AnswerEntry("answer03", PAY, 0, "ana", Answer.OK, "", browsers.sign_in("eve")))
        await browsers.world.wait(2)
        assert browsers.said(ok)[0] == "acted"
        result, sentence = browsers.said(stranger)
        assert result == "refused"
        assert sentence == NOT_ASKED
        assert browsers.judgement(forged) is None

    simulate(story)


def test_who_answers_hears_what_is_true_then() -> None:
    """Section 8: what an ok or a pass has made of them, by their own clock, who is asked instead, and whom they
    replace; pressed once more it says the same.
    """

    async def story(browsers: Browsers) -> None:
        count = 0

        async def answer(person: str, answer: Answer) -> tuple[str, str]:
            nonlocal count
            count += 1
            session = browsers.sign_in(person)
            ref = browsers.leave(AnswerEntry(f"answer{count:08}", PAY, 0, person, answer, "", session))
            await browsers.world.wait(1)
            return browsers.said(ref)

        assert await answer("ana", Answer.OK) == ("acted", "You are technical_lead, since 11:01 CET.")
        assert await answer("ana", Answer.OK) == ("unchanged", "You are technical_lead, since 11:01 CET.")
        await browsers.world.wait(120)
        assert await answer("ana", Answer.OK) == ("acted", "You are still technical_lead, since 11:01 CET.")
        browsers.edit("ana", Edit(role=("technical_lead", "eve")))
        await browsers.world.wait(2)
        words = "You are technical_lead, since 11:03 CET, in place of Ana."
        assert await answer("eve", Answer.OK) == ("acted", words)
        browsers.edit("ana", Edit(role=("incident_commander", "eve")))
        await browsers.world.wait(62)
        words = "You are technical_lead (since 11:03 CET) and incident_commander (since 11:04 CET)."
        assert await answer("eve", Answer.OK) == ("acted", words)
        words = "You have passed on technical_lead and incident_commander. Somebody else is asked now."
        assert await answer("eve", Answer.PASS) == ("acted", words)
        await browsers.world.stop()

    simulate(story)
