"""What a running daemon takes over of new settings, and what counts only after its restart.

A message's way out is one of these (where it leads, how it is protected, and which fallbacks there are), and so is the
host of the links in it, which answer for their reader: who may change the config folder gets neither messages nor
secrets sent elsewhere, or in the clear, before somebody restarts the daemon. Must not know how anybody is told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from tocsin.formats.settings.providers import EmailProvider, EmailSettings, SmsProvider, SmsSettings, leads_nowhere
from tocsin.formats.settings.settings import Settings
from tocsin.formats.settings.types import host_of
from tocsin.formats.settings.variables import FALLBACKS
from tocsin.text.cleaning import shown

AT_START = ("incidents", "ledger", "node", "outbox", "web")
"""Settings that are looked at only at the start."""
WAYS = ("transport", "host", "port", "security", "ca_file", "api_url")
"""Settings of a provider that say where messages and secrets go, and who can read them on the way."""
LINKS = "public_url"
NOTHING = "nothing"

P = TypeVar("P", EmailProvider, SmsProvider)
S = TypeVar("S", EmailSettings, SmsSettings)


def taken_over(in_force: Settings, new: Settings) -> Settings:
    """The new settings, with every way out as it is. A provider whose way out changes stays as it is in all: its new
    sender or login would be meant for the new place.
    """
    channels = {"email": _channel(in_force.email, new.email), "sms": _channel(in_force.sms, new.sms)}
    links = in_force.public_url if _links_move(in_force, new) else new.public_url
    return new.model_copy(update={**channels, LINKS: links})


@dataclass(frozen=True, slots=True)
class PendingSetting:
    """A setting that counts only after a restart: its name as people write it, and where it leads now and then."""

    name: str
    now: str = ""
    then: str = ""

    def __str__(self) -> str:
        """In a sentence."""
        return f"{self.name} (from {self.now} to {self.then})" if self.now != self.then else self.name


def waiting(started: Settings, new: Settings) -> tuple[PendingSetting, ...]:
    """The settings that differ from those of the start and count only after a restart."""
    waits = [PendingSetting(name) for name in AT_START if getattr(started, name) != getattr(new, name)]
    if _links_move(started, new):
        waits.append(PendingSetting(LINKS, _told(started.public_url), _told(new.public_url)))
    return (*waits, *_waiting("email", started.email, new.email), *_waiting("sms", started.sms, new.sms))


def _links_move(in_force: Settings, new: Settings) -> bool:
    """Whether links would lead to another place than they do. To have them at all, or no more, moves none."""
    return bool(in_force.public_url and new.public_url) and in_force.public_url != new.public_url


def _channel(in_force: S, new: S) -> S:
    """One channel's settings as a running daemon takes them over."""
    fallbacks = {
        name: known if _moved(known, new.fallbacks.get(name, known)) else new.fallbacks.get(name, known)
        for name, known in in_force.fallbacks.items()
    }
    return (in_force if _moved(in_force, new) else new).model_copy(update={FALLBACKS: fallbacks})


def _moved(in_force: EmailProvider | SmsProvider, new: EmailProvider | SmsProvider) -> tuple[str, ...]:
    """Which of a provider's settings lead elsewhere now. What leads nowhere is put right without a restart."""
    if leads_nowhere(in_force):
        return ()
    return tuple(name for name in WAYS if getattr(in_force, name, None) != getattr(new, name, None))


def _waiting(
    section: str, started: EmailSettings | SmsSettings, new: EmailSettings | SmsSettings
) -> Iterator[PendingSetting]:
    """What of one channel waits for a restart."""
    yield from _waits(section, started, new, _moved(started, new))
    before: Mapping[str, EmailProvider | SmsProvider] = dict(started.fallbacks)
    now: Mapping[str, EmailProvider | SmsProvider] = dict(new.fallbacks)
    if tuple(before) != tuple(now):
        yield PendingSetting(f"{section}.{FALLBACKS}", _places(before), _places(now))
    for name in before:
        moved = _moved(before[name], now.get(name, before[name]))
        own = tuple(setting for setting in moved if setting != "transport" or started.transport == new.transport)
        yield from _waits(f"{section}.{FALLBACKS}.{name}", before[name], now.get(name, before[name]), own)


def _waits(
    path: str, before: EmailProvider | SmsProvider, now: EmailProvider | SmsProvider, settings: tuple[str, ...]
) -> Iterator[PendingSetting]:
    for name in settings:
        yield PendingSetting(f"{path}.{name}", _told(getattr(before, name, None)), _told(getattr(now, name, None)))


def _places(fallbacks: Mapping[str, EmailProvider | SmsProvider]) -> str:
    """Which fallbacks there are, and where each leads."""
    places = {
        name: _told(getattr(one, "host", None) or getattr(one, "api_url", None), "") for name, one in fallbacks.items()
    }
    return ", ".join(f"{name} at {place}" if place else name for name, place in places.items()) or NOTHING


def _told(value: object, absent: str = NOTHING) -> str:
    """A value for people, of an address only its host: the rest, or who logs in there, may be secret."""
    if value is None:
        return absent
    text = str(value).rpartition("@")[2]
    return shown(host_of(str(value)) if "://" in str(value) else text)
