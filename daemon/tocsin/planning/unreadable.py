"""Unreadable: a file that was never readable pages the last resort until somebody answers (rule 32)."""

from tocsin.domain.facts import Paged, StepFired
from tocsin.domain.history import RoleHistory
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.planning.draft import Draft
from tocsin.planning.escalation import last_resort, next_after
from tocsin.planning.reach import channels_of

NO_ROLE = ""


def page_last_resort(draft: Draft) -> None:
    """Page the last resort by the channels of `unreadable_severity`, each `acknowledge_within`, without a role."""
    page, history = draft.page, draft.history
    assert page is not None, "settings make sure that unreadable_severity has a page"
    assert history.started_at is not None
    if history.unreadable_ended:
        return
    role = history.roles.get(NO_ROLE) or RoleHistory(NO_ROLE)
    at = draft.open_instant(next_after(draft, role.step.at, page) if role.step else history.started_at)
    if at is None:
        return
    rule = draft.policy.place_of_last_resort()
    people = last_resort(draft, frozenset())
    draft.record(StepFired(at, NO_ROLE, None, None, people))
    if not people:
        draft.hold(Kind.PAGE, Why.NO_CHANNEL, at, "", "the last resort reaches nobody", rule)
    for name in people:
        person = draft.person(name)
        assert person is not None
        channels = channels_of(person, page.via, history)
        draft.record(Paged(at, name, (), None, None, Reason.LAST_RESORT, channels))
        for via in channels:
            draft.send(Kind.PAGE, Reason.LAST_RESORT, at, name, via, rule=rule)
