"""Plain: the built-in texts, without templates: what is sent when a template is broken (P2), short and whole."""

from daemon.documents.sms import cut, fold
from daemon.documents.wording import Wording
from daemon.domain.delivery import Content
from daemon.domain.people import Channel

SEGMENTS = {"page": 1}
SEGMENTS_ELSE = 3


def content(words: Wording, via: Channel) -> Content:
    """The built-in text of a message."""
    drill = "DRILL " if words.drill else ""
    head = " ".join(part for part in (words.tag, words.title) if part)
    body = " ".join(part for part in _body(words) if part)
    if via is Channel.EMAIL:
        return Content(f"{drill}{head}\n\n{body}\n", f"{drill}{words.kind.replace('_', ' ')}: {head}")
    limit = SEGMENTS.get(words.kind, SEGMENTS_ELSE)
    if words.kind == "page":
        tail = f"{words.your_role}. {words.acknowledge}" if len(words.acknowledge) < 100 else words.acknowledge_short
        room = 156 - len(fold(f"{drill} {words.tag} {tail}"))
        return Content(cut(fold(f"{drill}{words.tag} {fold(words.title)[: max(room, 0)]}: {tail}"), limit))
    return Content(cut(fold(f"{drill}{head}: {body}"), limit))


def _body(words: Wording) -> tuple[str, ...]:
    """What it says, by kind."""
    match words.kind:
        case "page":
            asked = f"You are {words.your_role}." if words.your_role else "The incident file cannot be read."
            return (words.why, asked, f"Acknowledge: {words.acknowledge}", words.summary)
        case "stand_down":
            return (f"You are no longer needed as {words.your_role}.",)
        case "update":
            return (
                *words.changes,
                *(words.news or (words.standing,)),
                f"Next update by {words.next}." if words.next else "",
            )
        case "closing":
            return ("Resolved.", words.resolution, f"It lasted {words.duration}.")
        case "reminder":
            return (f"An update is due at {words.due} and nothing new was written.",)
        case "verify":
            return (f"Please confirm that all is healthy: {words.acknowledge}",)
        case "review":
            return (f"Please finish the review in {words.review_file}, due {words.review_due}.",)
    return ()
