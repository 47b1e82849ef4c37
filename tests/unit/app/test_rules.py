"""Every message and every one held back names the line of the config behind it, and the config's revision (P6)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tocsin.domain.facts import Answer, Answered, ChannelRefused, Fact, Seen
from tocsin.domain.history import History
from tocsin.domain.incident import Incident, Status, UpdateEntry
from tocsin.domain.notification import OUTSIDE_PLAN, Kind, Notification, Reason, Suppression, Why
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.planning.history.fold import apply_fact
from tocsin.planning.plan import plan
from tocsin.wording.report.reason_text import reason_text, suppression_text

from tests.builders.loading import load

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
CONFIG = """
severities:
  sev1: # severity 1
    page: # page 1
      roles: [technical_lead, communications]
      via: [email, sms]
      acknowledge_within: 5m
      rounds: 2
      still_there_after: 2h
    updates:
      - {to: [bosses], every: 30m} # stream bosses
      - {to: [fans], every: 1h} # stream fans
    remind_before: 5m
    verify_after: 30m
    review: {within: 2d} # review 1
  sev2: # severity 2
    page: # page 2
      roles: [technical_lead]
      via: [email, sms]
      acknowledge_within: 5m
      rounds: 2
    updates: [{to: [bosses], every: 30m}] # stream bosses
roles:
  technical_lead: # role lead
    chain:
      - ana # lead 0
      - bo # lead 1
      - platform.on_call # lead 2
  communications: # role comms
    chain:
      - chen # comms 0
  scribe: # role scribe
    chain:
      - dee # scribe 0
rotations:
  platform:
    shifts: [{members: [dee], handoff: "0 9 * * mon", timezone: UTC, starts: 2027-01-01T09:00}]
services:
  checkout: # checkout
    stakeholders: [merchants]
    responders:
      - dee # checkout responder
stakeholders:
  bosses: {people: [fay]}
  fans: {emails: [fans@example.com], external: true}
  merchants: {emails: [merchants@example.com], external: false}
people:
  ana: # ana
    email: ana@example.com
    phone: "+14155550101"
    reach: [email, {via: sms, after: 2m}]
  bo: {email: bo@example.com} # bo
  chen: {email: chen@example.com} # chen
  dee: {email: dee@example.com} # dee
  fay: {email: fay@example.com} # fay
