"""What of a kept tocsin.yaml counts that nobody vouches for, while the one on disk cannot be used (rule 43).

Every value counts only if the same word stands in the disk's tocsin.yaml as it is; the others are left out, and a
provider of which one is left out leads nowhere. Must not know people.
"""

import json
from collections.abc import Collection, Mapping

from tocsin.app.configuration.kept.disk_words import DiskWords
from tocsin.formats.settings.providers import NOWHERE, leads_nowhere
from tocsin.formats.settings.settings import Settings
from tocsin.formats.settings.variables import FALLBACKS
from tocsin.text.yaml import KeyPath, Value, read_yaml

NOWHERE_BY: Mapping[object, dict[str, Value]] = {
    "email": {"transport": "smtp", "host": NOWHERE},
    "sms": {"transport": "twilio", "account_sid": "AC" + "0" * 32, "api_url": f"https://{NOWHERE}"},
}
"""What makes the first provider of each channel lead nowhere."""


def standing_settings(data: bytes, disk: bytes, words: DiskWords) -> tuple[bytes, tuple[str, ...]]:
    """A kept tocsin.yaml of which only what stands among the disk's words is left; and the names of what is left out.
    Where nobody is left to be told, or to be the last resort, those count whom the disk's can still be read to name.
    """
    value, own = read_yaml(data, "").value, read_yaml(disk, "").value
    if not isinstance(value, dict):
        return data, ()
    left_out: list[KeyPath] = []
    kept = _standing(value, words, (), left_out)
    assert isinstance(kept, dict)
    for name in ("operators", "last_resort"):
        if not kept.get(name) and isinstance(own, dict):
            kept[name] = own.get(name)
    for section in ("email", "sms"):
        written, provider = value.get(section), kept.get(section)
        if isinstance(written, dict) and isinstance(provider, dict):
            kept[section] = _channel(written, provider, (section,), left_out)
    names = tuple(dict.fromkeys(".".join(key for key in path if isinstance(key, str)) for path in left_out))
    return json.dumps(kept, ensure_ascii=False, indent=1).encode("utf-8", "replace"), names


def some_way_leads_out(settings: Settings) -> bool:
    """Whether a provider is left by which something can be sent, or written to the outbox."""
    nowhere = [leads_nowhere(provider) for provider in settings.email.providers.values()]
    nowhere += [leads_nowhere(provider) for provider in settings.sms.providers.values()]
    return not all(nowhere)


def _standing(value: Value, words: DiskWords, path: KeyPath, left_out: list[KeyPath]) -> Value:
    """The value without what does not stand there, which is added to `left_out`."""
    if isinstance(value, dict):
        inner = {key: _standing(below, words, (*path, key), left_out) for key, below in value.items()}
        return {key: below for key, below in inner.items() if below is not None}
    if isinstance(value, list):
        items = [_standing(item, words, (*path, number), left_out) for number, item in enumerate(value)]
        return [item for item in items if item is not None]
    if value is None or words.has_word(value):
        return value
    left_out.append(path)
    return None


def _channel(
    written: Mapping[str, Value], kept: Mapping[str, Value], path: KeyPath, left_out: Collection[KeyPath]
) -> dict[str, Value]:
    """The settings of a channel, the fallbacks that lack nothing among them. While something of its first provider is
    left out that leads nowhere: it would be another one. A fallback then needs a sender of its own.
    """
    own = any(left[: len(path)] == path and left[len(path)] != FALLBACKS for left in left_out)
    below = written.get(FALLBACKS)
    fallbacks: Value = {
        name: provider
        for name, provider in (below.items() if isinstance(below, dict) else ())
        if not any(left[: len(path) + 2] == (*path, FALLBACKS, name) for left in left_out)
        and isinstance(provider, dict)
        and ("sender" in provider or not own)
    }
    return {**(written if own else kept), **(NOWHERE_BY[path[0]] if own else {}), FALLBACKS: fallbacks}
