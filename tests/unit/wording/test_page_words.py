"""What a page says of the others: by when to answer and who is next, who else is asked, who has what, where to meet."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.domain.facts import Answer, Answered, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.domain.policy import Level, Policy, Service, Who
from tocsin.planning.history.fold import apply_fact, fold_facts
from tocsin.planning.plan import plan
from tocsin.wording.language.language import ENGLISH
from tocsin.wording.message.page_words import people_to_call
from tocsin.wording.message.wording import Wording, wording

from tests.builders.instants import MINUTE, T0
from tests.builders.policies import paging_policy
from tests.builders.stories import CARD

BARE = replace(CARD, services=())


def paged(
    history: History, policy: Policy, minutes: int = 0, *, alone: bool = True
) -> dict[tuple[str, tuple[str, ...]], Wording]:
    """The words of each page that the plan makes then, by person and roles."""
    incident = history.incident
    assert incident is not None
    dues = plan(incident, policy, history, T0 + minutes * MINUTE).due
    pages = [due for due in dues if due.notification.kind is Kind.PAGE]
    return {
        (due.notification.to, due.notification.roles): wording(
            due.notification, incident, due.history, policy, alone=alone
        )
        for due in pages
    }


def after(history: History, policy: Policy, minutes: int = 0) -> History:
    """The history once the plan of that minute is recorded."""
    assert history.incident is not None
    return plan(history.incident, policy, history, T0 + minutes * MINUTE).history


LEAD, COMMANDER = ("technical_lead",), ("incident_commander",)


def test_a_first_page_says_who_is_next_and_who_else_is_asked() -> None:
    """From the history before the plan: what is decided with the page is known all the same."""
    words = paged(fold_facts([Seen(T0, BARE)]), paging_policy())["ana", LEAD]
    assert (words.asked, words.why, words.why_short) == (True, "", "")
    assert (words.answer_by, words.answer_by_short, words.then) == ("Mon 23 Nov, 10:05 UTC", "10:05 UTC", "Bo")
    assert words.others == (("Chen", "incident_commander"),)
    assert words.contacts == ()


def test_who_has_a_role_is_told_with_their_number() -> None:
    """Who accepted is no longer asked; who was asked before still is."""
    policy = paging_policy()
    history = after(fold_facts([Seen(T0, BARE)]), policy)
    history = apply_fact(history, Answered(T0 + MINUTE, "chen", Answer.OK))
    words = paged(history, policy, 5)["bo", LEAD]
    assert words.contacts == (("incident_commander", "Chen", "+14155550103"),)
    assert words.others == (("Ana", "technical_lead"),)
    assert words.then == "the last resort (Olga)"


def test_the_last_resort_is_asked_again() -> None:
    """With others, or alone."""
    policy = replace(paging_policy(), last_resort=("olga", "eve"))
    history = fold_facts([Seen(T0, BARE)])
    for minutes in (0, 5):
        history = after(history, policy, minutes)
    words = paged(history, policy, 10)["olga", (*LEAD, *COMMANDER)]
    assert words.then == "the last resort (Eve and you)"
    assert words.your_role_short == "technical_lead +1 role"
    alone = paged(history, replace(policy, last_resort=("olga",)), 10)["olga", (*LEAD, *COMMANDER)]
    assert alone.then == "you again"


def test_whom_it_is_taken_over_from() -> None:
    """A handover names its holder, who keeps it until then, with their number."""
    policy = paging_policy()
    history = after(fold_facts([Seen(T0, BARE)]), policy)
    history = apply_fact(history, Answered(T0 + MINUTE, "ana", Answer.OK))
    history = apply_fact(history, Seen(T0 + 2 * MINUTE, replace(BARE, roles=(("technical_lead", "bo"),))))
    words = paged(history, policy, 2)["bo", LEAD]
    assert words.why == "You take over from Ana, who has it until you accept."
    assert words.why_short == "Take over from Ana."
    assert ("technical_lead", "Ana", "+14155550101") in words.contacts


def test_who_is_asked_whether_they_are_still_there_is_it_already() -> None:
    """They are not asked to be it, and the chain follows."""
    policy = paging_policy()
    page = replace(policy.severities["sev1"].page, still_there_after=timedelta(hours=2))  # type: ignore[type-var]
    policy = replace(policy, severities={"sev1": replace(policy.severities["sev1"], page=page)})
    history = after(fold_facts([Seen(T0, BARE)]), policy)
    for person in ("ana", "chen"):
        history = apply_fact(history, Answered(T0 + MINUTE, person, Answer.OK))
    words = paged(after(history, policy, 1), policy, 121)["ana", LEAD]
    assert (words.asked, words.why_short, words.then) == (False, "Still on it?", "Bo")
    assert words.why.endswith("Are you still on it? Please confirm.")


def test_a_responder_is_asked_by_themselves() -> None:
    """What others accept is nothing to them: they did not answer yet."""
    page = replace(paging_policy().severities["sev1"].page, rounds=2)  # type: ignore[type-var]
    policy = paging_policy()
    policy = replace(
        policy,
        severities={"sev1": replace(policy.severities["sev1"], page=page)},
        services={"pay": Service("pay", "Pay", responders=(Who("eve"),))},
    )
    history = after(fold_facts([Seen(T0, replace(BARE, services=("pay",)))]), policy)
    for person in ("ana", "chen"):
        history = apply_fact(history, Answered(T0 + MINUTE, person, Answer.OK))
    words = paged(history, policy, 5)["eve", ("responder",)]
    assert (words.why, words.why_short) == ("You have not answered yet.", "No answer yet.")
    assert len(words.contacts) == 2


PLACES = [
    (BARE, "https://meet.example.com/all", "", ()),
    (replace(BARE, services=("search",)), "https://meet.example.com/all", "", ()),
    (
        replace(BARE, services=("search", "pay")),
        "+14155550199",
        "https://runbooks.example.com/pay",
        (("Graphs", "https://graphs.example.com"),),
    ),
    (
        replace(
            BARE,
            services=("pay",),
            bridge="Room\n4 ",
            links=(("Ticket", "https://t.example.com/1"), ("Mine", "https://graphs.example.com")),
        ),
        "Room 4",
        "https://runbooks.example.com/pay",
        (("Ticket", "https://t.example.com/1"), ("Mine", "https://graphs.example.com")),
    ),
]


@pytest.mark.parametrize(("incident", "bridge", "runbook", "links"), PLACES)
def test_where_to_meet_and_where_to_look(
    incident: Incident, bridge: str, runbook: str, links: tuple[tuple[str, str], ...]
) -> None:
    """The incident's own come first, then those of the first affected service that has one, then the config's."""
    policy = replace(
        paging_policy(),
        bridge="https://meet.example.com/all",
        services={
            "search": Service("search", "Search"),
            "pay": Service(
                "pay",
                "Pay",
                runbook="https://runbooks.example.com/pay",
                bridge="+14155550199",
                links=(("Graphs", "https://graphs.example.com"),),
            ),
        },
    )
    words = paged(fold_facts([Seen(T0, incident)]), policy)["ana", LEAD]
    assert (words.bridge, words.runbook, words.links) == (bridge, runbook, links)


def test_what_leaves_with_others_foretells_nothing() -> None:
    """A bundle of a thousand pages is not planned a thousand times."""
    words = paged(fold_facts([Seen(T0, BARE)]), paging_policy(), alone=False)["ana", LEAD]
    assert (words.answer_by, words.then, words.others) == ("", "", ())


def test_only_some_of_many_are_named() -> None:
    """Of the others their number is told."""
    policy = paging_policy()
    people = {f"p{number}": replace(policy.people["eve"], id=f"p{number}", name=f"P{number}") for number in range(20)}
    policy = replace(
        policy,
        people=policy.people | people,
        services={"pay": Service("pay", "Pay", responders=tuple(map(Who, people)))},
    )
    words = paged(fold_facts([Seen(T0, replace(BARE, services=("pay",)))]), policy)["ana", LEAD]
    assert len(words.others) == 13
    assert words.others[-1] == ("9 more people", "")


def test_a_page_of_an_unreadable_file() -> None:
    """Nobody is asked to be anything; the last resort is paged again."""
    policy = paging_policy()
    incident = replace(BARE, unreadable=True)
    words = next(iter(paged(fold_facts([Seen(T0, incident)]), policy).values()))
    assert (words.asked, words.why, words.why_short, words.then) == (False, "", "", "you again")


def test_an_answer_is_for_all_that_is_asked_and_the_page_says_so() -> None:
    """Rules 15, 16: bo, who was paged for the lead, is paged for the commander as well: an ok takes both, a pass passes
    both on. The SMS names both, in few words too; the mail says which one is new.
    """
    policy = paging_policy()
    roles = {**policy.roles, "incident_commander": replace(policy.roles["incident_commander"], chain=(
        policy.roles["incident_commander"].chain[0], Level((Who("bo"),)),
    ))}  # fmt: skip
    policy = replace(policy, roles={**roles, "technical_lead": replace(policy.roles["technical_lead"], chain=(
        Level((Who("bo"),)),
    ))})  # fmt: skip
    history = after(fold_facts([Seen(T0, BARE)]), policy)
    dues = [due for due in plan(BARE, policy, history, T0 + 5 * MINUTE).due if due.notification.to == "bo"]
    dues = [due for due in dues if due.notification.roles == COMMANDER]
    assert {due.notification.via for due in dues} == {Channel.SMS, Channel.EMAIL}
    for due in dues:
        words = wording(due.notification, BARE, due.history, policy)
        assert (words.roles, words.still_asked, words.held) == (COMMANDER, LEAD, ())
        short = due.notification.via is Channel.SMS
        assert words.your_role == ("incident_commander and technical_lead" if short else "incident_commander")
        assert words.your_role_short == ("incident_commander +1 role" if short else "")
    history = apply_fact(history, Answered(T0 + MINUTE, "bo", Answer.OK))
    (words,) = {due.notification.via: wording(due.notification, BARE, due.history, policy)
                for due in plan(BARE, policy, history, T0 + 5 * MINUTE).due
                if due.notification.roles == COMMANDER and due.notification.via is Channel.EMAIL}.values()  # fmt: skip
    assert (words.still_asked, words.held) == ((), LEAD)


def test_what_stands_for_title_and_severity_is_no_fact() -> None:
    """Rule 31: until a version gives them the file's name and `unreadable_severity` stand there, and the page says so."""
    guessed = replace(BARE, title="card", never_read=("title", "severity"))
    words = paged(fold_facts([Seen(T0, guessed)]), paging_policy())["ana", LEAD]
    assert words.guesses == (
        "The title could not be read: “card” is the name of the file.",
        "The severity could not be read: it is treated as SEV1.",
    )
    assert (words.why, words.why_short, words.severity_meaning) == ("", "File partly unreadable.", "")
    read = paged(fold_facts([Seen(T0, BARE)]), paging_policy())["ana", LEAD]
    assert (read.guesses, read.why_short) == ((), "")


def test_whom_somebody_with_only_a_phone_calls() -> None:
    """Who has accepted something, with a number first; where nobody of them has one, the last resort too."""
    policy = paging_policy()
    chen = replace(policy.people["chen"], phone="")
    history = after(fold_facts([Seen(T0, BARE)]), policy)
    history = apply_fact(history, Answered(T0, "chen", Answer.OK))
    silent = replace(policy, people={**policy.people, "chen": chen})
    last_resort = ("Last resort", "Olga", policy.people["olga"].phone)
    assert people_to_call(history, silent, ENGLISH, without="ana") == (last_resort, ("incident_commander", "Chen", ""))
    both = apply_fact(history, Answered(T0, "ana", Answer.OK))
    called = people_to_call(both, silent, ENGLISH, without="")
    assert [name for _, name, _ in called] == ["Ana", "Chen"]
    assert people_to_call(history, silent, ENGLISH, without="olga") == (("incident_commander", "Chen", ""),)
