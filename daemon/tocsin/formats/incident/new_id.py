"""The id that a new incident gets from its date and title.

Must not know which ids are taken; it gives candidates in order.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime

SLUG_LIMIT = 60
"""The longest part of an id that comes from the title, in characters."""

WORDLESS = "incident"
"""The word for a title of which no letter fits an id: the day alone begins all ids of that day."""


def candidate_ids(title: str, at: datetime, mark: str = "") -> Iterator[str]:
    """Ids for an incident of this title declared at `at` (the UTC date counts): the plain one, then `-2`, `-3`, …; a
    `mark` ends the plain one.
    """
    room = SLUG_LIMIT - len(mark) - 1 if mark else SLUG_LIMIT
    word = slug(title, room) or ("" if mark else WORDLESS)
    base = "-".join(part for part in (f"{at:%Y-%m-%d}", word, mark) if part)
    yield base
    number = 2
    while True:
        yield f"{base}-{number}"
        number += 1


def slug(title: str, limit: int = SLUG_LIMIT) -> str:
    """The title in lower case, with a hyphen between words and nothing an id cannot hold."""
    plain = unicodedata.normalize("NFKD", title.replace("ß", "ss").replace("'", "")).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    if len(slug) > limit:
        slug = slug[: limit + 1].rpartition("-")[0] or slug[:limit]
    return slug
