"""The draft of a post-incident review: a Markdown page with all that is known, and room for what people learned.

Decides how the page is laid out, and whether a page was edited since it was written. The same facts always give the
same page. Must not know files, nor when a draft is written.
"""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from tocsin.domain.delivery import Record
from tocsin.domain.history import History, RoleHistory
from tocsin.domain.incident import Incident
from tocsin.domain.policy import Policy
from tocsin.planning.after_resolving import why_nobody_is_asked
from tocsin.planning.history.figures import Figures, figures
from tocsin.text.markdown import flowing, inline, markdown
from tocsin.text.names import author_name
from tocsin.text.times import span, utc
from tocsin.wording.report.timeline import TimelineLine, TimelineStep, acceptances, timeline_lines

STORY_MOST = 200_000
"""The most characters of the timeline; the whole page stays below what is read back of a file (256 KiB)."""
INDENT = "  "
"""What the further lines of an entry of a list begin with."""
COUNTED = "Counted from the declaration; a role from when it was asked for."
"""From when the figures count."""
SECONDS_BELOW = 120
"""Seconds below which a figure is told in seconds."""
LESSONS = (
    ("What went well", "What helped? What should we do again?"),
    ("What went badly", "What made it worse, slower or harder? Ask what made sense at the time, not who."),
    ("Where we got lucky", "What could have made it worse, and did not?"),
)
_MARK = re.compile(rb"\n<!-- written by tocsin for ([^ ]+), unedited: ([0-9a-f]{32}) -->\n\Z")


def draft(steps: Sequence[TimelineStep], records: Sequence[Record], policy: Policy) -> bytes:
    """The page. `steps` hold at least one version of the incident's file."""
    history = steps[-1].after
    incident = history.incident
    assert incident is not None
    parts = [
        f"# {'Drill: ' if incident.drill else ''}{inline(incident.title)}\n",
        *_facts(incident, steps, policy),
        *_texts(incident),
        "\n## Who held which role\n",
        *_roles(steps, policy),
        *_figures(steps, policy),
        "\n## Timeline\n\nAll times are UTC.\n",
        *_timeline(timeline_lines(steps, records, policy)),
        *(f"\n## {title}\n\n<!-- {question} -->" for title, question in LESSONS),
        "\n## Action items\n\n| Action | Owner | Due |\n|---|---|---|\n|  |  |  |",
    ]
    page = ("\n".join(parts) + "\n").encode("utf-8", "replace")
    return page + f"\n<!-- written by tocsin for {incident.id}, unedited: {_digest(page)} -->\n".encode()


def unedited(page: bytes, incident: str) -> bool:
    """Whether a page stands as `draft` made it for this incident."""
    mark = _MARK.search(page)
    return mark is not None and (mark[1].decode(), mark[2].decode()) == (incident, _digest(page[: mark.start()]))


def _digest(page: bytes) -> str:
    return hashlib.blake2b(page, digest_size=16).hexdigest()


def _facts(incident: Incident, steps: Sequence[TimelineStep], policy: Policy) -> Iterator[str]:
    """The table at the top: what, how bad, how long."""
    severity = policy.severities.get(incident.severity)
    history = steps[-1].after
    rows = {
        "Incident": f"`{incident.id}`",
        "Severity": inline(f"{incident.severity.upper()} {severity.title if severity else ''}"),
        "Status": incident.status.value,
        "Services": inline(", ".join(_services(incident, policy))),
        "Declared by": inline(author_name(incident.declared_by, policy)),
    }
    episodes = _episodes(steps)
    first = episodes[0]
    if first.started_at and first.began_at and first.began_at < first.started_at:
        noticed = span(first.started_at - first.began_at)
        rows["Declared"] = f"{utc(first.started_at)}, {noticed} after it began"
    for number, episode in enumerate(episodes, 1):
        rows["Duration" if number == 1 else f"Reopened, episode {number}"] = _duration(episode)
    rows["Health confirmed by"] = inline(author_name(incident.verified_by, policy))
    rule = severity.review if severity and why_nobody_is_asked(incident, history) is None else None
    if rule and history.resolved_at:
        due = f"{utc(history.resolved_at + rule.within)}; when it is done, write `review: done` or a link to it into "
        rows["Review due"] = f"{due}the incident file"
    yield "| | |\n|---|---|"
    yield from (f"| {name} | {value} |" for name, value in rows.items() if value)


def _services(incident: Incident, policy: Policy) -> Iterator[str]:
    for name in incident.services:
        yield policy.services[name].title if name in policy.services else name


def _episodes(steps: Sequence[TimelineStep]) -> list[History]:
    """How it stood at the end of each episode: from declaration or reopening to resolution."""
    ends = {step.after.episode: step.after for step in steps}
    return list(ends.values())


