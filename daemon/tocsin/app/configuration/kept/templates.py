"""The last good templates that the ledger keeps beside the config: whether they may speak where the disk's cannot
(rule 43).

They bring words, no addresses. Yet words that nobody vouches for are not to reach readers in our name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tocsin.app.configuration.kept.vouching import vouched
from tocsin.ports.ledger.ledger import KeptConfig
from tocsin.ports.renderer import TemplateFiles


@dataclass(frozen=True, slots=True)
class KeptTemplates:
    """A set of templates, by their paths in the folder. `vouched`: a signing key does, or this process read and judged
    them itself.
    """

    texts: Mapping[str, str]
    vouched: bool

    def stand_in_for(self, disk: TemplateFiles) -> bool:
        """Whether they may be used where the disk's set cannot, or not now: a key vouches for them, or each of them
        stands on the disk as well. What is on the disk entirely is no better than that.
        """
        standing = all(disk.texts.get(name) == text for name, text in self.texts.items())
        return (self.vouched or standing) and self.texts != disk.texts


def templates_of(kept: KeptConfig, keys: Sequence[str]) -> KeptTemplates | None:
    """What is kept of templates with a config. With a key, those that none vouches for are none."""
    trusted = vouched(keys, kept)
    return None if kept.templates is None or (keys and not trusted) else KeptTemplates(kept.templates, trusted)


def to_keep(templates: KeptTemplates | None, keys: Sequence[str]) -> Mapping[str, str] | None:
    """What the ledger is to keep: with a key, which vouches for it, only what may be vouched for."""
    return templates.texts if templates and (templates.vouched or not keys) else None
