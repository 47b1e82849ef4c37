"""The {names} in a sentence: which there are, and how they are filled in. No more than names: no formats, no fields of
fields, so that neither an incident's text nor a translation can do anything but stand there.
"""

import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def placeholders(text: str) -> frozenset[str]:
    """The names that a sentence has room for."""
    return frozenset(_PLACEHOLDER.findall(text))


def filled(text: str, fields: Mapping[str, object]) -> str:
    """The sentence with its names filled in, each once: what is filled in is never looked at again. Raises KeyError for
    a name that is not given.
    """
    if "{" not in text:
        return text
    return _PLACEHOLDER.sub(lambda name: str(fields[name[1]]), text)


def filled_length(text: str, fields: Mapping[str, str]) -> int:
    """How long the sentence becomes, before it is made. Raises KeyError for a name that is not given."""
    names = _PLACEHOLDER.findall(text) if "{" in text else []
    return len(text) + sum(len(fields[name]) - len(name) - 2 for name in names)