def _duration(episode: History) -> str:
    begun, ended = episode.began_at, episode.resolved_at
    assert begun is not None
    if ended is None:
        return f"from {utc(begun)}, still open"
    return f"{span(max(ended - begun, timedelta(0)))}, from {utc(begun)} to {utc(ended)}"


def _texts(incident: Incident) -> Iterator[str]:
    """What the file says at length."""
    for title in ("Summary", "Impact", "Resolution"):
        text = flowing(getattr(incident, title.lower()))
        yield f"\n## {title}\n\n{text or '<!-- Not written in the incident file. -->'}"


def _roles(steps: Sequence[TimelineStep], policy: Policy) -> Iterator[str]:
    """Who took each role, in turn; else who was meant to."""
    yield "| Role | Person | Accepted |\n|---|---|---|"
    taken = list(acceptances(steps))
    for acceptance in taken:
        yield f"| {_role(acceptance.role, policy)} | {_person(acceptance.person, policy)} | {utc(acceptance.at)} |"
    last = steps[-1].after
    assert last.incident is not None
    for role in last.roles.values():
        if role.role and role.needed and role.role not in {acceptance.role for acceptance in taken}:
            person = _person(_meant(role, last.incident), policy) or "nobody"
            yield f"| {_role(role.role, policy)} | {person} | never |"


def _figures(steps: Sequence[TimelineStep], policy: Policy) -> Iterator[str]:
    """How quickly it was answered and told, a table for each episode."""
    now = max(step.fact.at for step in steps)
    for of_episode in figures(((step.fact, step.after) for step in steps), now):
        is_first = of_episode.episode == 1
        yield f"\n## Figures\n\n{COUNTED}\n" if is_first else f"\n**Reopened, episode {of_episode.episode}**\n"
        yield "| | |\n|---|---|"
        yield from (
            f"| {inline(name)} | {inline(value)} |" for name, value in figure_rows(of_episode, policy, over=True)
        )


def figure_rows(of_episode: Figures, policy: Policy, *, over: bool) -> list[tuple[str, str]]:
    """The figures of an episode in words, each with what it is of; `over`: nothing more is to come."""
    not_yet = "" if over else " yet"
    rows = [("First accepted", _after(of_episode.accepted_after) or f"nobody{not_yet}")]
    for figure in of_episode.roles:
        person, after = policy.person_name(figure.person), _after(figure.after)
        rows.append((policy.role_title(figure.role), f"{person}, {after}" if person else f"nobody{not_yet}"))
    rows.append(("First update written", _after(of_episode.written_after) or f"none{not_yet}"))
    if of_episode.told_after is not None:
        rows.append(("Outsiders first told", _after(of_episode.told_after)))
    if of_episode.promised:
        no_news = f", {of_episode.no_news} with nothing new to say" if of_episode.no_news else ""
        rows.append(("Promised updates in time", f"{of_episode.kept} of {of_episode.promised}{no_news}"))
    return rows


def _after(length: timedelta | None) -> str:
    """How long something took, to the second where that is little."""
    if length is None:
        return ""
    seconds = round(length.total_seconds())
    if seconds < SECONDS_BELOW:
        return f"after {seconds} {'second' if seconds == 1 else 'seconds'}" if seconds else "at once"
    return f"after {span(length)}"


def _meant(role: RoleHistory, incident: Incident) -> str:
    """Who is assigned, else who was paged first and did not pass (rule 26)."""
    asked = (name for name, _ in role.first_pages if name not in role.declining)
    return incident.assigned(role.role) or next(asked, "")


def _person(person: str, policy: Policy) -> str:
    return inline(policy.person_name(person))


def _role(role: str, policy: Policy) -> str:
    return inline(policy.role_title(role))


def _timeline(lines: Sequence[TimelineLine]) -> Iterator[str]:
    """The story, a day at a time. Of one that does not fit a page the beginning and the end."""
    entries = [f"- **{line.at:%H:%M:%S}** {markdown(line.words, INDENT)}" for line in lines]
    sizes = [len(entry.encode("utf-8", "replace")) + 1 for entry in entries]
    begins = len(entries)
    ends = begins
    if sum(sizes) > STORY_MOST:
        begins = bisect_right(list(accumulate(sizes)), STORY_MOST // 4)
        ends -= bisect_right(list(accumulate(reversed(sizes[begins:]))), STORY_MOST - STORY_MOST // 4)
    day: datetime | None = None
    for number, (line, entry) in enumerate(zip(lines, entries, strict=True)):
        if number == begins and ends > begins:
            yield f"\nand {ends - begins} more entries here, which the ledger has (`tocsin explain`)\n"
        if begins <= number < ends:
            continue
        if day is None or line.at.date() != day.date() or number == ends > begins:
            yield f"{'' if day is None else chr(10)}### {line.at:%Y-%m-%d}\n"
            day = line.at
        yield entry
