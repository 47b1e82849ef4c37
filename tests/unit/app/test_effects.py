"""What an act would do is what the plan then does, and is said so that whoever is about to do it knows whom it wakes and
what outsiders read.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tocsin.app.edits.effect_words import effect_sentences, outside_texts
from tocsin.app.edits.effects import AskedPerson, Effects, HeldBack, answer_effects, effects
from tocsin.app.simulation.projection import project
from tocsin.app.wiring.renderer import shipped_renderer
from tocsin.domain.facts import Answer, Answered, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status, TimelineNote, UpdateEntry
from tocsin.domain.notification import Kind
from tocsin.planning.history.fold import apply_fact
from tocsin.planning.history.versions import CHANGES_HELD_FOR

from tests.builders.instants import MINUTE, T0
from tests.builders.policies import shipped_policy
from tests.builders.stories import CARD, FIRST

NOW = T0 + 10 * MINUTE
POLICY = shipped_policy()
ZONE = "Europe/Berlin"
VERSIONS = {
    "declared": CARD,
    "update": replace(CARD, updates=(FIRST,)),
    "internal": replace(CARD, updates=(UpdateEntry("Only for us."),)),
    "status": replace(CARD, status=Status.IDENTIFIED),
    "lowered": replace(CARD, severity="sev3"),
    "eta": replace(CARD, eta=NOW + 60 * MINUTE),
    "assigned": replace(CARD, roles=(("scribe", "bo"),)),
    "note": replace(CARD, timeline=(TimelineNote("Seen"),)),
    "over": replace(CARD, status=Status.RESOLVED),
}


def played(history: History, to: datetime = NOW) -> History:
    """The history once the plan has done all that falls due until then."""
    assert history.seen_at is not None
    return project(history, POLICY, history.seen_at, to, to).history


def going(*answers: str, version: Incident = CARD) -> History:
    """An incident after ten minutes; these people accepted at once."""
    history = played(apply_fact(History(), Seen(T0, version)), T0)
    for person in answers:
        history = apply_fact(history, Answered(T0 + MINUTE, person, Answer.OK))
    return project(history, POLICY, T0 + MINUTE, NOW, NOW).history


def of(name: str, history: History) -> Effects:
    assert history.incident is not None
    return effects(history.incident, VERSIONS[name], POLICY, history, NOW)


def said(shown: Effects) -> str:
    return " ".join(effect_sentences(shown, POLICY, ZONE, NOW))


def test_a_declaration_names_whom_it_wakes_and_who_waits() -> None:
    """Everybody of level 0 with their roles; the insiders' groups; why outsiders hear nothing yet, and until when."""
    shown = effects(None, CARD, POLICY, History(), T0)
    assert AskedPerson("bo", ("incident_commander",)) in shown.pages
    sentences = effect_sentences(shown, POLICY, "UTC", T0)
    assert sentences[0].startswith("Pages Bo Lindqvist (Incident Commander), Fay Moreau (Technical Lead and responder)")
    assert sentences[0].endswith("now.")
    assert sentences[1:] == (
        "Tells 2 groups: Executives and Support.",
        "Customers (outside) have heard nothing yet and hear nothing now: they wait for somebody to accept, or a public "
        "text; at the latest they hear at 10:20 UTC.",
    )


def test_what_leaves_anyway_is_not_of_a_note() -> None:
    """Rule 20: edits within 2 s are one update; a note that comes in between tells nobody."""
    history = going("fay")
    lowered = replace(CARD, severity="sev2")
    pending = apply_fact(history, Seen(NOW - timedelta(seconds=1), lowered))
    noted = replace(lowered, timeline=(TimelineNote("Seen"),))
    assert effects(lowered, noted, POLICY, pending, NOW).tells_nobody


def test_a_drill_says_that_outsiders_hear_nothing() -> None:
    """However the severity would have it."""
    shown = effects(None, replace(CARD, drill=True), POLICY, History(), T0)
    assert [group.why for group in shown.held] == [HeldBack.DRILL]
    assert "Customers (outside) hear nothing: it is a drill." in said(shown)


def test_a_public_text_reaches_outsiders_word_for_word() -> None:
    """The preview is the mail itself: what the renderer of the daemon writes, without a word of the internal text."""
    shown = of("update", going("fay"))
    assert shown.groups == ("executives", "support", "customers")
    assert shown.outside == ("customers",)
    assert said(shown) == "Tells 3 groups: Executives, Support and Customers (outside). Pages nobody."
    (read,) = outside_texts(shown, POLICY, shipped_renderer(Path("templates")))
    assert (read.groups, read.channel, read.subject) == (("Customers",), "email", CARD.title)
    assert FIRST.public in read.text
    assert "INTERNAL" not in read.text
    assert "Next update by" in read.text


def test_without_a_public_text_outsiders_hear_nothing_of_an_entry() -> None:
    """It says so, and when they hear next."""
    shown = of("internal", going("fay"))
    assert shown.outside == ()
    assert outside_texts(shown, POLICY, shipped_renderer(Path("templates"))) == ()
    assert (
        said(shown) == "Tells 2 groups: Executives and Support. Pages nobody. Customers (outside) hear nothing of it: "
        "there is no public text. They hear next by 11:21 CET."
    )


def test_a_status_alone_gives_outsiders_the_standing_sentence() -> None:
    """They read of it although nobody wrote a word for them."""
    (read,) = outside_texts(of("status", going("fay")), POLICY, shipped_renderer(Path("templates")))
    assert "We have found the cause and are working on it." in read.text


