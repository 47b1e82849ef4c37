"""What a machine remembers counts as far as the ledger bears it out (P9)."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

import pytest
from tocsin.app.hand_ins.borne_out import as_handed_in, not_borne_out
from tocsin.app.hand_ins.hand_in import FileVersion, arrival_of
from tocsin.domain.arrival import ArrivalKind, Judgement
from tocsin.ports.folder import RememberedFile

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Digests:
    """The versions of each incident; and of how many all were asked for."""

    def __init__(self, known: Mapping[str, tuple[str, ...]]) -> None:
        self._known = known
        self.asked = 0
        self.judged = set[tuple[ArrivalKind, str]]()
        self.waits = set[tuple[ArrivalKind, str]]()

    async def version_digests(
        self, incidents: Collection[str], *, newest: bool = False
    ) -> Mapping[str, tuple[str, ...]]:
        self.asked += 0 if newest else len(incidents)
        return {name: self._known[name][-1 if newest else 0 :] for name in incidents if name in self._known}

    async def has_arrived(self, kind: ArrivalKind, ref: str) -> bool:
        return (kind, ref) in self.judged | self.waits

    async def outcome(self, kind: ArrivalKind, ref: str) -> Judgement | None:
        return Judgement("nothing", "") if (kind, ref) in self.judged else None


def remembered(incident: str, *held: str) -> RememberedFile:
    return RememberedFile(f"{incident}.yaml", incident, held[-1], b"", held)


@pytest.mark.parametrize(
    ("held", "known", "is_there"),
    [
        (("1",), (), False),
        (("1",), ("1",), True),
        (("1", "2"), ("1",), False),
        (("1", "2"), ("1", "2"), True),
        (("1",), ("1", "2", "3"), True),  # it lags behind
        (("1", "2", "1"), ("1", "2"), False),  # that it went back is lost
        (("1", "2", "1"), ("1", "2", "1"), True),
        (("1", "2", "1"), ("1", "2", "1", "3"), True),
        (("1", "2", "1"), ("1",), True),  # nothing of it is left but the same words
        (("2",), ("1", "3"), False),
        (("1", "odd", "2"), ("1", "2", "3"), True),  # what never counted in between
    ],
)
async def test_a_content_is_there_if_it_would_change_nothing(
    held: tuple[str, ...], known: tuple[str, ...], is_there: bool
) -> None:
    """P9: by the rule by which the leader judges."""
    ledger = Digests({"pay": known} if known else {})
    assert await not_borne_out("a", {"pay": remembered("pay", *held)}, ledger) == (set() if is_there else {"pay"})


async def test_what_was_judged_and_led_to_nothing_is_not_judged_again() -> None:
    """P9: the ledger that judged it holds all that it was judged by; one that knows nothing of the incident did not."""
    ledger, file = Digests({"pay": ("1", "3"), "net": ("1",)}), remembered("pay", "1", "2")
    handed_in = FileVersion("a", "pay", "pay.yaml", b"", b"before", ("1",))
    assert arrival_of(as_handed_in("a", file), AT).ref == arrival_of(handed_in, AT).ref
    ledger.judged.add((ArrivalKind.VERSION, arrival_of(handed_in, AT).ref))
    assert await not_borne_out("a", {"pay": file, "net": remembered("net", "1", "2")}, ledger) == {"net"}
    assert await not_borne_out("b", {"pay": file}, ledger) == {"pay"}


@pytest.mark.parametrize("known", [{}, {"pay": ("1",)}])
async def test_what_waits_to_be_judged_is_not_handed_in_again(known: Mapping[str, tuple[str, ...]]) -> None:
    """P9: a machine that takes the lead finds what it handed in itself, with what was there before: that is judged."""
    ledger, file = Digests(known), remembered("pay", "1", "2")
    ledger.waits.add((ArrivalKind.VERSION, arrival_of(as_handed_in("a", file), AT).ref))
    assert await not_borne_out("a", {"pay": file}, ledger) == set()


async def test_of_most_files_only_the_newest_version_is_asked_for() -> None:
    """P9: ten thousand files are compared in the time that reading them takes."""
    files = {name: remembered(name, "1", "2") for name in map(str, range(10_000))}
    ledger = Digests(dict.fromkeys(files, ("1", "2")) | {"7": ("1", "2", "3"), "8": ("1",)})
    assert await not_borne_out("a", files, ledger) == {"8"}
    assert ledger.asked == 2
