"""What a look at the folder brings."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tocsin.app.intake.checkout import Checkout
from tocsin.app.intake.file_notices import Missing
from tocsin.domain.incident import Edit, Incident
from tocsin.domain.operator_notice import OperatorNotice
from tocsin.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an incident that counts from now. `incident.unreadable`: it stands for a file that is no YAML."""

    incident: Incident
    digest: str
    file: str


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A save of an older text, which does not count yet: the file's name and digest, and the edits that put back what
    the daemon or a command had written and it lacks (P9).
    """

    incident: str
    file: str
    digest: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a listing brought. `overwritten` are saves that something is to be put back into; `gone` are ids of never
    readable incidents whose file has been gone for 10 s; `unknown` those of finished incidents whose file says
    something new, and whose versions must be noted before it is judged; `mended` are files of which what was told
    last is not true any more, `returned` what was told to have vanished and is back, by what the notice is about;
    `none_held`: for sure no file is held (rule 69); `next_look` is when to scan again, even if nothing pokes. `missing`
    tells of which incidents those notices are that say that files have vanished, `left` of which the file is not there
    any more under any name.
    """

    versions: tuple[Version, ...] = ()
    overwritten: tuple[Overwritten, ...] = ()
    gone: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    none_held: bool = False
    notices: tuple[OperatorNotice, ...] = ()
    next_look: datetime | None = None
    missing: tuple[Missing, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(slots=True)
class FolderLook:
    """The changes of one look, as they come up."""

    now: datetime
    policy: Policy
    versions: list[Version] = field(default_factory=list)
    overwritten: list[Overwritten] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    checkout: Checkout | None = None
    notices: list[OperatorNotice] = field(default_factory=list)
    next_look: datetime | None = None
    missing: list[Missing] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def due(self, since: datetime, after: timedelta) -> bool:
        """Whether something that began at `since` has lasted that long; else it is looked at again then."""
        at = since + after
        if at <= self.now:
            return True
        self.next_look = min(self.next_look or at, at)
        return False
