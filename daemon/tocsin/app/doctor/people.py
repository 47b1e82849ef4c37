"""When each address of a person last proved to work: by a delivery receipt, an answer, or mail that was accepted.

Decides for how long a proof counts.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from tocsin.app.configuration.address_advice.refused_addresses import document_of
from tocsin.app.configuration.load import Configuration
from tocsin.app.doctor.check import ProvenAddress
from tocsin.domain.delivery import Proof
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem, ProblemLevel

PROVEN_FOR = timedelta(days=90)
"""How long a proof counts."""
CODE = "unproven-address"
PROVE_ANEW = "a drill proves it (tocsin drill SEV), a number also a text from it to the sender of our SMS"
Proofs = Mapping[tuple[Channel, str], Proof]


def proven_addresses(policy: Policy, proofs: Proofs) -> list[ProvenAddress]:
    """Every address of every person."""
    found = []
    for person in policy.people.values():
        for via in person.channels:
            proof = proofs.get((via, person.address(via)))
            at, by = (proof.at, proof.by.value) if proof else (None, None)
            found.append(ProvenAddress(person.id, via, at, by))
    return found


def problems(
    configuration: Configuration, folder: Path, proofs: Proofs, told: Collection[tuple[Channel, str]], now: datetime
) -> Iterator[Problem]:
    """A warning for each person of whom an address has not proved to work for 90 days, on channels by which messages
    really leave. `told` are addresses of which more is known already.
    """
    policy, settings = configuration.policy, configuration.settings
    assert policy is not None
    assert settings is not None
    for person in policy.people.values():
        unproven = []
        for via in person.channels:
            key = via, person.address(via)
            proof = proofs.get(key)
            if via in settings.leaving and key not in told and not (proof and now - proof.at <= PROVEN_FOR):
                since = f"since {proof.at:%Y-%m-%d}" if proof else "yet"
                unproven.append(f"{key[1]} has not proved to work {since}")
        if unproven:
            message = f"people.{person.id}: {', '.join(unproven)}; {PROVE_ANEW}"
            document = document_of(configuration, folder, person.place.rpartition(":")[0])
            yield document.problem(("people", person.id), CODE, message, key=True, level=ProblemLevel.WARNING)
