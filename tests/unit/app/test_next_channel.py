"""What follows when a page makes no headway: the facts to record, and the page by its next channel (rules 14, 34, 36)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tocsin.app.engine.next_channel import choose_next_channel, note_delivery
from tocsin.app.state.incident_state import ChannelDelivered, ChannelFailed, IncidentState
from tocsin.domain.facts import (
    Answer,
    Answered,
    ChannelRefused,
    Fact,
    Paged,
    PageLost,
    ReachSettled,
    Seen,
)
from tocsin.domain.incident import Incident
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel, ReachEntry
from tocsin.domain.policy import Policy
from tocsin.planning.history.fold import apply_fact
from tocsin.planning.plan import plan

from tests.builders.instants import T0
from tests.builders.policies import paging_policy

PAY = Incident("pay", "Card payments fail", "sev1")
SMS, EMAIL = Channel.SMS, Channel.EMAIL
LATER = T0 + timedelta(seconds=20)


def paged(policy: Policy) -> tuple[IncidentState, dict[str, Notification]]:
    """The incident after its first plan, and the page that each person got first."""
    state = IncidentState()
    seen = Seen(T0, PAY, "d")
    planned = plan(PAY, policy, apply_fact(state.history, seen), T0)
    state.note([seen, *planned.facts], planned.history)
    pages = [due.notification for due in planned.due if due.notification.kind is Kind.PAGE]
    return state, {page.to: page for page in reversed(pages)}


def test_it_goes_by_the_channel_that_it_has_not_gone_by() -> None:
    """Also one outside the severity's `via` (rule 36); under a key of its own, otherwise the same page."""
    policy = paging_policy(via=(SMS,))
    state, pages = paged(policy)
    facts, page = choose_next_channel(state, ChannelFailed(pages["ana"]), policy, LATER)
    assert facts == (ReachSettled(LATER, "ana", T0, EMAIL, LATER, sent=True),)
    assert page is not None
    assert page == replace(pages["ana"], via=EMAIL, key=page.key)
    assert page.key == pages["ana"].key.rpartition("/")[0] + "/email"


def test_it_goes_nowhere_twice() -> None:
    """A page that went by every channel already is not repeated, nor lost."""
    policy = paging_policy()
    state, pages = paged(policy)
    assert choose_next_channel(state, ChannelFailed(pages["ana"]), policy, LATER) == ((), None)


def test_what_went_out_by_a_later_channel_counts() -> None:
    """Once the next channel was settled, a second failure finds none left."""
    policy = paging_policy(via=(SMS,))
    state, pages = paged(policy)
    facts, _ = choose_next_channel(state, ChannelFailed(pages["ana"]), policy, LATER)
    state.note(facts)
    assert choose_next_channel(state, ChannelFailed(pages["ana"]), policy, LATER) == ((), None)


def test_a_refused_channel_is_noted_once() -> None:
    """For the episode the person has no such channel (rule 14)."""
    policy = paging_policy(via=(SMS,))
    state, pages = paged(policy)
    facts, page = choose_next_channel(state, ChannelFailed(pages["ana"], refused=True), policy, LATER)
    assert facts[0] == ChannelRefused(LATER, "ana", SMS)
    assert page is not None
    state.note(facts)
    again, _ = choose_next_channel(state, ChannelFailed(pages["ana"], refused=True), policy, LATER)
    assert not [fact for fact in again if isinstance(fact, ChannelRefused)]


def test_a_page_that_every_channel_refused_is_lost() -> None:
    """It reached nobody: the plan hears of it, and its step is passed."""
    policy = paging_policy()
    state, pages = paged(policy)
    facts, _ = choose_next_channel(state, ChannelFailed(pages["ana"], refused=True), policy, LATER)
    state.note(facts)
    by_email = replace(pages["ana"], via=EMAIL)
    facts, page = choose_next_channel(state, ChannelFailed(by_email, refused=True), policy, LATER)
    assert facts == (ChannelRefused(LATER, "ana", EMAIL), PageLost(LATER, "ana", T0))
    assert page is None


def test_a_page_that_only_hangs_on_its_last_channel_is_not_lost() -> None:
    """Retries go on there: it may still reach somebody."""
    policy = paging_policy()
    state, pages = paged(policy)
    state.note([ChannelRefused(T0, "ana", SMS)])
    by_email = replace(pages["ana"], via=EMAIL)
    assert choose_next_channel(state, ChannelFailed(by_email), policy, LATER) == ((), None)


def failed_by_sms(pages: dict[str, Notification], *, again: bool = True) -> ChannelFailed:
    """Ana's page by SMS was not delivered."""
    return ChannelFailed(replace(pages["ana"], via=SMS), undelivered=True, again=again)


def without_mailbox(policy: Policy) -> Policy:
    """The policy in which ana has only a phone."""
    return replace(policy, people={**policy.people, "ana": replace(policy.people["ana"], email="")})


