"""The built-in texts, short and whole: what is sent when a template is broken (P2)."""

from functools import partial

from tocsin.domain.delivery import Content
from tocsin.domain.notification import Kind, Reason
from tocsin.domain.people import Channel
from tocsin.planning.history.fast_replace import replace
from tocsin.text.gsm import cut, fold
from tocsin.wording.language.language import ENGLISH, Language
from tocsin.wording.message.page_words import behind
from tocsin.wording.message.shorten import limit, shorten
from tocsin.wording.message.update_words import News
from tocsin.wording.message.wording import Wording


def builtin_content(words: Wording, via: Channel, language: Language = ENGLISH, warning: str = "") -> Content:
    """The built-in text of a message, for a channel, in its reader's language; of a short one a warning is the end."""
    if via.traits.short:
        sms = partial(_sms, language, warning)
        return Content(shorten(words, sms) or cut(fold(sms(words)), limit(words)))
    drill = "DRILL " if words.drill else ""
    head = f"{words.tag}: {words.title}" if words.tag else words.title
    by_sms = language.say("Or by SMS: ok {code}", code=words.code) if words.code else ""
    parts = (*_body(replace(words, code=""), language), by_sms, words.impact, words.summary)
    body = "\n\n".join(part for part in parts if part)
    return Content(f"{drill}{head}\n\n{body}\n", f"{drill}{words.subject_title or words.title}")


def _sms(language: Language, warning: str, words: Wording) -> str:
    text = _short(language, words)
    return behind(text, warning) if warning else text


def _short(language: Language, words: Wording) -> str:
    drill = "DRILL " if words.drill else ""
    if words.kind == Kind.PAGE:
        role = _role(words, language)
        about = (words.organisation, words.tag, words.since_short, f"{words.title}.", words.why_short, role)
        return drill + " ".join(part for part in (*about, _reply(words, language.say("Accept:"))) if part)
    head = f"{words.tag} {words.title}" if words.tag else words.title
    return f"{drill}{head}: {' '.join(part for part in _body(words, language) if part)}"


def _body(words: Wording, language: Language) -> tuple[str, ...]:
    """What it says, by kind."""
    match Kind(words.kind):
        case Kind.PAGE:
            return _page(words, language)
        case Kind.STAND_DOWN:
            return _stand_down(words, language)
        case Kind.UPDATE:
            return _update(words, language)
        case Kind.CLOSING:
            rest = language.say("You need not do anything.") if words.nothing_to_do else ""
            return (_ended(words, language), words.resolution, rest)
        case Kind.REMINDER:
            return (*_reminder(words, language), f"tocsin update {words.id} TEXT")
        case Kind.VERIFY:
            asked = f"{language.say('resolved. Is it healthy?')} {language.say('If not, open it again.')}"
            return (f"{asked} {_reply(words, language.say('If so:'))}",)
        case Kind.REVIEW:
            draft = language.say("Draft: {file}", file=words.review_file)
            if not words.review_due:
                return (language.say("please finish the review."), draft)
            return (language.say("please finish the review by {time}.", time=words.review_due), draft)
        case Kind.OPERATOR | Kind.ANSWER | Kind.SIGN_IN:
            return ()


def _page(words: Wording, language: Language) -> tuple[str, ...]:
    """Why it comes, what is asked, how to answer, and what helps."""
    since = language.say("Since {time}.", time=words.since) if words.since else ""
    next_up = {"time": words.answer_by, "people": words.then}
    then = language.say("If nobody answers by {time}, we page {people}.", **next_up) if words.then else ""
    reply = _reply(words, language.say("Accept:"))
    return (words.why, *words.guesses, _role(words, language), reply, then, since, words.bridge, words.runbook)


def _stand_down(words: Wording, language: Language) -> tuple[str, ...]:
    """That there is nothing to do any more, and who does it; or what the reader still has and is asked for."""
    if words.reason == Reason.SEVERITY_LOWERED or not words.accepted_by:
        holder = language.say("You are no longer needed as {role}.", role=words.your_role)
    else:
        holder = language.say("{role}: {name} has it now.", role=words.your_role, name=words.accepted_by)
    held = language.say("You are still {role}.", role=language.listed(words.held)) if words.held else ""
    waits = language.listed(words.still_asked)
    asked = language.say("You are still asked to be {role}.", role=waits) if waits else ""
    if held or asked:
        return (holder, held, asked)
    return (f"{language.say('stand down.')} {holder} {language.say('Nothing for you to do.')}",)


def _update(words: Wording, language: Language) -> tuple[str, ...]:
    """The change, the news, and what else is true."""
    if words.next:
        promise = language.say("Next update by {time}.", time=words.next_short)
    elif words.taken_back:
        promise = language.say("You hear no more about it.")
    elif words.last_word:
        promise = language.say(
            "Regular updates end here. We will write again when it is resolved, or sooner if there is news for you."
        )
    else:
        promise = language.say("We will write again when something changes.")
    texts = tuple(entry.text for entry in words.news) or (words.standing,)
    last = _last_news(words.last_news, language)
    impact = language.say("Now: {impact}", impact=words.impact) if words.impact_was and words.impact else ""
    return tuple(dict.fromkeys((words.lead, *words.changes, *texts, impact, last, words.expected, promise)))


def _last_news(last: News | None, language: Language) -> str:
    if last is None:
        return ""
    if last.outdated:
        return language.say("Written at {time}: {news}", time=last.at, news=last.text)
    return language.say("Last news: {news}", news=last.text)


def _ended(words: Wording, language: Language) -> str:
    if not words.duration or not words.ended_short:
        return language.say("resolved.")
    return language.say("resolved at {time} after {duration}.", time=words.ended_short, duration=words.duration)


def _reminder(words: Wording, language: Language) -> tuple[str, ...]:
    """What is due, and what is read otherwise."""
    if words.reason == Reason.ETA_PASSED:
        return (language.say("the ETA of {time} has passed.", time=words.eta_short), words.otherwise)
    if not words.due_short and words.unheard:
        return (language.say("{groups} have heard nothing yet: they need a public text.", groups=words.unheard),)
    if not words.due_short:
        return (words.blocked or language.say("the first update needs a public text."),)
    otherwise = language.say("Else they read: “{sentence}”", sentence=words.otherwise) if words.otherwise else ""
    return (language.say("update due {time}.", time=words.due_short), otherwise, words.blocked)


def _role(words: Wording, language: Language) -> str:
    """What a page asks its reader to be."""
    if words.unreadable:
        return language.say("The incident file cannot be read.")
    return language.say("You: {role}.", role=words.your_role) if words.your_role else ""


def _reply(words: Wording, label: str) -> str:
    """How to answer, by the shortest way that there is."""
    if words.code:
        return f"ok {words.code} / pass {words.code}" if words.kind == Kind.PAGE else f"{label} ok {words.code}"
    return f"{label} {words.answer_url or words.acknowledge}"
