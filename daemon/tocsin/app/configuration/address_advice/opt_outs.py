"""Addresses of a config that want nothing more, for `tocsin check`: numbers that answered STOP (rule 51), and plain
addresses of external groups that unsubscribed.

Decides which count, where each is written, and what lifts it.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tocsin.app.configuration.address_advice.refused_addresses import document_of
from tocsin.app.configuration.load import Configuration
from tocsin.domain.arrival import OptOut
from tocsin.domain.people import Channel
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.settings.reply_routes import NO_REPLY_ROUTES
from tocsin.formats.settings.settings import reply_routes
from tocsin.text.yaml import KeyPath


def problems(configuration: Configuration, folder: Path, opt_outs: Iterable[OptOut]) -> Iterator[Problem]:
    """Warnings at those addresses of the config in `folder`; of an address that the config lacks none."""
    policy, settings = configuration.policy, configuration.settings
    assert policy is not None
    routes = reply_routes(settings) if settings else NO_REPLY_ROUTES
    for opt_out in opt_outs:
        since, wanted = f"{opt_out.at:%Y-%m-%d %H:%M} UTC", opt_out.address.casefold()
        if opt_out.via is Channel.SMS:
            for person in policy.people.values():
                if person.phone == opt_out.address:
                    path: KeyPath = ("people", person.id, Channel.SMS.traits.address_field)
                    until = "no SMS goes there until START is sent from it"
                    if not routes.hears(person.phone):
                        until = "no START from it could come in here, so each incident tries whether it still holds"
                    text = f"{person.phone} answered STOP on {since}: {until}"
                    yield _warning(configuration, folder, person.place, path, "stopped-number", text)
            continue
        for group in policy.stakeholders.values():
            for number, email in enumerate(group.emails):
                if group.external and email.casefold() == wanted:
                    path = ("stakeholders", group.id, "emails", number)
                    told = "is told nothing"
                    if policy.is_insider(email):
                        told = "is told nothing as an outsider, and as an insider all the same"
                    text = f"{email} unsubscribed on {since} and {told}; tocsin resubscribe {email} undoes it"
                    yield _warning(configuration, folder, group.place, path, "unsubscribed-address", text)


def _warning(configuration: Configuration, folder: Path, place: str, path: KeyPath, code: str, text: str) -> Problem:
    """A warning at a value of the config."""
    document = document_of(configuration, folder, place.rpartition(":")[0])
    return document.problem(path, code, f"{'.'.join(map(str, path))}: {text}", level=ProblemLevel.WARNING)
