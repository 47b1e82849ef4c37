"""Addresses of a config that a provider refused for good when they were last tried, for `tocsin check`.

Decides which still count, and where each is written.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tocsin.app.configuration.load import Configuration, label_of
from tocsin.domain.arrival import OptOut
from tocsin.domain.delivery import Attempt, Proof, Refused
from tocsin.domain.people import Channel
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.text.decoding import displayed_path
from tocsin.text.yaml import Document, KeyPath, read_yaml
from tocsin.wording.delivery.answer_words import cause, cure


def problems(configuration: Configuration, folder: Path, refused: Iterable[Attempt]) -> Iterator[Problem]:
    """Warnings at the addresses of the config in `folder` that were refused when last tried; one that was changed since
    is another address.
    """
    policy = configuration.policy
    assert policy is not None
    owners: dict[tuple[Channel, str], tuple[str, KeyPath]] = {}
    for group in policy.stakeholders.values():
        for number, email in enumerate(group.emails):
            owners[Channel.EMAIL, email] = group.place, ("stakeholders", group.id, "emails", number)
    for person in policy.people.values():
        for via in person.channels:
            owners[via, person.address(via)] = person.place, ("people", person.id, via.traits.address_field)
    for attempt in refused:
        outcome, owner = attempt.outcome, owners.get((attempt.via, attempt.address))
        if owner and isinstance(outcome, Refused):
            document = document_of(configuration, folder, owner[0].rpartition(":")[0])
            day = (attempt.ended_at or attempt.started_at).strftime("%Y-%m-%d")
            sentence = (
                f"{'.'.join(map(str, owner[1]))}: {attempt.address} was refused on {day}: {cause(attempt.via, outcome)}"
            )
            advice = f"{sentence}; {cure(attempt.via, outcome)}"
            yield document.problem(owner[1], "refused-address", advice, level=ProblemLevel.WARNING)


def still_standing(
    refused: Iterable[Attempt], opt_outs: Iterable[OptOut], proofs: Mapping[tuple[Channel, str], Proof]
) -> tuple[Attempt, ...]:
    """Those refusals that nothing has overtaken: the address did not prove to work since (an SMS came in from it), and
    is not known to want nothing more, which says why.
    """
    stopped = {(opt_out.via, opt_out.address) for opt_out in opt_outs}
    return tuple(
        attempt
        for attempt in refused
        if (attempt.via, attempt.address) not in stopped
        and not (
            (proof := proofs.get((attempt.via, attempt.address)))
            and proof.at > (attempt.ended_at or attempt.started_at)
        )
    )


def document_of(configuration: Configuration, folder: Path, file: str) -> Document:
    """A fragment of the config, by the name that problems call it."""
    label = label_of(folder)
    data = next((data for path, data in configuration.files.items() if displayed_path(label, path) == file), b"")
    return read_yaml(data, file)
