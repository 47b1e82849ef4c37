"""What is wiser said of a sound config: each warning where it is due, and silence where it is not."""

from datetime import UTC, datetime

import pytest
from tocsin.formats.config.read import Sources, read_config
from tocsin.formats.config.unused_advice import advise_on_unused_names

from tests.builders.policies import small_policy

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
PEOPLE = """\
people:
  ana: {email: ana@example.com, phone: "+14155550101"}
  bo: {email: bo@example.com, phone: "+14155550102"}
  chen: {email: chen@example.com}
"""
SPECIAL = """\
roles:
  incident_commander: {chain: [ana, bo]}
  technical_lead: {chain: [ana, bo]}
  communications: {chain: [ana, bo]}
  scribe: {chain: [ana, bo]}
"""
SHIFT = "handoff: 0 9 * * mon, timezone: UTC, starts: 2026-01-05"


def warnings(text: str) -> list[str]:
    """The codes of everything said of this config beside three people and the special roles."""
    files = {"a.yaml": PEOPLE.encode(), "b.yaml": SPECIAL.encode(), "c.yaml": text.encode()}
    found = read_config(Sources(files, "config"), AT, lambda _: None)
    assert found.policy is not None, found.problems
    return [problem.code for problem in found.problems]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("roles: {r: {chain: ana}}", ["chain-of-one"]),
        ("roles: {r: {chain: [[ana, bo]]}}", []),
        ("roles: {r: {chain: [[ana, bo], ana]}}", ["level-repeats"]),
        ("roles: {r: {chain: [ana, [ana, bo]]}}", []),
        (f"rotations: {{d: {{shifts: [{{members: [ana], {SHIFT}}}]}}}}\nroles: {{r: {{chain: d.on_call}}}}", ["chain-of-one"]),
        (f"rotations: {{d: {{shifts: [{{members: [ana], {SHIFT}}}]}}}}\nroles: {{r: {{chain: [bo, d.next]}}}}",
         ["level-of-nobody"]),
        (f"rotations: {{d: {{shifts: [{{members: [ana], {SHIFT}}}]}}}}\nroles: {{r: {{chain: [bo, [chen, d.next]]}}}}", []),
        (f"rotations: {{d: {{shifts: [{{members: [ana, bo], {SHIFT}}}]}}}}\nroles: {{r: {{chain: [d.everyone, d.next]}}}}",
         ["level-repeats"]),
        ("services: {s: {roles: {scribe: ana}}}", ["chain-of-one"]),
    ],
)  # fmt: skip
def test_chains(text: str, codes: list[str]) -> None:
    """A chain that hangs on one person, and a level that pages nobody new or nobody at all."""
    assert warnings(text) == codes


PAGE = "severities: {s: {page: {roles: [scribe], via: [%s], acknowledge_within: 5m}}}\n"
COVER = f"rotations: {{d: {{shifts: [{{members: [ana, bo], {SHIFT}}}], overrides: [{{person: chen, %s}}]}}}}\n"
SPAN = "from: 2026-12-01T00:00Z, to: 2026-12-02T00:00Z"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (PAGE % "sms" + "services: {x: {responders: chen}}", ["no-phone"]),
        (PAGE % "email" + "services: {x: {responders: chen}}", []),
        (PAGE % "sms" + "services: {x: {roles: {scribe: [ana, chen]}}}", ["no-phone"]),
        (PAGE % "sms" + "services: {x: {roles: {communications: [ana, chen]}}}", []),
        (PAGE % "sms" + COVER % SPAN + "services: {x: {responders: d.on_call}}", ["no-phone", "override-outsider"]),
        (PAGE % "sms" + COVER % SPAN + "services: {x: {responders: d.next}}", ["override-outsider"]),
        (COVER % (SPAN + ", instead_of: chen"), ["override-outsider", "override-without-turn"]),
        ((COVER % (SPAN + ", instead_of: ana")).replace("person: chen", "person: bo"), []),
        ((COVER % (SPAN + ", instead_of: chen")).replace("person: chen", "person: bo"), ["override-without-turn"]),
        ("people: {x: {email: x@example.com, reach: [email, sms]}}", ["reach-without-address"]),
        ("people: {x: {phone: +11155550101}}", ["phone-doubtful"]),
    ],
)
def test_people_who_may_not_be_reached(text: str, codes: list[str]) -> None:
    """Without a phone where pages go by SMS; overrides by or for somebody who has no turn; numbers nobody gives out."""
    assert sorted(warnings(text)) == sorted(codes)


@pytest.mark.parametrize(
    ("roles", "codes"),
    [
        ("[scribe]", []),
        ("[incident_commander]", []),
        ("[technical_lead]", ["review-without-owner"]),
    ],
)
def test_a_review_that_nobody_owns(roles: str, codes: list[str]) -> None:
    """Rules 26, 27: the Scribe or the Commander does; whoever is never paged owns none."""
    text = (
        f"severities: {{s: {{page: {{roles: {roles}, via: [sms], acknowledge_within: 5m}}, review: {{within: 5d}}}}}}"
    )
    assert warnings(text) == codes


