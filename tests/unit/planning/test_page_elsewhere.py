"""A page of another machine's own step, for which nothing was decided here: whom it reached hears the end (P5)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tocsin.domain.facts import ChannelRefused, Closed, Fact, Paged, PageLost, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.planning.history.fold import fold_facts
from tocsin.planning.plan import plan

from tests.builders.policies import paging_policy

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
PAY = Incident("pay", "Pay", "sev1")
OVER = replace(PAY, status=Status.RESOLVED)
WRONG = "+19999999999"


def after(seconds: int) -> datetime:
    return AT + timedelta(seconds=seconds)


def elsewhere(person: str, *channels: Channel, at: int = 20) -> Paged:
    """What is noted of it."""
    return Paged(after(at), person, (), None, None, Reason.LAST_RESORT, channels)


def looked(history: History, policy: Policy, seconds: int, *facts: Fact) -> tuple[History, list[tuple[str, Channel]]]:
    """The history after these facts and a look then; who hears the end by it."""
    history = fold_facts(facts, history)
    assert history.incident is not None
    planned = plan(history.incident, policy, history, after(seconds))
    sent = [due.notification for due in planned.due if due.notification.kind is Kind.CLOSING]
    return planned.history, [(message.to, message.via) for message in sent]


def with_ana(policy: Policy, *, email: str = "", phone: str = WRONG) -> Policy:
    return replace(policy, people={**policy.people, "ana": replace(policy.people["ana"], email=email, phone=phone)})


@pytest.mark.parametrize("noted", [True, False])
def test_it_does_not_keep_the_page_from_a_corrected_address(noted: bool) -> None:
    """Rule 65: ana's page from here, refused at her wrong number, goes to the right one at once all the same."""
    wrong = with_ana(paging_policy())
    history, _ = looked(History(), wrong, 0, Seen(AT, PAY, "d"))
    history = fold_facts([ChannelRefused(after(5), "ana", Channel.SMS, WRONG)], history)
    page = history.newest_pages["ana"]
    if noted:
        history = fold_facts([elsewhere("ana", Channel.EMAIL)], history)
    assert history.newest_pages["ana"] == page
    planned = plan(PAY, paging_policy(), history, after(60))
    to_ana = [due.notification for due in planned.due if due.notification.to == "ana"]
    assert [(page.via, page.reason) for page in to_ana] == [(Channel.SMS, Reason.REACH)]


def test_a_page_for_a_file_that_cannot_be_read_stays_the_newest() -> None:
    """Rule 66: one that is lost is tried once more, though olga was also paged elsewhere."""
    history, _ = looked(History(), paging_policy(), 0, Seen(AT, replace(PAY, unreadable=True), "d"))
    page = history.newest_pages["olga"]
    lost = PageLost(after(30), "olga", page.at, again=(Channel.SMS, after(60)))
    history = fold_facts([elsewhere("olga", Channel.EMAIL), lost], history)
    assert history.newest_pages["olga"] == page
    assert [waits.person for waits in history.waiting] == ["olga"]


def resolved(policy: Policy) -> History:
    """The end was told, to ana and chen."""
    history, _ = looked(History(), policy, 0, Seen(AT, PAY, "d"))
    history, told = looked(history, policy, 60, Seen(after(60), OVER, "e"))
    assert history.closed
    assert {person for person, _ in told} >= {"ana", "chen"}
    return history


def test_whom_it_reached_hears_an_end_that_was_told_before_once() -> None:
    """P5: by the channels that reached them so; whoever heard it there hears nothing more."""
    policy = paging_policy()
    pages = [elsewhere("bo", Channel.SMS), elsewhere("ana", Channel.SMS, Channel.EMAIL)]
    history, told = looked(resolved(policy), policy, 70, *pages)
    assert told == [("bo", Channel.SMS)]
    history, told = looked(history, policy, 80, elsewhere("bo", Channel.SMS), elsewhere("bo", Channel.EMAIL))
    assert told == [("bo", Channel.EMAIL)]
    assert not looked(history, policy, 90)[1]


def test_an_end_that_was_told_by_mail_is_not_told_by_sms_later() -> None:
    """Rule 58: bo hears it by email alone, unless that is refused afterwards."""
    policy = paging_policy()
    policy = replace(policy, severities={"sev1": replace(policy.severities["sev1"], closing_by_email=True)})
    history, told = looked(resolved(policy), policy, 70, elsewhere("bo", Channel.SMS, Channel.EMAIL))
    assert told == [("bo", Channel.EMAIL)]
    assert "bo" in history.closed_by_mail
    refused = ChannelRefused(after(75), "bo", Channel.EMAIL, policy.people["bo"].email)
    assert looked(history, policy, 80, refused)[1] == [("bo", Channel.SMS)]


def test_whoever_cannot_hear_a_late_end_is_said() -> None:
    """P5: somebody who has left the config is a line of why, not silence."""
    policy = paging_policy()
    history = resolved(policy)
    policy = replace(policy, people={name: one for name, one in policy.people.items() if name != "bo"})
    history = fold_facts([elsewhere("bo", Channel.SMS)], history)
    planned = plan(OVER, policy, history, after(70))
    assert [(said.to, said.why) for said in planned.suppressed if said.kind is Kind.CLOSING] == [
        ("bo", Why.LEFT_CONFIG)
    ]
    ends = [fact.at for fact in planned.facts if isinstance(fact, Closed)]
    assert ends == [history.resolved_at], "when it ended stays as it is"
    assert not planned.history.closing_owed
