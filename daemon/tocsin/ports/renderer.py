"""Words for a notification, and the templates they come from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

from tocsin.domain.delivery import Content
from tocsin.domain.history import History
from tocsin.domain.incident import Incident
from tocsin.domain.notification import NO_REPLY_OFFER, Notification, ReplyOffer
from tocsin.domain.people import Channel
from tocsin.domain.plan import AfterPages
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem

L_co = TypeVar("L_co", covariant=True)  # a language, as whoever writes the words knows it


@dataclass(frozen=True, slots=True)
class BundledPage:
    """One page of several that leave as one message, with what its words are made of."""

    notification: Notification
    incident: Incident
    history: History
    offer: ReplyOffer = NO_REPLY_OFFER


class Renderer(Protocol):
    """Words for a notification. Never raises and never waits long: a broken template gives the built-in text."""

    def render(
        self,
        notification: Notification,
        incident: Incident,
        history: History,
        policy: Policy,
        invitation: ReplyOffer = NO_REPLY_OFFER,
        after: AfterPages | None = None,
    ) -> Content:
        """The words this reader gets. `history` is from before the decision, `after` is `Due.after`."""
        ...


class LeavingRenderer(Renderer, Protocol):
    """Words that are made as pages leave: of several that leave as one message, or of one. It never raises and never
    waits long.
    """

    def render_bundle(self, pages: Sequence[BundledPage], policy: Policy) -> Content:
        """What one reader gets by one channel; the worst page comes first (rule 47)."""
        ...

    def unseen(self, content: Content, notification: Notification, policy: Policy, machine: str) -> Content:
        """The same words, and that this machine says them without seeing the ledger (R54)."""
        ...


class OwnWords(Protocol):
    """What the daemon says by itself (an answer to an SMS, a notice to operators, a test), as flat words: the names of
    their fields are the names in the templates of their `kind`. They are dataclasses with `language` and `direction`.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def kind(self) -> str:
        """What the templates' names begin with."""
        ...

    @property
    def drill(self) -> bool:
        """Whether it is about a drill."""
        ...

    def fitted(self, render: Callable[[Self], str]) -> str:
        """The text that `render` makes of the words, in one segment of SMS: they are made shorter until it fits."""
        ...

    def builtin(self, via: Channel) -> Content:
        """What is sent where no template gives a text."""
        ...


class OwnRenderer(Protocol[L_co]):
    """Words for what the daemon says by itself. As a Renderer it never raises and never waits long."""

    def render_own(self, words_in: Callable[[L_co], OwnWords], via: Channel, language: str) -> Content:
        """What a reader of this language gets by this channel; `words_in` gives the words in a language."""
        ...


@dataclass(frozen=True, slots=True)
class TemplateFiles:
    """A folder of templates as it was read: their texts by path in it, and what is wrong with what is there. `unread`
    is what the disk would not give now (rule 73).
    """

    folder: Path
    texts: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    unread: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """What is wrong with a template, by its path in the folder (empty for all of them), and in which line."""

    name: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class MissingWords:
    """Sentences that a language lacks, and so says in English: how many of how many, and the first few."""

    language: str
    count: int
    of: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TemplateAdvice:
    """What may not have been meant in a template that can be used: where, as a stable word, and why."""

    name: str
    line: int
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class TemplateVerdict:
    """What is wrong with templates. Without those `left_out` the others can be used, over the shipped ones. `unread`:
    it is not known yet, for no fault of theirs (rule 73). `missing` is no fault.
    """

    faults: tuple[TemplateFault, ...] = ()
    left_out: frozenset[str] = frozenset()
    unread: tuple[Problem, ...] = ()
    missing: tuple[MissingWords, ...] = ()


class Templates(Protocol):
    """The templates of a folder, over the shipped ones. No method raises."""

    def read(self, folder: Path) -> TemplateFiles:
        """Read a folder. It blocks."""
        ...

    def prepare(self, files: TemplateFiles, verdict: TemplateVerdict) -> None:
        """Do of their use what takes long. It blocks."""
        ...

    def use(self, files: TemplateFiles, verdict: TemplateVerdict) -> tuple[Problem, ...]:
        """Use these templates from now on, as far as they can be used. Gives what is wrong."""
        ...
