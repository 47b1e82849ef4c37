"""What somebody is asked for, and what one answer to all of it does (rule 47), at every moment of random worlds."""

from datetime import timedelta

from hypothesis import given
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.history import History
from tocsin.domain.notification import Kind
from tocsin.domain.policy import RESPONDER
from tocsin.planning.delivery.still_wanted import why_unwanted
from tocsin.planning.history.asked_for import asked_for
from tocsin.planning.history.fold import apply_fact

from tests.property.test_plan_laws import MANY, Walk, full_worlds, walk
from tests.timelines.worlds import World


def moments(walked: Walk) -> list[tuple[Answered, History]]:
    """Every state in which somebody might answer, a moment later, with each person of the config."""
    return [
        (Answered(now + timedelta(seconds=1), person, Answer.OK, asked_only=True), made.history)
        for now, _, made in walked.plans
        for person in walked.policy.people
    ]


def held(history: History, person: str) -> set[str]:
    """What somebody holds."""
    holds = {name for name, role in history.roles.items() if role.holder == person}
    return holds | ({RESPONDER} if person in history.responders_answered - history.responders_passed else set())


@MANY
@given(full_worlds)
def test_ok_all_takes_everything_that_is_asked(world: World) -> None:
    """And nothing that somebody else holds; afterwards nothing is asked any more."""
    for answer, history in moments(walk(world)):
        asked = asked_for(history, answer.person)
        if not asked:
            continue
        after = apply_fact(history, answer)
        assert set(asked.roles) <= held(after, answer.person) | {RESPONDER}
        assert not asked_for(after, answer.person)
        for name, role in history.roles.items():
            handed_over = role.handover is not None and role.handover.person == answer.person
            if role.holder not in (None, answer.person) and not handed_over:
                assert after.holder(name) == role.holder


@MANY
@given(full_worlds)
def test_pass_all_keeps_everything_that_is_held(world: World) -> None:
    """It declines what is asked, and that alone."""
    for answer, history in moments(walk(world)):
        asked = asked_for(history, answer.person)
        after = apply_fact(history, Answered(answer.at, answer.person, Answer.PASS, asked_only=True))
        assert held(after, answer.person) >= held(history, answer.person)
        if asked.roles:
            assert not asked_for(after, answer.person).roles


@MANY
@given(full_worlds)
def test_a_page_that_is_still_wanted_asks(world: World) -> None:
    """Whoever has a page that would still leave is asked; and whoever is asked was paged in this episode."""
    walked = walk(world)
    pages = [message for message in walked.said() if message.kind is Kind.PAGE]
    for answer, history in moments(walked):
        asked = asked_for(history, answer.person)
        sent = [page for page in pages if page.to == answer.person and page.at <= answer.at]
        sent = [page for page in sent if page.episode == history.episode]
        told_to_rest = any(answer.person in role.stood_down for role in history.roles.values())
        if any(why_unwanted(page, history) is None for page in sent) and not told_to_rest:
            assert asked
        if asked:
            assert sent
