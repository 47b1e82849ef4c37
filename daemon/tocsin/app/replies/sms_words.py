"""What we answer to an SMS: short, one segment, and true now. A title gives way so that the rest fits."""

from collections.abc import Sequence
from datetime import datetime

from tocsin.app.incidents.asked_instead import others_asked
from tocsin.app.replies.answer_all import AllMeant, MeantIncident
from tocsin.app.replies.sms_grammar import Verb
from tocsin.domain.history import History
from tocsin.domain.people import Person
from tocsin.domain.policy import RESPONDER, Policy
from tocsin.planning.current_state import CurrentState
from tocsin.text import cleaning
from tocsin.text.gsm import cut, fold, segments
from tocsin.text.times import clock
from tocsin.wording.message.wording import listed

TITLES = (60, 40, 24, 12)
"""Characters that a title may have, the most first; fewer where the rest would not fit."""
LISTED = (30, 16, 8, 0)
"""The same in a list of several; at last only their codes."""
LAST = " No more answers for now; what you write counts."
"""What the last answer of a flood says."""
STANDS = " An ok of yours counts only after 1 min now, and is answered then."
"""What somebody reads who took it and handed it back too often."""
TITLE = "\0"
"""Where the title comes; nothing that people write has it."""

Open = Sequence[tuple[str, str]]
"""What may be meant: codes and titles."""


def accepted(before: History, after: History, policy: Policy, person: Person, now: datetime) -> str:
    """After an ok."""
    if after.resolved_at is not None:
        if after.verified and not before.verified:
            return _fitted(f"Thank you. {TITLE}: confirmed healthy.", after)
        return _fitted(f"{TITLE} was resolved at {_clock(after.resolved_at, person, now)}. Nothing to do.", after)
    own_roles = [role for role in after.roles.values() if role.holder == person.id and role.needed]
    if own_roles:
        titles = _titles(policy, [role.role for role in own_roles])
        if any(before.holder(role.role) != person.id for role in own_roles):
            return _fitted(f"You are {titles} of {TITLE} ({_tag(after, policy)}).", after)
        since = min((role.accepted_at for role in own_roles if role.accepted_at), default=now)
        return _fitted(f"You are already {titles} of {TITLE}, since {_clock(since, person, now)}.", after)
    if person.id in after.responders_answered:
        return _fitted(f"Noted: you are a responder of {TITLE} ({_tag(after, policy)}).", after)
    if after.incident and after.incident.unreadable and after.unreadable_ended:
        return _fitted(f"Noted: you look after {TITLE}. Its file cannot be read; correct it.", after)
    for role in after.roles.values():
        if role.needed and role.holder and role.was_paged(person.id):
            took = f"{policy.person_name(role.holder)} took {_titles(policy, [role.role])}"
            at = _clock(role.accepted_at or now, person, now)
            return _fitted(f"{took} of {TITLE} at {at}. You need not do anything.", after)
    return _fitted(f"Nothing is asked of you now for {TITLE}, so nothing has changed.", after)


def passed(before: History, after: History, policy: Policy, person: Person, now: datetime) -> str:
    """After a pass."""
    if after.resolved_at is not None:
        return _fitted(f"{TITLE} was resolved at {_clock(after.resolved_at, person, now)}. Nothing to do.", after)
    declined, already = _passed(after, person), _passed(before, person)
    roles = [role for role in declined if role not in already]
    if roles:
        others = others_asked(after, policy, person.id, now)
        then = "Somebody else is asked." if others else "Nobody is asked in your place."
        return _fitted(f"Noted: you pass on {_titles(policy, roles)} of {TITLE}. {then}", after)
    if declined:
        return _fitted(f"You passed on {TITLE} already.", after)
    return _fitted(f"Nothing is asked of you now for {TITLE}, so nothing has changed.", after)


def accepted_all(all_meant: AllMeant, policy: Policy, code: str) -> str:
    """After an `ok all`; `code` is that of the worst."""
    taken = [one for one in all_meant.meant if one.asked.roles]
    confirmed = len(all_meant.meant) - len(taken)
    if not all_meant.meant:
        return _nothing_asked(all_meant)
    stays = f" You confirmed {confirmed} that you hold." if confirmed else ""
    done = "You accepted" if taken else "You confirmed"
    return _counted(done, taken or all_meant.meant, stays if taken else "", _more(all_meant), policy, code)


