"""What we answer to an SMS: which answer is true now, and what it is about, in the reader's language.

The sentences are in `templates/answer.sms.txt.j2`, how they fit one segment in `wording/answer`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from tocsin.app.incidents.asked_instead import others_asked
from tocsin.app.replies.answer_all import AllMeant, MeantIncident
from tocsin.app.replies.sms_grammar import SmsCommand, Verb
from tocsin.domain.history import NO_ROLE, History
from tocsin.domain.people import Person
from tocsin.domain.policy import RESPONDER, Policy
from tocsin.planning.current_state import CurrentState
from tocsin.wording.answer.answer_wording import AnswerWording
from tocsin.wording.language.language import Language
from tocsin.wording.language.times import clock
from tocsin.wording.message.page_words import meeting_place, people_to_call
from tocsin.wording.message.update_words import status_text

Open = Sequence[tuple[str, str]]
"""What may be meant: codes and titles."""
AnswerIn = Callable[[Language], AnswerWording]
"""An answer, to be said in a language."""


def accepted(
    before: History, after: History, policy: Policy, person: Person, now: datetime, language: Language
) -> AnswerWording:
    """After an ok."""
    about = _about(after, policy, language)
    if after.resolved_at is not None:
        if after.verified and not before.verified:
            return replace(about, answer="healthy")
        return replace(about, answer="over", at=clock(after.resolved_at, person.timezone, now, language))
    own_roles = [role for role in after.roles.values() if role.holder == person.id and role.needed]
    if own_roles:
        titles = _titles(policy, [role.role for role in own_roles], language)
        if any(before.holder(role.role) != person.id for role in own_roles):
            bridge = meeting_place(after.incident, policy) if after.incident else ""
            return replace(about, answer="accepted", roles=titles, bridge=bridge)
        since = min((role.accepted_at for role in own_roles if role.accepted_at), default=now)
        at = clock(since, person.timezone, now, language)
        return replace(about, answer="accepted_before", roles=titles, at=at)
    if person.id in after.responders_answered:
        return replace(about, answer="responds")
    if after.incident and after.incident.unreadable and after.unreadable_ended:
        return replace(about, answer="looks_after")
    for role in after.roles.values():
        if role.needed and role.holder and role.was_paged(person.id):
            taken = replace(about, answer="taken", holder=policy.person_name(role.holder))
            at = clock(role.accepted_at or now, person.timezone, now, language)
            return replace(taken, roles=_titles(policy, [role.role], language), at=at)
    return replace(about, answer="not_asked")


def passed(
    before: History, after: History, policy: Policy, person: Person, now: datetime, language: Language
) -> AnswerWording:
    """After a pass."""
    about = _about(after, policy, language)
    if after.resolved_at is not None:
        if is_asked_health(after, person):
            return asks_health(after, policy, person, language)
        return replace(about, answer="over", at=clock(after.resolved_at, person.timezone, now, language))
    declined, already = _passed(after, person), _passed(before, person)
    roles = [role for role in declined if role not in already]
    if roles:
        others = others_asked(after, policy, person.id, now)
        if roles == [NO_ROLE]:
            return replace(about, answer="passed_unreadable", others=int(others))
        return replace(about, answer="passed", roles=_titles(policy, roles, language), others=int(others))
    return replace(about, answer="passed_before" if declined else "not_asked")


def is_asked_health(history: History, person: Person) -> bool:
    """Whether somebody was asked whether all is healthy after the end, and nobody has said so yet."""
    return history.resolved_at is not None and person.id in dict(history.verify_people) and not history.verified


def asks_health(history: History, policy: Policy, person: Person, language: Language) -> AnswerWording:
    """After a `no` to the question whether all is healthy, which opens nothing again: whom to call."""
    to_call = people_to_call(history, policy, language, without=person.id)
    _, name, phone = to_call[0] if to_call else ("", "", "")
    about = _about(history, policy, language)
    return replace(about, answer="asks_health", holder=name if phone else "", phone=phone)


def confirmed(
    command: SmsCommand,
    counted: AllMeant,
    after: History,
    policy: Policy,
    person: Person,
    now: datetime,
    language: Language,
) -> AnswerWording:
    """After an answer that counted in memory and is written down by now."""
    is_ok = command.verb is Verb.OK
    if command.everything:
        return (accepted_all if is_ok else passed_all)(counted, policy, person, (), "", language)
    return (accepted if is_ok else passed)(counted.meant[0].before, after, policy, person, now, language)


def accepted_all(
    all_meant: AllMeant, policy: Policy, person: Person, open_: Iterable[History], code: str, language: Language
) -> AnswerWording:
    """After an `ok all`; `code` is that of the worst, `open_` what wants an answer of theirs, the newest first."""
    taken = [one for one in all_meant.meant if one.asked.roles]
    if not all_meant.meant:
        return _none_asked(all_meant, policy, person, open_, language)
    if not taken:
        return _counted("confirmed_all", all_meant.meant, all_meant, policy, code, language)
    counted = _counted("accepted_all", taken, all_meant, policy, code, language)
    return replace(counted, held=len(all_meant.meant) - len(taken))


def passed_all(
    all_meant: AllMeant, policy: Policy, person: Person, open_: Iterable[History], code: str, language: Language
) -> AnswerWording:
    """After a `pass all`, likewise."""
    if not all_meant.meant:
        return _none_asked(all_meant, policy, person, open_, language)
    asked = sum(one.others_asked for one in all_meant.meant)
    counted = _counted("passed_all", all_meant.meant, all_meant, policy, code, language)
    return replace(counted, held=all_meant.held, others=asked, nobody=len(all_meant.meant) - asked)


def status(
    history: History, state: CurrentState, policy: Policy, person: Person, now: datetime, language: Language
) -> AnswerWording:
    """How an incident stands."""
    incident, about = history.incident, _about(history, policy, language)
    assert incident is not None
    if history.resolved_at is not None:
        return replace(about, answer="status_over", at=clock(history.resolved_at, person.timezone, now, language))
    holders = []
    for role in state.roles:
        holds = role.accepted_at and role.person in policy.people  # who left the config holds nothing any more (rule 8)
        holders.append((policy.role_title(role.role), policy.person_name(role.person) if holds else ""))
    due = clock(state.next_update_at, person.timezone, now, language) if state.next_update_at else ""
    said = _unreadable(history, language) if incident.unreadable else status_text(incident.status, language)
    return replace(about, answer="status", status=said, next=due, holders=tuple(holders))


def _unreadable(history: History, language: Language) -> str:
    """How it stands with a file that nobody could ever read (rule 32): nobody knows more of it."""
    if history.unreadable_ended:
        return language.say("its file cannot be read; somebody looks after it")
    return language.say("its file cannot be read; nobody looks after it yet")


def noted(history: History, policy: Policy, language: Language) -> AnswerWording:
    """After a note."""
    return replace(_about(history, policy, language), answer="noted")


def which(verb: Verb, open_: Open, language: Language, *, everything: bool, needs_code: bool = False) -> AnswerWording:
    """When it is not clear which incident is meant; `everything`: one word could answer them all. `needs_code`: it may
    be clear, and nothing counts without a code.
    """
    if not open_:
        return _of_open("none_open", (), language)
    all_ = f"{verb.value} all" if everything and verb in (Verb.OK, Verb.PASS) else ""
    all_ += f" {open_[0][0]}" if all_ and needs_code else ""
    return replace(_of_open("which", open_, language), word=verb.value, everything=all_, needs_code=needs_code)


def all_with_code(verb: Verb, open_: Open, language: Language) -> AnswerWording:
    """When an `ok all` counts only with a code of theirs."""
    if not open_:
        return _of_open("none_open", (), language)
    return replace(_of_open("all_with_code", open_, language), everything=f"{verb.value} all {open_[0][0]}")


def only_others(open_: Open, language: Language) -> AnswerWording:
    """When an ok could only confirm what they hold already, or what others took."""
    return _of_open("only_others", open_, language)


def unclear(open_: Open, language: Language, *, needs_code: bool = False) -> AnswerWording:
    """When the message is none of those we understand. `needs_code`: `ok all` counts only with a code of theirs."""
    all_ = f"ok all {open_[0][0]}" if needs_code and open_ else "ok all"
    return replace(_of_open("unclear", open_, language), everything=all_)


def no_such_code(code: str, open_: Open, language: Language) -> AnswerWording:
    """When somebody writes a code that is none of theirs."""
    return replace(_of_open("no_such_code", open_, language), code=code)


def with_after(answer_in: AnswerIn, after: str) -> AnswerIn:
    """The same answer, and another behind it."""

    def words_in(language: Language) -> AnswerWording:
        words = answer_in(language)
        return replace(words, after=(*words.after, after))

    return words_in


def signed(answer_in: AnswerIn, organisation: str) -> AnswerIn:
    """The same answer, with who writes."""
    return lambda language: replace(answer_in(language), organisation=organisation)


def _none_asked(
    all_meant: AllMeant, policy: Policy, person: Person, open_: Iterable[History], language: Language
) -> AnswerWording:
    """When nothing that had left asks for an answer. `all` never means the question whether all is healthy."""
    ended = next((history for history in open_ if is_asked_health(history, person)), None)
    if ended and not (all_meant.waiting or all_meant.lost):
        return asks_health(ended, policy, person, language)
    answer = "none_sent" if all_meant.waiting or all_meant.lost else "none_asked"
    return replace(_of_open(answer, (), language), waiting=all_meant.waiting, lost=all_meant.lost)


def _counted(
    answer: str,
    meant: Sequence[MeantIncident],
    all_meant: AllMeant,
    policy: Policy,
    code: str,
    language: Language,
) -> AnswerWording:
    """What was done to these, the worst first: how many, how many of each severity, and the worst."""
    tags = [policy.severity(one.severity).name.upper() for one in meant]
    tally = ", ".join(f"{tags.count(tag)} {tag}" for tag in dict.fromkeys(tags))
    return replace(
        _of_open(answer, (), language),
        title=meant[0].title,
        tag=tags[0],
        code=code,
        id=meant[0].id,
        count=len(meant),
        tally=tally,
        drills=sum(one.drill for one in meant),
        waiting=all_meant.waiting,
        lost=all_meant.lost,
    )


def _about(history: History, policy: Policy, language: Language) -> AnswerWording:
    """An answer about one incident, which one not said yet."""
    incident = history.incident
    assert incident is not None
    return replace(
        _of_open("", (), language),
        drill=incident.drill,
        title=incident.title or incident.id,
        tag=policy.severity(incident.severity).name.upper(),
        id=incident.id,
    )


def _of_open(answer: str, open_: Open, language: Language) -> AnswerWording:
    return AnswerWording(answer, open=tuple(open_), language=language.code, direction=language.direction)


def _passed(history: History, person: Person) -> list[str]:
    """The roles that somebody has passed on."""
    roles = [name for name, role in history.roles.items() if role.wanted and person.id in role.declining]
    return [*roles, RESPONDER] if person.id in history.responders_passed else roles


def _titles(policy: Policy, roles: Sequence[str], language: Language) -> str:
    return language.listed([policy.role_title(role) for role in roles])