@pytest.mark.parametrize("again", [True, False])
def test_a_page_undelivered_on_its_last_channel_is_lost(again: bool) -> None:
    """Rule 66: it reached nobody, and is tried once more after 30 s where that may help."""
    policy = without_mailbox(paging_policy())
    state, pages = paged(policy)
    facts, page = choose_next_channel(state, failed_by_sms(pages, again=again), policy, LATER)
    once_more = (SMS, LATER + timedelta(seconds=30)) if again else None
    undelivered = PageLost(LATER, "ana", T0, SMS, for_good=not again)
    assert facts == (undelivered, PageLost(LATER, "ana", T0, again=once_more))
    assert page is None
    state.note(facts)
    assert choose_next_channel(state, failed_by_sms(pages), policy, LATER) == ((), None)


def test_a_page_undelivered_by_one_of_two_channels_is_not_lost() -> None:
    """Rule 66: its email is still on its way; when that is refused it has reached nobody, and the SMS goes once more."""
    policy = paging_policy()
    state, pages = paged(policy)
    facts, page = choose_next_channel(state, failed_by_sms(pages), policy, LATER)
    assert (facts, page) == ((PageLost(LATER, "ana", T0, SMS),), None)
    state.note(facts)
    by_email = ChannelFailed(replace(pages["ana"], via=EMAIL), refused=True, address="ana@example.com")
    facts, page = choose_next_channel(state, by_email, policy, LATER)
    assert facts == (
        ChannelRefused(LATER, "ana", EMAIL, "ana@example.com"),
        PageLost(LATER, "ana", T0, again=(SMS, LATER + timedelta(seconds=30))),
    )
    assert page is None


@pytest.mark.parametrize("refused", [True, False])
@pytest.mark.parametrize("again", [True, False])
def test_the_second_try_goes_where_it_may_help(again: bool, refused: bool) -> None:
    """Rules 37, 66: not by SMS when that was for good (30034), nor by email where this mail was refused (5.3.4)."""
    policy = paging_policy()
    state, pages = paged(policy)
    facts, _ = choose_next_channel(state, failed_by_sms(pages, again=again), policy, LATER)
    state.note(facts)
    by_email = replace(pages["ana"], via=EMAIL)
    failed = ChannelFailed(by_email, refused=True, address="ana@example.com")
    unfit = ChannelFailed(by_email, undelivered=True)
    facts, _ = choose_next_channel(state, failed if refused else unfit, policy, LATER)
    once_more = (SMS, LATER + timedelta(seconds=30)) if again else None
    assert facts[-1] == PageLost(LATER, "ana", T0, again=once_more)


def test_one_second_try_waits_at_a_time() -> None:
    """Rule 66: the chain names ana again at once; that page is lost too, but one try that waits will do for both."""
    policy = without_mailbox(paging_policy())
    state, pages = paged(policy)
    state.note([PageLost(T0, "ana", T0, again=(SMS, LATER + timedelta(seconds=5)))])
    state.note([Paged(LATER, "ana", ("technical_lead",), 0, 2, Reason.REPEATED, (SMS,))])
    again = replace(pages["ana"], at=LATER)
    facts, _ = choose_next_channel(state, ChannelFailed(again, undelivered=True, again=True), policy, LATER)
    assert facts[-1] == PageLost(LATER, "ana", LATER)


def test_a_later_channel_of_the_page_is_no_second_try() -> None:
    """Rules 13, 66: the SMS that `reach` sends after 3 minutes is its own; the second try goes after 30 s."""
    reach = (ReachEntry(SMS), ReachEntry(SMS, timedelta(minutes=3)))
    policy = without_mailbox(paging_policy())
    policy = replace(policy, people={**policy.people, "ana": replace(policy.people["ana"], reach=reach)})
    state, pages = paged(policy)
    facts, _ = choose_next_channel(state, failed_by_sms(pages), policy, LATER)
    assert facts[-1] == PageLost(LATER, "ana", T0, again=(SMS, LATER + timedelta(seconds=30)))


def test_a_page_that_was_followed_by_another_is_not_tried_again() -> None:
    """Rule 66: the newer one went the same way since; what became of the older one is noted all the same."""
    policy = without_mailbox(paging_policy())
    state, pages = paged(policy)
    state.note([Paged(T0 + timedelta(seconds=10), "ana", ("technical_lead",), 0, 2, Reason.REPEATED, (SMS,))])
    facts, _ = choose_next_channel(state, failed_by_sms(pages), policy, LATER)
    assert facts[-1] == PageLost(LATER, "ana", T0)


def test_a_lost_page_that_is_delivered_is_noted_once() -> None:
    """Rule 66: whoever gets it counts as reached from then; any other page's delivery says nothing."""
    policy = without_mailbox(paging_policy())
    state, pages = paged(policy)
    assert note_delivery(state, ChannelDelivered(pages["ana"]), LATER) == ()
    state.note([PageLost(T0, "ana", T0, again=(SMS, LATER))])
    sent = plan(PAY, policy, state.history, LATER)
    state.note(sent.facts, sent.history)
    second = next(due.notification for due in sent.due if due.notification.to == "ana")
    assert (second.reason, second.at, second.via) == (Reason.REACH, LATER, SMS)
    facts = note_delivery(state, ChannelDelivered(second), LATER)
    assert facts == (PageLost(LATER, "ana", T0, SMS, delivered=True),)
    state.note(facts)
    assert note_delivery(state, ChannelDelivered(second), LATER) == ()


