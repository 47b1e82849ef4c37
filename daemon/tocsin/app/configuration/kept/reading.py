"""The last good config, read where the one on disk cannot be used (rule 43): what of it counts.

tocsin.yaml is the disk's wherever that will do: places, hosts, senders, operators and the last resort are this
machine's. Kept people and addresses count if a key vouches for them; else only addresses that stand on the
disk too. A file that the disk does not give now (rule 73) is as it is kept, where no key could vouch for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tocsin.app.configuration.kept.disk_words import DiskWords
from tocsin.app.configuration.kept.settings import some_way_leads_out, standing_settings
from tocsin.app.configuration.kept.vouching import vouched
from tocsin.app.configuration.load import Configuration, label_of
from tocsin.app.configuration.read_tree import read_tree
from tocsin.domain.people import Person, StakeholderGroup
from tocsin.domain.policy import Policy, Service
from tocsin.formats.config.file_names import SETTINGS
from tocsin.formats.settings.settings import reply_routes
from tocsin.ports.ledger.ledger import KeptConfig
from tocsin.text.cleaning import shown
from tocsin.text.decoding import decode, displayed_path

UNVOUCHED = "no key vouches for the last good config that the ledger keeps"
"""Why not all of it counts."""

NAMED_MOST = 20
"""How much of what does not count is named."""


@dataclass(frozen=True, slots=True)
class KeptReading:
    """A config that was kept, as far as it counts; `left_out` names what does not. Without a policy nothing of it can
    be used, and `why` says why not, if anything is to be said; `remnant` is then what there is to look at, by
    which nobody may be told anything.
    """

    configuration: Configuration
    left_out: tuple[str, ...] = ()
    why: str = ""
    remnant: Configuration | None = None


def read_kept(
    kept: KeptConfig, disk: Configuration, folder: Path, at: datetime, environ: Mapping[str, str]
) -> KeptReading:
    """What counts of a kept config. `disk` is the config on disk, which cannot be used; `folder` is where relative
    paths start, `at` (UTC) around when calendars are read.
    """
    settings_file = disk.files.get(SETTINGS)
    if settings_file is not None:
        files = {**kept.files, SETTINGS: settings_file}
        configuration = read_tree(files, folder, at, environ, revision=kept.revision, was_in_force=True)
        if configuration.policy is not None and configuration.settings is not None:
            keys = reply_routes(configuration.settings).keys
            return _counting(configuration, kept, keys, _words(kept, disk, folder, keys))
    configuration = read_tree(kept.files, folder, at, environ, revision=kept.revision, was_in_force=True)
    if configuration.policy is None or configuration.settings is None:
        return KeptReading(configuration)
    keys = reply_routes(configuration.settings).keys
    if vouched(keys, kept):
        return KeptReading(configuration)
    words = _words(kept, disk, folder, keys, lambda name: name == SETTINGS)
    settings, left_out = standing_settings(kept.files.get(SETTINGS, b""), settings_file or b"", words)
    if left_out:
        files = {**kept.files, SETTINGS: settings}
        configuration = read_tree(files, folder, at, environ, revision=kept.revision, was_in_force=True)
    if configuration.policy is None or configuration.settings is None:
        return KeptReading(configuration, left_out, _nothing_left(left_out))
    if not some_way_leads_out(configuration.settings):
        return KeptReading(_unusable(configuration), left_out, _nothing_left(left_out))
    return _counting(configuration, kept, keys, _words(kept, disk, folder, keys), left_out)


def in_part(left_out: Sequence[str]) -> str:
    """What people are told when only a part of it counts."""
    named = ", ".join(left_out[:NAMED_MOST])
    more = f" and {len(left_out) - NAMED_MOST} more" if len(left_out) > NAMED_MOST else ""
    return (
        f"{UNVOUCHED}, so of it only what stands on disk as well counts; until the config is mended it lacks "
        f"{named}{more}"
    )


def _counting(
    configuration: Configuration,
    kept: KeptConfig,
    keys: Sequence[str],
    words: DiskWords,
    left_out: tuple[str, ...] = (),
) -> KeptReading:
    """A config with the addresses that count."""
    assert configuration.policy is not None
    if vouched(keys, kept):
        return KeptReading(configuration)
    policy, addresses = _standing(configuration.policy, words)
    left_out = (*left_out, *addresses)
    if not any(person.channels for person in policy.people.values()):
        return KeptReading(_unusable(configuration), left_out, _nothing_left(left_out), configuration)
    return KeptReading(replace(configuration, policy=policy), left_out)


def _unusable(configuration: Configuration) -> Configuration:
    return replace(configuration, policy=None, settings=None)


def _nothing_left(left_out: Sequence[str]) -> str:
    """Why nothing of it can be used."""
    return f"{UNVOUCHED}, and too little of it stands on disk as well; it lacks {', '.join(left_out[:NAMED_MOST])}"


def _words(
    kept: KeptConfig,
    disk: Configuration,
    folder: Path,
    keys: Sequence[str],
    wanted: Callable[[str], bool] = lambda name: name.endswith((".yaml", ".yml")),
) -> DiskWords:
    """What stands in the files of the disk that are wanted by their names. A file that it does not give now is as it is
    kept, unless there is a key: then the daemon would have vouched for it.
    """
    label, unread = label_of(folder), {fault.file for fault in disk.unread}
    ungiven = {
        name: data
        for name, data in kept.files.items()
        if not keys and {label, displayed_path(label, shown(name))} & unread
    }
    files = {**ungiven, **disk.files}
    return DiskWords(decode(data, name)[0] for name, data in files.items() if wanted(name))


def _standing(policy: Policy, words: DiskWords) -> tuple[Policy, tuple[str, ...]]:
    """The policy without the addresses that do not stand on the disk, and whose they are."""
    left_out: list[str] = []
    people = {name: _person(person, words, left_out) for name, person in policy.people.items()}
    groups = {name: _group(group, words, left_out) for name, group in policy.stakeholders.items()}
    services = {name: _service(service, words, left_out) for name, service in policy.services.items()}
    if left_out:
        policy = replace(policy, people=people, stakeholders=groups, services=services)
    return policy, tuple(left_out)


def _person(person: Person, words: DiskWords, left_out: list[str]) -> Person:
    phone = person.phone if words.has_number(person.phone) else ""
    email = person.email if words.has_mailbox(person.email) else ""
    if person.phone and not phone:
        left_out.append(f"{person.id}'s number")
    if person.email and not email:
        left_out.append(f"{person.id}'s mailbox")
    return replace(person, phone=phone, email=email)


def _group(group: StakeholderGroup, words: DiskWords, left_out: list[str]) -> StakeholderGroup:
    emails = tuple(email for email in group.emails if words.has_mailbox(email))
    if lacking := len(group.emails) - len(emails):
        left_out.append(f"{lacking} address{'es' if lacking > 1 else ''} of {group.id}")
    return replace(group, emails=emails)


def _service(service: Service, words: DiskWords, left_out: list[str]) -> Service:
    """A service's page must not lead people elsewhere than the disk would."""
    runbook = service.runbook if words.has_word(service.runbook) else ""
    bridge = service.bridge if words.has_word(service.bridge) else ""
    links = tuple((title, address) for title, address in service.links if words.has_word(address))
    if (runbook, bridge, links) == (service.runbook, service.bridge, service.links):
        return service
    left_out.append(f"links of {service.id}")
    return replace(service, runbook=runbook, bridge=bridge, links=links)