"""
SETTINGS = """
operators: [fay] # operators
last_resort: [fay, bo] # last resort
email: {sender: "x <x@example.com>"}
sms: {sender: "+15005550006"}
"""
ROLES = {"technical_lead": "lead", "communications": "comms", "scribe": "scribe"}

Decided = Notification | Suppression


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rules")
    (folder / "all.yaml").write_text(CONFIG)
    (folder / "tocsin.yaml").write_text(SETTINGS)
    return folder


@pytest.fixture(scope="module")
def policy(folder: Path) -> Policy:
    found = load(folder, T0, {})
    assert found.policy is not None, found.problems
    return found.policy


def live(policy: Policy, happens: Mapping[float, Fact | Incident], hours: float) -> Iterator[Decided]:
    """All that the plan decides while these things happen, by minutes after T0."""
    events = sorted((T0 + timedelta(minutes=after), what) for after, what in happens.items())
    history, now, end = History(), T0, T0 + timedelta(hours=hours)
    while now <= end:
        while events and events[0][0] <= now:
            at, what = events.pop(0)
            history = apply_fact(history, Seen(at, what) if isinstance(what, Incident) else what)
        assert history.incident is not None
        made = plan(history.incident, policy, history, now)
        yield from (due.notification for due in made.due)
        yield from made.suppressed
        history = made.history
        now = min(filter(None, (made.next_look, events[0][0] if events else None)), default=end + timedelta(1))


def lives(policy: Policy) -> list[Decided]:
    """Three incidents in which nearly everything happens."""
    card = Incident("card", "Card", "sev1", services=("checkout",))
    at = T0 + timedelta(minutes=4)
    lead = replace(card, eta=T0 + timedelta(minutes=15), roles=(("technical_lead", "chen"), ("scribe", "dee")))
    lower = replace(lead, severity="sev2", services=())
    over = replace(card, status=Status.RESOLVED)
    busy = live(
        policy,
        {
            0: card,
            4: Answered(at, "ana", Answer.OK),
            5: replace(card, updates=(UpdateEntry("new"),)),
            10: lead,
            12: Answered(T0 + timedelta(minutes=12), "chen", Answer.OK),
            20: lower,
            30: replace(lower, severity="sev1"),
            35: Answered(T0 + timedelta(minutes=35), "chen", Answer.PASS),
            240: over,
            400: card,
        },
        20,
    )
    alone = live(policy, {0: Incident("alone", "Alone", "sev2")}, 2)
    silent = live(policy, {0: card, 1: Answered(T0 + timedelta(minutes=1), "ana", Answer.OK)}, 4)
    refused: dict[float, Fact | Incident] = {
        0.1 * n: ChannelRefused(T0, who, Channel.EMAIL) for n, who in enumerate(["fay", "bo"], 1)
    }
    mute = live(policy, {0: Incident("mute", "Mute", "sev2"), **refused}, 2)
    broken = live(policy, {0: Incident("broken", "Broken", "sev1", unreadable=True)}, 1)
    return [*busy, *alone, *silent, *mute, *broken]


def marked(each: Notification) -> str:
    """The comment on the line that is this message's rule."""
    role = ROLES.get(each.roles[0], "") if each.roles else ""
    if each.reason is Reason.REACH:
        return each.to
    if each.reason in (Reason.STILL_THERE, Reason.LAST_RESORT):
        return "page 1" if each.reason is Reason.STILL_THERE else "last resort"
    if (
        each.kind is Kind.STAND_DOWN
        or each.reason is Reason.ASSIGNED
        or (each.roles[:1], each.level) == (("scribe",), 0)
    ):
        return f"role {role}"  # the file assigns the scribe: that ladder's level 0 is no line of the chain
    if each.kind is Kind.PAGE and each.roles == ("responder",):
        return "checkout responder"
    if each.kind is Kind.PAGE:
        return f"{role} {each.level}"
    if each.kind is Kind.REVIEW:
        return "review 1"
    if each.reason is Reason.ETA_PASSED:
        return "severity "
    if each.kind is Kind.REMINDER or (each.kind is Kind.UPDATE and each.reason is not Reason.SEVERITY_LOWERED):
        return "checkout" if each.group == "merchants" else f"stream {each.group or 'bosses'}"
    return "severity "


def test_every_message_names_its_line(policy: Policy, folder: Path) -> None:
    """Whatever is sent, for any reason, its rule is the line of the config that asks for it, under this revision."""
    sent = [each for each in lives(policy) if isinstance(each, Notification)]
    for each in sent:
        file, _, line = each.rule.rpartition(":")
        said = (folder / Path(file).name).read_text().splitlines()[int(line) - 1]
        assert f"# {marked(each)}" in said, (each, said)
        assert each.revision == policy.revision
        assert reason_text(each, policy, policy.severities["sev1"])
    assert {each.kind for each in sent} == set(Kind) - OUTSIDE_PLAN
    assert {each.reason for each in sent} == set(Reason) - {Reason.TROUBLE, Reason.REPLY, Reason.SIGN_IN}


def test_what_is_outside_the_plan_is_explained_too(policy: Policy) -> None:
    """A notice to operators, the answer to somebody's SMS and a code to sign in have a reason in words."""
    outside = ((Kind.OPERATOR, Reason.TROUBLE), (Kind.ANSWER, Reason.REPLY), (Kind.SIGN_IN, Reason.SIGN_IN))
    for kind, reason in outside:
        each = Notification("k", "i", 0, kind, reason, T0, "ana", Channel.SMS)
        assert reason_text(each, policy, None)


def test_every_silence_names_its_line(policy: Policy, folder: Path) -> None:
    """Whatever is held back has a reason in words and a rule that is a line of the config, under this revision."""
    held = [each for each in lives(policy) if isinstance(each, Suppression)]
    for each in held:
        file, _, line = each.rule.rpartition(":")
        assert (folder / Path(file).name).read_text().splitlines()[int(line) - 1].strip(), each
        assert each.revision == policy.revision
        assert suppression_text(each)
    found = {each.why for each in held}
    assert found >= {Why.NOBODY_ON_CALL, Why.NO_CHANNEL, Why.NO_LONGER_WANTED, Why.ASKED_ELSEWHERE}
    (empty,) = {each.rule for each in held if each.why is Why.NOBODY_ON_CALL and "level 2 of round 1" in each.detail}
    assert CONFIG.splitlines()[int(empty.rpartition(":")[2]) - 1].endswith("# lead 2")
