"""The built-in texts, short and whole: what is sent when a template is broken (P2)."""

from dataclasses import replace

from tocsin.domain.delivery import Content
from tocsin.domain.notification import Kind, Reason
from tocsin.domain.people import Channel
from tocsin.text.gsm import cut, fold
from tocsin.wording.message.shorten import limit, shorten
from tocsin.wording.message.wording import Wording


def builtin_content(words: Wording, via: Channel) -> Content:
    """The built-in text of a message, for a channel."""
    if via.traits.short:
        return Content(shorten(words, _sms) or cut(fold(_sms(words)), limit(words)))
    drill = "DRILL " if words.drill else ""
    head = f"{words.tag}: {words.title}" if words.tag else words.title
    by_sms = f"Or by SMS: ok {words.code}" if words.code else ""
    parts = (*_body(replace(words, code="")), by_sms, words.impact, words.summary)
    body = "\n\n".join(part for part in parts if part)
    return Content(f"{drill}{head}\n\n{body}\n", f"{drill}{words.subject_title or words.title}")


def _sms(words: Wording) -> str:
    drill = "DRILL " if words.drill else ""
    if words.kind == Kind.PAGE:
        about = (words.organisation, words.tag, words.since_short, f"{words.title}.", words.why_short, _role(words))
        return drill + " ".join(part for part in (*about, _reply(words, "Accept: ")) if part)
    head = f"{words.tag} {words.title}" if words.tag else words.title
    return f"{drill}{head}: {' '.join(part for part in _body(words) if part)}"


def _body(words: Wording) -> tuple[str, ...]:
    """What it says, by kind."""
    match Kind(words.kind):
        case Kind.PAGE:
            since = f"Since {words.since}." if words.since else ""
            then = f"If nobody answers by {words.answer_by}, we page {words.then}." if words.then else ""
            return (words.why, _role(words), _reply(words, "Accept: "), then, since, words.bridge, words.runbook)
        case Kind.STAND_DOWN:
            needless = f"You are no longer needed as {words.your_role}."
            lowered = words.reason == Reason.SEVERITY_LOWERED
            holder = (
                needless if lowered or not words.accepted_by else f"{words.accepted_by} has it now ({words.your_role})."
            )
            return (f"stand down. {holder} Nothing to do for you.",)
        case Kind.UPDATE:
            return _update(words)
        case Kind.CLOSING:
            ended = f"resolved after {words.duration}." if words.duration else "resolved."
            return (ended, words.resolution or "You need not do anything.")
        case Kind.REMINDER:
            return (*_reminder(words), f"tocsin update {words.id} TEXT")
        case Kind.VERIFY:
            return (f"resolved. Is it healthy? If not, open it again. {_reply(words, 'If so: ')}",)
        case Kind.REVIEW:
            return (f"please finish the review in {words.review_file}, due {words.review_due}.",)
        case Kind.OPERATOR | Kind.ANSWER:
            return ()


def _update(words: Wording) -> tuple[str, ...]:
    """The change, the news, and what else is true."""
    promise = f"Next update by {words.next_short}." if words.next else "We write again when something changes."
    texts = tuple(entry.text for entry in words.news) or (words.standing,)
    last = f"Last news: {words.last_news.text}" if words.last_news else ""
    impact = f"Now: {words.impact}" if words.impact_was and words.impact else ""
    return tuple(dict.fromkeys((words.lead, *words.changes, *texts, impact, last, words.expected, promise)))


def _reminder(words: Wording) -> tuple[str, ...]:
    """What is due, and what is read otherwise."""
    if words.reason == Reason.ETA_PASSED:
        return (f"the ETA of {words.eta_short} has passed.", words.otherwise)
    if not words.due_short:
        return ("the first update needs a public text.",)
    otherwise = f"Else they read: {words.otherwise}" if words.otherwise else ""
    return (f"an update is due by {words.due_short} and nothing new was written.", otherwise)


def _role(words: Wording) -> str:
    """What a page asks its reader to be."""
    if words.unreadable:
        return "The incident file cannot be read."
    return f"You: {words.your_role}." if words.your_role else ""


def _reply(words: Wording, label: str) -> str:
    """How to answer, by the shortest way that there is."""
    if words.code:
        return f"ok {words.code} / pass {words.code}" if words.kind == Kind.PAGE else f"{label}ok {words.code}"
    return label + (words.answer_url or words.acknowledge)
