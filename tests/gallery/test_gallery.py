"""The pages of docs/gallery are the golden files of the words: who changes words writes them anew, and reviews them."""

import pytest
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.domain.policy import Policy

from tests.gallery import album, stories
from tests.gallery.stories import Story

CONFIG = stories.policy()
STORIES = stories.stories(CONFIG)


@pytest.fixture(scope="module")
def words() -> JinjaRenderer:
    return stories.renderer()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_what_people_read_is_what_was_reviewed(story: Story, words: JinjaRenderer) -> None:
    """Text parts, word by word. A difference is seen by `make gallery` and git diff docs/gallery."""
    page = album.page(story, CONFIG, stories.messages(story, CONFIG, words))
    assert page == (album.ALBUM / f"{story.name}.md").read_text("utf-8"), (
        "make gallery, and review git diff docs/gallery"
    )


def test_the_index_names_every_story() -> None:
    """And no page is there whose story is gone."""
    assert (album.ALBUM / "README.md").read_text("utf-8") == album.index(STORIES)
    pages = {path.stem for path in album.ALBUM.glob("*.md")} - {"README"}
    assert pages == {story.name for story in STORIES}


def test_every_reader_of_a_story_is_somebody() -> None:
    """A story's readers are people or plain addresses of the gallery's config."""
    known: Policy = CONFIG
    addresses = {email for group in known.stakeholders.values() for email in group.emails}
    assert all(set(story.readers) <= addresses | known.people.keys() for story in STORIES)
