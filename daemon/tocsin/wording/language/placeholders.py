"""The {names} in a sentence: which there are, and how they are filled in. No more than names: no formats, no fields of
fields, so that neither an incident's text nor a translation can do anything but stand there.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

FORMS_KEPT = 2_048
"""Sentences that are kept ready to be filled in: all that we say, in several languages."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def placeholders(text: str) -> frozenset[str]:
    """The names that a sentence has room for."""
    return frozenset(_PLACEHOLDER.findall(text))


def filled(text: str, fields: Mapping[str, object]) -> str:
    """The sentence with its names filled in, each once: what is filled in is never looked at again. Raises KeyError for
    a name that is not given.
    """
    return _form(text) % fields if "{" in text else text


@lru_cache(FORMS_KEPT)
def _form(text: str) -> str:
    """The sentence as Python fills in names most quickly; its own percent signs stay."""
    return _PLACEHOLDER.sub(r"%(\1)s", text.replace("%", "%%"))


def filled_length(text: str, fields: Mapping[str, str]) -> int:
    """How long the sentence becomes, before it is made. Raises KeyError for a name that is not given."""
    names = _PLACEHOLDER.findall(text) if "{" in text else []
    return len(text) + sum(len(fields[name]) - len(name) - 2 for name in names)