def passed_all(all_meant: AllMeant, policy: Policy, code: str) -> str:
    """After a `pass all`; `code` is that of the worst."""
    if not all_meant.meant:
        return _nothing_asked(all_meant)
    stays = f" What you hold stays yours ({all_meant.held})." if all_meant.held else ""
    asked = sum(one.others_asked for one in all_meant.meant)
    then = " Others are asked." if asked else " Nobody is asked in your place."
    if 0 < asked < len(all_meant.meant):
        then = f" Others are asked in {asked}, nobody in {len(all_meant.meant) - asked}."
    return _counted("You passed on", all_meant.meant, then + stays, _more(all_meant), policy, code)


def status(history: History, state: CurrentState, policy: Policy, person: Person, now: datetime) -> str:
    """How an incident stands."""
    incident = history.incident
    assert incident is not None
    if history.resolved_at is not None:
        return _fitted(f"{TITLE} was resolved at {_clock(history.resolved_at, person, now)}.", history)
    holders = []
    for role in state.roles:
        holds = role.accepted_at and role.person in policy.people  # who left the config holds nothing any more (rule 8)
        holder = policy.person_name(role.person) if holds else "nobody yet"
        holders.append(f"{policy.role_title(role.role)}: {holder}")
    due = f" Next update by {_clock(state.next_update_at, person, now)}." if state.next_update_at else ""
    text = f"{_tag(history, policy)} {TITLE}: {incident.status.value}.{due} {'; '.join(holders)}"
    return _fitted(text, history)


def noted(history: History) -> str:
    """After a note."""
    return _fitted(f"Noted for {TITLE}.", history)


def which(verb: Verb, open_: Open, *, everything: bool, needs_code: bool = False) -> str:
    """When it is not clear which incident is meant; `everything`: one word could answer them all. `needs_code`: it may
    be clear, and nothing counts without a code.
    """
    if not open_:
        return "You have no open page. Nothing has changed."
    text = " and the text" if verb is Verb.NOTE else ""
    all_ = f", or {verb.value} all" if everything and verb in (Verb.OK, Verb.PASS) else ""
    all_ += f" {open_[0][0]}" if all_ and needs_code else ""
    asks = "Nothing has changed." if needs_code else "Which one?"
    return _listed(f"{asks} Reply {verb.value} with its code{text}{all_}: ", open_)


def all_with_code(verb: Verb, open_: Open) -> str:
    """When an `ok all` counts only with a code of theirs."""
    if not open_:
        return "You have no open page. Nothing has changed."
    return _listed(f"Nothing has changed. Reply {verb.value} all {open_[0][0]}, or for one its code: ", open_)


def last(text: str) -> str:
    """The last answer for a while, in one segment: it says so."""
    return _with_end(text, LAST)


def from_now_on_stands(text: str) -> str:
    """The answer to somebody who handed it back too often, in one segment: what becomes of their next `ok`."""
    return _with_end(text, STANDS)


def nothing_asked(open_: Open) -> str:
    """When an ok could only confirm what they hold already, or what others took."""
    return _listed("Nothing is asked of you now. Open: ", open_)


def unclear(open_: Open, *, needs_code: bool = False) -> str:
    """When the message is none of those we understand. `needs_code`: `ok all` counts only with a code of theirs."""
    if not open_:
        return "Not understood. You have no open page."
    all_ = f"ok all {open_[0][0]}" if needs_code else "ok all"
    return _listed(f"Not understood. Reply ok, pass, status or note TEXT with a code, or {all_}: ", open_)


def no_such_code(code: str, open_: Open) -> str:
    """When somebody writes a code that is none of theirs."""
    if not open_:
        return f"{code} is no code of yours. You have no open page."
    return _listed(f"{code} is no code of yours. Open: ", open_)


