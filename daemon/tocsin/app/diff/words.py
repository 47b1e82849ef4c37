"""Which words change between two sets of templates: of which kinds of messages, or in which language, and where.

What is not written of one's own is as shipped. Decides nothing by what a template says, only by who uses it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.advice.usage import kinds_by_file
from tocsin.adapters.jinja.advice.vocabulary import KINDS, SECTIONS
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.app.configuration.judge import JUDGED_IN, JUDGED_WITHIN
from tocsin.ports.bounded_work import BoundedWork, Overrun

_ORDER = tuple(dict.fromkeys(kind for section in SECTIONS for kind in sorted(section.kinds)))


@dataclass(frozen=True, slots=True)
class ChangedWords:
    """Files whose words change, by their paths in the folder: those that messages of the same `kinds` are made of, or
    the catalogue of a `language`. Without either it is not known whose words they are.
    """

    files: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    language: str = ""


def changed_words(
    work: BoundedWork, old: Mapping[str, str] | None, new: Mapping[str, str] | None
) -> tuple[ChangedWords, ...]:
    """What changes between two folders of templates, by their texts. Templates of a revision may be anybody's, so they
    are looked at in a process of their own; where that comes to no end all that is known is which differ. Nothing, if
    one side is not known.
    """
    if old is None or new is None:
        return ()
    files = tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))
    if not files:
        return ()
    found = work.run(compare_words, old, new, seconds=JUDGED_WITHIN, megabytes=JUDGED_IN)
    return (ChangedWords(files),) if isinstance(found, Overrun) else found


def compare_words(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[ChangedWords, ...]:
    """The same, with nothing to bound it."""
    shipped = sources.read(shipped_folder()).texts
    before, after = {**shipped, **old}, {**shipped, **new}
    differing = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    was, now = (kinds_by_file(texts, KINDS) for texts in (before, after))
    together: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for name in differing:
        language = name.partition("/")[0] if sources.is_catalogue(name) else ""
        used = was.get(name, frozenset()) | now.get(name, frozenset())
        kinds = tuple(kind for kind in _ORDER if kind in used)
        if kinds or language:  # else no message is made of it
            together.setdefault((kinds, language), []).append(name)
    return tuple(ChangedWords(tuple(names), kinds, language) for (kinds, language), names in together.items())