def test_a_refusal_names_its_address() -> None:
    """Rule 65: the same channel refused at another address is another refusal."""
    policy = paging_policy(via=(SMS,))
    state, pages = paged(policy)
    refused = ChannelFailed(pages["ana"], refused=True, address="+14155550199")
    facts, _ = choose_next_channel(state, refused, policy, LATER)
    assert facts[0] == ChannelRefused(LATER, "ana", SMS, "+14155550199")
    state.note(facts)
    assert not state.history.refuses("ana", SMS, "+14155550101")
    facts, _ = choose_next_channel(state, replace(refused, address="+14155550101"), policy, LATER)
    assert facts[0] == ChannelRefused(LATER, "ana", SMS, "+14155550101")


@pytest.mark.parametrize("refused", [True, False])
def test_an_answered_page_goes_nowhere(refused: bool) -> None:
    """A refused number is noted all the same; no further page."""
    policy = paging_policy(via=(SMS,))
    state, pages = paged(policy)
    state.note([Answered(T0 + timedelta(seconds=5), "ana", Answer.OK)])
    settled = plan(PAY, policy, state.history, T0 + timedelta(seconds=5))
    state.note(settled.facts, settled.history)
    facts, page = choose_next_channel(state, ChannelFailed(pages["ana"], refused=refused), policy, LATER)
    assert facts == ((ChannelRefused(LATER, "ana", SMS),) if refused else ())
    assert page is None


def test_only_pages_go_elsewhere() -> None:
    """An update by a refused address is noted; nothing else follows."""
    policy = paging_policy(via=(SMS,))
    state, pages = paged(policy)
    update = replace(pages["ana"], kind=Kind.UPDATE, to="eve", via=SMS, group="execs")
    facts, page = choose_next_channel(state, ChannelFailed(update, refused=True), policy, LATER)
    assert (facts, page) == ((ChannelRefused(LATER, "eve", SMS),), None)


def test_whoever_left_the_config_is_asked_nowhere() -> None:
    """No person, no other channel."""
    policy = paging_policy(via=(SMS,))
    state, pages = paged(policy)
    gone = replace(policy, people={name: person for name, person in policy.people.items() if name != "ana"})
    assert choose_next_channel(state, ChannelFailed(pages["ana"]), gone, LATER) == ((), None)


def test_it_takes_the_place_of_the_channel_that_waits() -> None:
    """A `reach` entry that would have gone later goes now instead, and is settled under the instant it was due."""
    policy = paging_policy(via=(SMS, EMAIL))
    reach = (ReachEntry(SMS), ReachEntry(EMAIL, timedelta(minutes=3)))
    ana = replace(policy.people["ana"], reach=reach)
    policy = replace(policy, people={**policy.people, "ana": ana})
    state, pages = paged(policy)
    facts, page = choose_next_channel(state, ChannelFailed(pages["ana"]), policy, LATER)
    assert facts == (ReachSettled(LATER, "ana", T0, EMAIL, T0 + timedelta(minutes=3), sent=True),)
    assert page is not None
    state.note(facts)
    again = plan(PAY, policy, state.history, T0 + timedelta(minutes=3))
    assert not [due for due in again.due if (due.notification.to, due.notification.via) == ("ana", EMAIL)]


def test_a_page_that_hangs_where_every_channel_is_refused_is_not_lost_by_that() -> None:
    """Only a refusal of its own says that it reached nobody; one of its attempts may still be under way."""
    policy = paging_policy()
    state, pages = paged(policy)
    state.note([ChannelRefused(T0, "ana", SMS), ChannelRefused(T0, "ana", EMAIL)])
    assert choose_next_channel(state, ChannelFailed(pages["ana"]), policy, LATER) == ((), None)


def test_a_later_channel_that_went_late_belongs_to_its_page() -> None:
    """Rule 34: found ten minutes late (the daemon was down) it bears the instant at which it went. When it is refused the
    page does not go again by the channel that it went by at first.
    """
    policy = paging_policy(via=(SMS, EMAIL))
    reach = (ReachEntry(SMS), ReachEntry(EMAIL, timedelta(minutes=3)))
    ana = replace(policy.people["ana"], reach=reach)
    policy = replace(policy, people={**policy.people, "ana": ana})
    state, _ = paged(policy)
    late = T0 + timedelta(minutes=4, seconds=30)
    planned = plan(PAY, policy, state.history, late)
    state.note(planned.facts, planned.history)
    by_email = next(
        due.notification for due in planned.due if (due.notification.to, due.notification.via) == ("ana", EMAIL)
    )
    assert by_email.at == late
    facts, page = next_channel_after(state, by_email, policy, late)
    assert facts == (ChannelRefused(late, "ana", EMAIL),)
    assert page is None


def next_channel_after(
    state: IncidentState, page: Notification, policy: Policy, now: datetime
) -> tuple[tuple[Fact, ...], Notification | None]:
    """What follows when this page is refused for good."""
    return choose_next_channel(state, ChannelFailed(page, refused=True), policy, now)