def _nothing_asked(all_meant: AllMeant) -> str:
    """When nothing that had left asks for an answer."""
    if not (all_meant.waiting or all_meant.lost):
        return "Nothing is asked of you now. Nothing has changed."
    return f"Nothing that you had been sent asks for an answer; nothing has changed.{_more(all_meant)}"


def _more(all_meant: AllMeant) -> str:
    """What still asks, and what does not reach them."""
    waiting, lost = all_meant.waiting, all_meant.lost
    way = "its" if waiting == 1 else "their"
    comes = f" {waiting} more, just sent or on {way} way, still {_asks(waiting)} you." if waiting else ""
    return comes + (f" {lost} more could not be sent to you." if lost else "")


def _asks(number: int) -> str:
    return "asks" if number == 1 else "ask"


def _counted(done: str, meant: Sequence[MeantIncident], then: str, more: str, policy: Policy, code: str) -> str:
    """What was done to these, the worst first: how many, how many of each severity, and the worst, in one segment.
    First its title gives way, then how many of each.
    """
    worst, drills = meant[0], sum(one.drill for one in meant)
    tags = [policy.severity(one.severity).name.upper() for one in meant]
    of_each = ", ".join(f"{tags.count(tag)} {tag}" for tag in dict.fromkeys(tags))
    some = (
        " (a drill)" if len(meant) == 1 else " (all drills)" if drills == len(meant) else f" ({drills} of them drills)"
    )
    count = f"{done} {len(meant)}{some if drills else ''}".replace("1 of them drills", "1 of them a drill")
    title, named = fold(cleaning.one_line(worst.title)), f"{tags[0]} {TITLE}{f' ({code})' if code else ''}."
    bare = f"{count}. Worst: {code}." if code else f"{count}."
    texts = (
        [f"{count}: {named}"]
        if len(meant) == 1
        else [f"{count}: {of_each}. Worst: {named}", f"{count}. Worst: {named}"]
    )
    ends = (then + more, more)
    fitted = [text.replace(TITLE, cleaning.cut(title, most)) + end for end in ends for text in texts for most in TITLES]
    fitted = [*map(fold, fitted), *(bare + end for end in ends)]
    return next((text for text in fitted if segments(text) == 1), cut(fitted[-1], 1))


def _with_end(text: str, end: str) -> str:
    """The text, cut where it must be, and what has to be read behind it."""
    texts = (fold(cleaning.cut(text, most)) + end for most in range(len(text), 0, -1))
    return next((whole for whole in texts if segments(whole) == 1), text)


def _fitted(text: str, history: History) -> str:
    """The text about an incident, in one segment."""
    incident = history.incident
    assert incident is not None
    whole = f"DRILL {text}" if incident.drill else text
    title = fold(cleaning.one_line(incident.title)) or incident.id
    texts = [fold(whole.replace(TITLE, cleaning.cut(title, most))) for most in TITLES]
    return next((text for text in texts if segments(text) == 1), cut(texts[-1], 1))


def _listed(text: str, open_: Open) -> str:
    """The text and what is open, the worst first, in one segment; how many more there are, where not even codes fit."""
    texts = []
    for most in LISTED:
        entries = [
            f"{code} {cleaning.cut(fold(cleaning.one_line(title)), most)}" if most else code for code, title in open_
        ]
        texts.append(fold(text + ("; " if most else " ").join(entries)))
    codes = [code for code, _ in open_]
    texts += [fold(f"{text}{' '.join(codes[:most])} +{len(codes) - most}") for most in range(len(codes) - 1, 0, -1)]
    return next((answer for answer in texts if segments(answer) == 1), cut(texts[-1], 1))


def _clock(at: datetime, person: Person, now: datetime) -> str:
    return clock(at, person.timezone, now)


def _passed(history: History, person: Person) -> list[str]:
    """The roles that somebody has passed on."""
    roles = [name for name, role in history.roles.items() if role.needed and person.id in role.passed]
    return [*roles, RESPONDER] if person.id in history.responders_passed else roles


def _tag(history: History, policy: Policy) -> str:
    assert history.incident is not None
    return policy.severity(history.incident.severity).name.upper()


def _titles(policy: Policy, roles: Sequence[str]) -> str:
    return listed(tuple(map(policy.role_title, roles)))
