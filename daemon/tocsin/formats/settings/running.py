"""What a running daemon takes over of new settings, and what counts only after its restart.

A message's way out is one of these (`transport`, `host`, `port`, `api_url`, and which fallbacks there are): who may
change the config folder gets neither messages nor secrets sent elsewhere before somebody restarts the daemon. Must not
know how anybody is told.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from tocsin.formats.settings.providers import EmailProvider, EmailSettings, SmsProvider, SmsSettings, leads_nowhere
from tocsin.formats.settings.settings import Settings
from tocsin.formats.settings.variables import FALLBACKS

AT_START = ("incidents", "ledger", "outbox", "web")
"""Settings that are looked at only at the start."""
WAYS = ("transport", "host", "port", "api_url")
"""Settings of a provider that say where messages go."""

P = TypeVar("P", EmailProvider, SmsProvider)
S = TypeVar("S", EmailSettings, SmsSettings)


def taken_over(in_force: Settings, new: Settings) -> Settings:
    """The new settings, with every way out as it is. A provider whose way out changes stays as it is in all: its new
    sender or login would be meant for the new place.
    """
    return new.model_copy(update={"email": _channel(in_force.email, new.email), "sms": _channel(in_force.sms, new.sms)})


def waiting(started: Settings, new: Settings) -> tuple[str, ...]:
    """The settings that differ from those of the start and count only after a restart, as people write them."""
    names = [name for name in AT_START if getattr(started, name) != getattr(new, name)]
    return (*names, *_waiting("email", started.email, new.email), *_waiting("sms", started.sms, new.sms))


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


def _waiting(section: str, started: EmailSettings | SmsSettings, new: EmailSettings | SmsSettings) -> Iterator[str]:
    """What of one channel waits for a restart."""
    yield from (f"{section}.{name}" for name in _moved(started, new))
    before: Mapping[str, EmailProvider | SmsProvider] = dict(started.fallbacks)
    now: Mapping[str, EmailProvider | SmsProvider] = dict(new.fallbacks)
    if tuple(before) != tuple(now):
        yield f"{section}.{FALLBACKS}"
    for name in before:
        moved = _moved(before[name], now.get(name, before[name]))
        own = (setting for setting in moved if setting != "transport" or started.transport == new.transport)
        yield from (f"{section}.{FALLBACKS}.{name}.{setting}" for setting in own)