def test_a_severity_says_whom_it_stands_down_and_that_outsiders_do_not_see_it() -> None:
    """Lowered, people are let go, a group that is no longer concerned has its last word."""
    shown = of("lowered", going("fay", "bo"))
    assert "dee" in {person.person for person in shown.stood_down}
    assert "Stands down" in said(shown)
    raised = effects(VERSIONS["lowered"], CARD, POLICY, going(version=VERSIONS["lowered"]), NOW)
    assert {person.person for person in raised.pages} >= {"bo", "dee", "eli"}


def test_pages_that_wait_for_their_hours_say_when() -> None:
    """A minor incident at night pages nobody before the morning."""
    night = T0 + timedelta(hours=10)
    shown = effects(None, VERSIONS["lowered"], POLICY, History(), night)
    assert all(person.at is not None for person in shown.pages)
    sentences = " ".join(effect_sentences(shown, POLICY, ZONE, night))
    assert "at Tue 24 Nov, 09:00 CET: not before, by the hours of this severity." in sentences


def test_an_assignment_pages_the_new_one_and_the_holder_stays() -> None:
    """Until who is asked accepts."""
    history = going("eli")
    assert history.holder("scribe") == "eli"
    assert said(of("assigned", history)) == (
        "Pages Bo Lindqvist (Scribe) now. Eli Brandt stays Scribe until Bo Lindqvist accepts."
    )


def test_a_note_does_nothing_but_stand_there() -> None:
    """Nobody is woken, nobody hears, and nothing is said of outsiders."""
    shown = of("note", going("fay"))
    assert shown.tells_nobody
    assert said(shown) == "Pages nobody, and tells nobody now."


def test_the_end_says_who_hears_it_and_who_is_asked_afterwards() -> None:
    """Outsiders by name, health and review with people and time."""
    shown = of("over", going("fay", "bo"))
    assert shown.ends
    assert "that it is over, Customers (outside) among them." in said(shown)
    assert "Asks Fay Moreau at 11:40 CET whether all is healthy." in said(shown)
    assert "Asks Bo Lindqvist and Eli Brandt for the review." in said(shown)
    (read,) = outside_texts(shown, POLICY, shipped_renderer(Path("templates")))
    assert "This incident is resolved. It lasted 10 minutes." in read.text


def test_an_end_of_which_outsiders_never_heard_says_that() -> None:
    """They get no closing either."""
    assert "Customers (outside) hear nothing: they never heard of it." in said(of("over", going()))


def test_opening_it_again_pages_anew() -> None:
    """Whoever says that it is not healthy sees whom that wakes."""
    over = replace(VERSIONS["over"], roles=())
    history = apply_fact(going("fay"), Seen(NOW, over))
    history = played(history)
    shown = effects(over, CARD, POLICY, history, NOW + MINUTE)
    assert shown.reopens
    assert "fay" in {person.person for person in shown.pages}


def test_accepting_says_who_may_sleep_on_and_who_hears() -> None:
    """Others asked for the role are stood down; the first acceptance lets outsiders hear (rule 56)."""
    shown = answer_effects(going(), "fay", Answer.OK, POLICY, NOW)
    assert "chen" in {person.person for person in shown.stood_down}
    assert shown.outside == ("customers",)
    assert shown.pages == ()


def test_passing_says_who_is_woken_next() -> None:
    """The next in line, at once."""
    history = project(apply_fact(History(), Seen(T0, CARD)), POLICY, T0, T0, T0).history
    shown = answer_effects(history, "dee", Answer.PASS, POLICY, T0 + MINUTE)
    assert [person.person for person in shown.pages] == ["eli"]


def test_who_reads_nowhere_is_said() -> None:
    """An external group whose only address was unsubscribed."""
    group = replace(POLICY.stakeholders["customers"], emails=())
    policy = replace(POLICY, stakeholders=POLICY.stakeholders | {"customers": group})
    shown = effects(CARD, VERSIONS["update"], policy, going("fay"), NOW)
    assert [held.why for held in shown.held] == [HeldBack.NO_READER]
    assert "Customers (outside) would hear of it, but nobody reads it there." in " ".join(
        effect_sentences(shown, policy, ZONE, NOW)
    )


def test_what_changes_nothing_does_nothing() -> None:
    """The same version again, while a ladder runs on by itself."""
    assert of("declared", going()).tells_nobody


@pytest.mark.parametrize("name", VERSIONS)
@pytest.mark.parametrize("accepted", [(), ("fay",), ("fay", "bo", "dee", "eli")])
def test_it_is_what_the_plan_does(name: str, accepted: tuple[str, ...]) -> None:
    """Pages, stand-downs and groups are those that come of it and would not have come without it."""
    history = going(*accepted)
    assert history.incident is not None
    shown = of(name, history)

    def due(start: History) -> set[tuple[str, str, str | None]]:
        end = NOW + CHANGES_HELD_FOR
        messages = (one.notification for one in project(start, POLICY, NOW, end, end).due)
        return {(message.kind, message.to, message.group) for message in messages if message.at <= end}

    more = due(apply_fact(history, Seen(NOW, VERSIONS[name]))) - due(history)
    assert {who for kind, who, _ in more if kind == Kind.PAGE} == {one.person for one in shown.pages if not one.at}
    assert {who for kind, who, _ in more if kind == Kind.STAND_DOWN} == {one.person for one in shown.stood_down}
    if not shown.ends:
        assert {group for kind, _, group in more if kind == Kind.UPDATE} == set(shown.groups)
    else:
        assert len({who for kind, who, _ in more if kind == Kind.CLOSING}) == shown.readers
