"""`make gallery`: the stories as pages in docs/gallery/, and pictures of every message."""

import argparse
import asyncio
import shutil
import sys
from collections.abc import Iterator

from tocsin.app.simulation.play import SimulatedMessage
from tocsin.domain.policy import Policy

from tests.gallery import album, pictures, stories
from tests.gallery.pictures import Sitter
from tests.gallery.stories import Story


def main() -> int:
    """Write the pages, take the pictures."""
    parser = argparse.ArgumentParser(prog="make gallery", description=__doc__)
    parser.add_argument("--text", action="store_true", help="only the pages, no pictures")
    arguments = parser.parse_args()
    config, words = stories.policy(), stories.renderer()
    played = {story: stories.messages(story, config, words) for story in stories.stories(config)}
    album.ALBUM.mkdir(parents=True, exist_ok=True)
    (album.ALBUM / "README.md").write_text(album.index(list(played)), "utf-8")
    for story, messages in played.items():
        (album.ALBUM / f"{story.name}.md").write_text(album.page(story, config, messages), "utf-8")
    print(f"{len(played)} stories, {sum(map(len, played.values()))} messages: docs/gallery/README.md")
    if arguments.text:
        return 0
    if not pictures.chromium():
        print("no pictures: there is no chromium here; apt-get install chromium", file=sys.stderr)
        return 1
    sitters = [sitter for story, messages in played.items() for sitter in _sitters(story, messages, config)]
    folder = album.ALBUM / "pictures"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    count = asyncio.run(pictures.take(sitters, folder))
    print(f"{count} pictures: docs/gallery/pictures/")
    return 0


def _sitters(story: Story, messages: list[SimulatedMessage], config: Policy) -> Iterator[Sitter]:
    """Each sort of message that the story's readers get, once: by kind, reason, channel, wording and language."""
    seen: set[tuple[object, ...]] = set()
    for number, message in enumerate(messages, 1):
        notification, content = message.notification, message.content
        assert content is not None
        person = config.people.get(notification.to)
        sort = (notification.kind, notification.reason, notification.via, notification.external, content.language)
        if sort in seen:
            continue
        seen.add(sort)
        reader = person.id if person else notification.to.partition("@")[0]
        kind = f"{notification.kind.value}-{notification.reason.value}"
        yield Sitter(f"{story.name[:2]}-{number:03d}-{kind}-{reader}-{notification.via.value}", content)


if __name__ == "__main__":
    sys.exit(main())
