"""Names of incident files: which files count, and the incident id that a name stands for.

Must not know what a file holds.
"""

import hashlib
import re

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
"""What every incident id looks like."""
ID_LIMIT = 80
_OTHER = re.compile(r"[^A-Za-z0-9._-]")
_SUFFIXES = (".yaml", ".yml")
_SUFFIXES_IN_USE = (".yaml", ".yml", ".YAML", ".YML")
_LEFT_ALONE_AT_START = (".", "_")
_LEFT_ALONE_AT_END = ("~", ".swp", ".tmp")


def is_incident_file(name: str) -> bool:
    """Whether a file of this name is an incident file; every other one is left alone."""
    return (
        name.lower().endswith(_SUFFIXES)
        and not name.startswith(_LEFT_ALONE_AT_START)
        and not name.endswith(_LEFT_ALONE_AT_END)
    )


def stem(name: str) -> str:
    """A file's name without its `.yaml` or `.yml`, as written."""
    base, dot, suffix = name.rpartition(".")
    return base if dot and f".{suffix.lower()}" in _SUFFIXES else name


def incident_id(name: str) -> str:
    """The id that a file name stands for. No name is refused: characters an id cannot hold become `-`; a stem that is
    too long, or has nothing left to begin with, is told from its like by a few hex digits of its digest.
    """
    written = stem(name)
    id_ = _OTHER.sub("-", written).lstrip("-._")
    if id_ and len(id_) <= ID_LIMIT:
        return id_
    mark = hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{id_[: ID_LIMIT - 9]}-{mark}" if id_ else f"incident-{mark}"


def same_stem(name: str) -> frozenset[str]:
    """The names under which files of the same incident are usually found, this one among them."""
    return frozenset({name, *(stem(name) + suffix for suffix in _SUFFIXES_IN_USE)})
