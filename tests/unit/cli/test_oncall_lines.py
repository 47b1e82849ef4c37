"""What `tocsin oncall` prints by role: whoever would be woken, chains of plain people included."""

from datetime import datetime, timedelta
from pathlib import Path

from click.testing import CliRunner
from tocsin.cli.oncall import command
from tocsin.cli.output.oncall_lines import person_lines, role_lines
from tocsin.planning.on_call.role_chains import on_call_by_role

from tests.builders.instants import T0
from tests.builders.policies import SHIPPED_CONFIG, shipped_policy


def readable(at: datetime) -> str:
    return f"{at:%d %b %H:%M}"


def lines(at: datetime = T0) -> list[str]:
    policy = shipped_policy()
    return list(role_lines(on_call_by_role(policy, at), policy, at, readable))


def test_each_severity_names_whom_it_pages_first() -> None:
    """By what, from when on, and how soon the next level is paged."""
    told = lines(T0 + timedelta(days=6, hours=8))
    assert told[1:6] == [
        "SEV1, by SMS and email; the next level after 5m",
        "  Incident Commander   Bo Lindqvist",
        "  Technical Lead       Chen Wei",
        "  Communications       Dee Okafor",
        "  Scribe               Eli Brandt",
    ]
    assert "SEV3, by email, from 30 Nov 08:00 on; the next level after 4h" in told


def test_each_chain_level_by_level() -> None:
    """Rotations with who comes next, people by name, a service's own chain apart; responders and the last resort."""
    told = "\n".join(lines())
    for block in (
        "Incident Commander (SEV1, SEV2)\n  1  Bo Lindqvist (commanders.on_call until 30 Nov 08:00, then Fay Moreau)\n",
        "  3  Ana Souza, Bo Lindqvist, Fay Moreau (commanders.everyone)\n",
        "Technical Lead for Website (SEV1, SEV2, SEV3)\n  1  Bo Lindqvist\n  2  Fay Moreau (engineers.on_call until",
        "Communications (SEV1, SEV2)\n  1  Dee Okafor\n  2  Eli Brandt\n  3  Ana Souza\n",
        "Responders of Checkout\n     Fay Moreau (engineers.on_call until 26 Nov 09:00, then Chen Wei)\n",
    ):
        assert block in told, block
    assert told.endswith("\nThe last resort: Ana Souza, Bo Lindqvist")


def test_what_one_person_would_be_paged_for() -> None:
    """Somebody in no rotation reads that a chain wakes them; whoever stands nowhere reads nothing."""
    policy = shipped_policy()
    by_role = on_call_by_role(policy, T0)
    assert list(person_lines(by_role, policy, "dee")) == [
        "Communications: paged first",
        "Scribe: paged at level 2 of the chain",
    ]
    assert list(person_lines(by_role, policy, "fay"))[-1] == "Responder of Checkout: paged at once"
    assert list(person_lines(by_role, policy, "ana"))[-1] == "The last resort: paged when nobody of a chain answers"
    assert list(person_lines(by_role, policy, "gus")) == []


def asked(*arguments: str, config: Path = SHIPPED_CONFIG) -> str:
    done = CliRunner().invoke(command, ["--config", str(config), "--at", "2026-11-23T10:00Z", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_prints_both() -> None:
    """Rotations as ever, then roles; of one person theirs; of one rotation, and as JSON, rotations alone."""
    both = asked()
    assert both.startswith("commanders ")
    assert "\n\nWhom an incident declared then would page first:\n" in both
    assert asked("--person", "dee") == "Communications: paged first\nScribe: paged at level 2 of the chain\n"
    assert asked("--person", "gus") == "gus is not on call\n"
    assert "Communications" not in asked("--rotation", "engineers") + asked("--format", "json")
