"""Outsiders look up no word that no message told them, in many stories (`tests/property/test_public_words`)."""

from typing import Any

import pytest
from hypothesis import given, settings
from tocsin.domain.incident import Incident

from tests.property.test_public_words import FIRST_VERSION, STORY, hold_the_law

pytestmark = pytest.mark.attack


@settings(max_examples=400, deadline=None)
@given(FIRST_VERSION, STORY)
def test_no_word_that_no_message_told_in_many_stories(first: Incident, story: list[tuple[int, dict[str, Any]]]) -> None:
    """At any moment of any of them."""
    hold_the_law(first, story)