@pytest.mark.parametrize(("external", "codes"), [("true", []), ("false", ["one-click-internal"])])
def test_one_click_lets_go_of_outsiders_alone(external: str, codes: list[str]) -> None:
    """Insiders are told all the same, so there it has no effect."""
    group = f"{{emails: [list@example.com], external: {external}, unsubscribe: one_click}}"
    use = "severities: {s: {updates: [{to: [g], every: 1h}], page: {roles: [scribe], via: [email], acknowledge_within: 5m}}}"
    told = [code for code in warnings(f"stakeholders: {{g: {group}}}\n{use}") if code.startswith("one-click")]
    assert told == codes


@pytest.mark.parametrize(("external", "codes"), [("true", []), ("false", ["first-internal"])])
def test_only_outsiders_may_hear_later_than_at_once(external: str, codes: list[str]) -> None:
    """Insiders hear at once, whatever `first` says."""
    group = f"{{emails: [list@example.com], external: {external}, first: accepted}}"
    use = "severities: {s: {updates: [{to: [g], every: 1h}], page: {roles: [scribe], via: [email], acknowledge_within: 5m}}}"
    assert [code for code in warnings(f"stakeholders: {{g: {group}}}\n{use}") if "first" in code] == codes


def test_a_special_role_that_is_missing_is_told() -> None:
    """At the section of roles, or for the whole folder where there is none."""
    roles = b"roles: {incident_commander: {chain: [ana, bo]}, technical_lead: {chain: [ana, bo]}}"
    for files, place in (({"a.yaml": PEOPLE.encode(), "b.yaml": roles}, "config/b.yaml"), ({"a.yaml": b""}, "config")):
        found = read_config(Sources(files, "config"), AT, lambda _: None)
        missing = [problem for problem in found.problems if problem.code == "special-role-missing"]
        assert {problem.file for problem in missing} == {place}
        assert [problem.message.split(":")[0] for problem in missing][-2:] == [
            "there is no role communications",
            "there is no role scribe",
        ]


def unused(text: str, *, operators: tuple[str, ...] = (), last_resort: tuple[str, ...] = ()) -> list[str]:
    """The names that nothing asks for, as said of this config."""
    found = read_config(Sources({"a.yaml": text.encode()}, "config"), AT, lambda _: None)
    assert found.policy is not None, found.problems
    policy = small_policy(
        severities=found.policy.severities, roles=found.policy.roles, people=found.policy.people,
        rotations=found.policy.rotations, services=found.policy.services, stakeholders=found.policy.stakeholders,
        hours=found.policy.hours, operators=operators, last_resort=last_resort,
    )  # fmt: skip
    return [problem.code for problem in advise_on_unused_names(found.declared, policy)]


ONE = "people: {x: {email: x@example.com}, ana: {email: ana@example.com}}\n"


@pytest.mark.parametrize(
    "use",
    [
        "roles: {r: {chain: [ana, x]}}\nseverities: {s: {page: {roles: r, via: email, acknowledge_within: 5m}}}",
        "services: {s: {responders: x}}",
        "stakeholders: {g: {people: x}}\nservices: {s: {stakeholders: g}}",
        "stakeholders: {g: {people: x}}\nseverities: {s: {updates: [{to: g, every: 1h}]}}",
        f"rotations: {{d: {{shifts: [{{members: x, {SHIFT}}}]}}}}\nservices: {{s: {{responders: d.next}}}}",
        f"rotations: {{d: {{shifts: [{{members: ana, {SHIFT}}}], overrides: [{{person: x, {SPAN}}}]}}}}\n"
        "services: {s: {responders: d.on_call}}",
    ],
)
def test_a_name_that_something_asks_for_is_used(use: str) -> None:
    """Whatever asks: chains, responders, groups, turns and overrides."""
    assert unused(ONE + use, operators=("ana",)) == []


def test_operators_and_the_last_resort_are_used() -> None:
    """The settings name them, not the fragments."""
    assert unused(ONE, operators=("ana",), last_resort=("x",)) == []
    assert unused(ONE, operators=("ana",)) == ["unused-person"]


def test_what_nothing_asks_for_is_told_in_the_order_of_sections() -> None:
    """Services and severities are named by incident files, so they are never told of."""
    text = (
        ONE + "services: {s: }\nseverities: {s: }\nroles: {r: {chain: [ana, x]}}\nstakeholders: {g: {people: x}}\n"
        f"rotations: {{d: {{shifts: [{{members: x, {SHIFT}}}]}}}}\n"
        "hours: {h: {timezone: UTC, during: mon 09:00-17:00}}\n"
    )
    assert unused(text) == ["unused-rotation", "unused-role", "unused-group", "unused-hours"]
