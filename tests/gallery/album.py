"""A story as a page to read: every message as its reader gets it, in time order, reader by reader.

These pages are the golden files of the text parts: whoever changes words reviews what changes in them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tocsin.app.simulation.play import SimulatedMessage
from tocsin.domain.policy import Policy
from tocsin.text.gsm import segments
from tocsin.text.times import brief, day_and_time

from tests.gallery.stories import Story

ALBUM = Path(__file__).parents[2] / "docs" / "gallery"
INTRODUCTION = """# Gallery: every message, as its reader gets it

Stories that were played with the shipped templates; `make gallery` writes these pages anew, and pictures of every message beside them
(`docs/gallery/pictures/`, not kept in git: a phone of 375 pixels and a desk of 1000, light and dark). The stories are data in
`tests/gallery/stories/`. When words change, what changes here is what people will read: review it as such.

| story | what to look for |
|---|---|
"""


def page(story: Story, config: Policy, messages: Sequence[SimulatedMessage]) -> str:
    """The Markdown of one story."""
    lines = [
        f"# {story.title}",
        "",
        story.look,
        "",
        f"`{story.file}`, first seen {day_and_time(story.at, 'UTC')} UTC:",
        "",
    ]
    lines += ["```yaml", *story.incident.rstrip().splitlines(), "```", ""]
    if story.told:
        lines += ["Then:", "", *(f"* {_step(step)}" for step in story.told), ""]
    for reader in story.readers:
        own = [message for message in messages if message.notification.to == reader]
        lines += [f"## {_name(reader, config)}", ""]
        if not own:
            lines += ["Hears nothing.", ""]
        for message in own:
            lines += _message(message, story)
    return "\n".join(lines).rstrip() + "\n"


def index(stories: Sequence[Story]) -> str:
    """The page that leads to the stories."""
    rows = (f"| [{story.title}]({story.name}.md) | {story.look} |" for story in stories)
    return INTRODUCTION + "\n".join(rows) + "\n"


def _name(reader: str, config: Policy) -> str:
    person, group = config.people.get(reader), config.group_of(reader)
    if person is not None:
        return f"{person.name} ({person.language}, {person.timezone})"
    assert group is not None, reader
    where = "outside" if group.external else "inside"
    return f"{group.title}, {where} ({group.language}, {group.timezone})"


def _step(step: dict[str, Any]) -> str:
    done = "; ".join(f"{key}: {_value(value)}" for key, value in step.items() if key != "after")
    return f"+{step['after']} {done}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_value(part)}" for key, part in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _message(message: SimulatedMessage, story: Story) -> list[str]:
    notification, content = message.notification, message.content
    assert content is not None
    after = brief(notification.at - story.at)
    head = f"{notification.kind.value.replace('_', ' ')} ({notification.reason.value.replace('_', ' ')})"
    if notification.via.traits.short:
        return [f"**+{after}** {head}, SMS of {segments(content.text)}:", "", "```text", content.text, "```", ""]
    return [
        f"**+{after}** {head}, mail: **{content.subject}**",
        "",
        "```text",
        *content.text.rstrip().splitlines(),
        "```",
        "",
    ]
