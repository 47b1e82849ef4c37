"""A message to the people who run tocsin: what is wrong, where and since when, what tocsin does meanwhile, what to do.

By email all of it, by SMS the headlines and the first sentence in one segment. Must not know who is told, nor when.
"""

from collections.abc import Sequence
from datetime import datetime

from tocsin.domain.delivery import Content
from tocsin.domain.operator_notice import OperatorNotice, OperatorWord, Recovery, Trouble
from tocsin.domain.people import Channel
from tocsin.text import gsm, times
from tocsin.wording.operator.advice import ADVICE

MOST = 100
"""Notices in one email; the rest are counted."""
HEADLINES_MOST = 3
"""Headlines in one line; the rest are counted."""
HOST_MOST = 20
SENTENCE_LEAST = 60
"""Letters of the first trouble's sentence that go before other headlines by SMS."""
PAGE = "docs/operators.md"
FIRST = frozenset(
    {
        Trouble.PAGE_LOST,
        Trouble.NOBODY_ON_CALL,
        Trouble.INCIDENT_STUCK,
        Trouble.INCIDENT_SET_ASIDE,
        Trouble.REOPENINGS_HELD,
    }
)
"""Behind these somebody may wait for help that nobody was asked for: they come first."""


def operator_content(told: Sequence[OperatorWord], via: Channel, host: str, zone: str, now: datetime) -> Content:
    """The message of these, the graver ones first. `zone` is the reader's."""
    told = sorted(told, key=lambda notice: (notice.minor, notice.trouble not in FIRST))
    if via.traits.short:
        return Content(_brief(told, host, zone, now))
    headlines = _headlines(told)
    subject = f"tocsin on {host}: {headlines[0]}"
    if len(headlines) > 1:
        subject += f" (and {len(headlines) - 1} more)"
    return Content(_at_length(told, headlines, host, zone), subject)


def _at_length(told: Sequence[OperatorWord], headlines: Sequence[str], host: str, zone: str) -> str:
    """Each trouble with all that is known of it, one advice for each kind."""
    parts = []
    if len(headlines) > 1:
        parts.append(f"{_in_a_line(headlines)}. On {host}.")
    kept = told[:MOST]
    for group in _groups(kept):
        first = group[0]
        lines = [f"{_in_a_line(_headlines(group))}.", _when(group, host, zone), ""]
        lines += ["- " + "\n  ".join(notice.text.splitlines()) for notice in group]
        if isinstance(first, OperatorNotice):
            advice = ADVICE.get(first.trouble)
            lines += ["", f"Meanwhile: {advice.meanwhile}", f"What you do: {advice.act}"] if advice else [""]
        lines.append(f"More: {PAGE}#{first.trouble} (search that page for {first.trouble})")
        parts.append("\n".join(lines))
    if len(told) > MOST:
        parts.append(f"And {len(told) - MOST} more; the log has them.")
    return "\n\n".join(parts) + "\n"


def _when(group: Sequence[OperatorWord], host: str, zone: str) -> str:
    """On which machine, and since when, when, or from when to when."""
    first = group[0]
    since = min((notice.since for notice in group if notice.since), default=None)
    if isinstance(first, OperatorNotice):
        word = "since" if first.trouble.lasts else "at"
        return f"On {host}, {word} {times.dated(since, zone)}." if since else f"On {host}."
    lasted = f"; it lasted {times.brief(first.until - since)}" if since else ""
    return f"On {host}, since {times.dated(first.until, zone)}{lasted}."


def _brief(told: Sequence[OperatorWord], host: str, zone: str, now: datetime) -> str:
    """One segment: the machine, the first headline, when it began, as much as fits of its sentence (which incident,
    what to do), as many of the other headlines as fit, how many troubles are not named, and the word.
    """
    first, others = told[0], _headlines(told)[1:]
    at = first.since if isinstance(first, OperatorNotice) else first.until
    when = f" ({'since ' if first.trouble.lasts else ''}{times.clock(at, zone, now)})" if at else ""
    head = f"tocsin {_short(host)}: {first.headline}{when}"
    least = first.text if len(first.text) <= SENTENCE_LEAST else "x" * SENTENCE_LEAST
    for shown in range(len(others), -1, -1):
        named = {first.headline, *others[:shown]}
        alike = sum(notice.headline == first.headline for notice in told) - 1
        unnamed = alike + sum(notice.headline not in named for notice in told)
        more = f"; +{unnamed} more" if unnamed else ""
        tail = "".join(f"; {headline}" for headline in others[:shown]) + f"{more}. See {first.trouble}"
        if gsm.segments(gsm.fold(f"{head}: {least}{tail}")) == 1:
            break
    return _fit(head, f": {first.text}", tail)


def _fit(head: str, middle: str, tail: str) -> str:
    """The longest beginning of the middle that lets all of it fit into one segment."""
    words = " ".join(middle.split())

    def whole(length: int) -> str:
        cut = words if length >= len(words) else f"{words[: max(length - 3, 0)].rstrip(' ;,:')}..."
        ended = (cut if length else head).endswith((".", "?", "!"))
        return gsm.fold(f"{head}{cut if length else ''}{tail.lstrip('.;') if ended else tail}")

    lengths = (*range(len(words), 5, -1), 0)
    fitting = next((whole(length) for length in lengths if gsm.segments(whole(length)) == 1), whole(0))
    return gsm.cut(fitting, 1)


def _short(host: str) -> str:
    """A machine's name without its domain."""
    return host.partition(".")[0][:HOST_MOST]


def _groups(told: Sequence[OperatorWord]) -> list[list[OperatorWord]]:
    """Those of one kind together, in the order in which the kinds come up."""
    groups: dict[tuple[Trouble, bool], list[OperatorWord]] = {}
    for notice in told:
        groups.setdefault((notice.trouble, isinstance(notice, Recovery)), []).append(notice)
    return list(groups.values())


def _headlines(told: Sequence[OperatorWord]) -> list[str]:
    """The headlines, each once, those of one kind together."""
    return list(dict.fromkeys(notice.headline for group in _groups(told) for notice in group))


def _in_a_line(headlines: Sequence[str]) -> str:
    more = f"; and {len(headlines) - HEADLINES_MOST} more" if len(headlines) > HEADLINES_MOST else ""
    return "; ".join(headlines[:HEADLINES_MOST]) + more
