"""A story is an incident file, what happens to it, and whom it is told to: data, one YAML file each. It is played with
the gallery's config and the shipped templates; nothing is sent.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.app.configuration.load import read_files
from tocsin.app.configuration.read_tree import read_tree
from tocsin.app.simulation.play import SimulatedMessage, play
from tocsin.domain.delivery import Content
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import NO_REPLY_OFFER, Notification, ReplyOffer
from tocsin.domain.plan import AfterPages
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem
from tocsin.formats.policy_test.script import ScriptStep, read_step
from tocsin.text.scalars import duration

HERE = Path(__file__).parent
SITE = "https://tocsin.example.com"
CONFIG_AT = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """One story as its file has it. `look` is what whoever reviews it should look for, `readers` whom it is told to:
    people's ids and plain addresses, in this order.
    """

    name: str
    title: str
    look: str
    at: datetime
    span: timedelta
    readers: tuple[str, ...]
    file: str
    incident: str
    steps: tuple[ScriptStep, ...]
    told: tuple[dict[str, Any], ...] = field(repr=False)
    """The steps as they are written, for whoever reads along."""


def policy() -> Policy:
    """The gallery's config."""
    folder = HERE / "config"
    read = read_files(folder)
    configuration = read_tree(read.files, folder, CONFIG_AT, {})
    assert configuration.policy is not None, "\n".join(map(str, configuration.errors))
    return configuration.policy


def stories(config: Policy) -> list[Story]:
    """Every story, in the order of their names."""
    return [_read(path, config) for path in sorted((HERE / "stories").glob("*.yaml"))]


def renderer() -> JinjaRenderer:
    """The shipped templates; a template that breaks fails the gallery."""
    return JinjaRenderer(shipped_folder(), _broken)


def messages(story: Story, config: Policy, words: JinjaRenderer) -> list[SimulatedMessage]:
    """Every message of a story to its readers (to everybody, where it names none), in time order, with all ways to
    answer that a message can offer.
    """
    data, told = story.incident.encode(), _WithLinks(words, story.readers)
    played = play(config, data, story.file, story.at, story.span, story.steps, told)
    return [message for message in played.messages if not story.readers or message.notification.to in story.readers]


class _WithLinks:
    """A renderer whose messages offer a code where answers by SMS come in, and the links of a web side."""

    def __init__(self, words: JinjaRenderer, readers: tuple[str, ...]) -> None:
        self._words = words
        self._readers = readers

    def render(
        self,
        notification: Notification,
        incident: Incident,
        history: History,
        policy: Policy,
        invitation: ReplyOffer = NO_REPLY_OFFER,
        after: AfterPages | None = None,
    ) -> Content:
        """The words this reader gets; those whom the story does not name are not written to."""
        if self._readers and notification.to not in self._readers:
            return Content("")
        return self._words.render(notification, incident, history, policy, _offer(notification, policy), after)


def _offer(notification: Notification, config: Policy) -> ReplyOffer:
    """What a real message would offer: a code and links that only look like real ones."""
    person = config.people.get(notification.to)
    seed = f"{notification.incident} {notification.episode} {notification.to}"
    token = hashlib.sha256(seed.encode()).hexdigest()[:16]
    if notification.external:
        return ReplyOffer(page_url=f"{SITE}/s/{hashlib.sha256(notification.incident.encode()).hexdigest()[:16]}")
    page = f"{SITE}/incidents/{notification.incident}/{token}"
    return ReplyOffer("K7" if person and person.phone else "", f"{SITE}/a/{token}" if person else "", page)


def _read(path: Path, config: Policy) -> Story:
    written = yaml.safe_load(path.read_text("utf-8"))
    steps: Sequence[dict[str, Any]] = written["steps"]
    return Story(
        path.stem,
        written["title"],
        written["look"],
        written["at"].astimezone(UTC),
        duration(written["for"]),
        tuple(written["readers"]),
        written["file"],
        written["incident"],
        tuple(read_step(step, config) for step in steps),
        tuple(steps),
    )


def _broken(problem: Problem) -> None:
    raise AssertionError(str(problem))
