"""A config of a company as it grows: 200 people in 25 teams, 60 services, rotations around the clock, chains that share
people, groups of stakeholders. Always the same for the same numbers.
"""

from collections.abc import Iterator
from pathlib import Path

FIRST = [
    "Ada",
    "Ben",
    "Cleo",
    "Dan",
    "Eva",
    "Finn",
    "Gia",
    "Hugo",
    "Ines",
    "Jan",
    "Kim",
    "Leo",
    "Mia",
    "Noah",
    "Olga",
    "Paul",
    "Rita",
    "Sam",
    "Tia",
    "Udo",
]
LAST = ["Abel", "Brandt", "Costa", "Diaz", "Ebert", "Fuchs", "Garcia", "Hansen", "Ito", "Jensen"]
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Singapore"]
TEAM = 8
"""People of one team."""

SEVERITIES = """severities:
  sev1:
    title: Critical
    page: {roles: [incident_commander, technical_lead, communications], via: [sms, email], acknowledge_within: 5m, rounds: 3}
    updates:
      - {to: [executives, support], every: 30m}
      - {to: [customers], every: [{for: 2h, every: 30m}, {every: 1h}]}
    remind_before: 5m
  sev2:
    title: Major
    page: {roles: [incident_commander, technical_lead], via: [sms, email], acknowledge_within: 10m, rounds: 2}
    updates:
      - {to: [support], every: 1h}
  sev3:
    title: Minor
    page: {roles: [technical_lead], via: [email], acknowledge_within: 4h, hours: office}
    updates:
      - {to: [support], cron: "0 9,16 * * mon-fri", timezone: Europe/Berlin}
  sev4: {title: Low, updates: [{to: [support], cron: "0 9 * * mon", timezone: Europe/Berlin}]}
hours: {office: {timezone: Europe/Berlin, during: ["mon-fri 09:00-17:00"]}}
"""
SETTINGS = """operators: [p000, p001]
last_resort: [p000, p001]
unreadable_severity: sev1
organisation: Example
email: {transport: outbox, sender: "Incidents <incidents@example.com>"}
sms: {transport: outbox, sender: "+15005550006"}
"""


def write_big_config(folder: Path, people: int = 200, services: int = 60) -> None:
    """Write it, one file a key and one for each team, as large companies keep theirs."""
    teams = people // TEAM
    (folder / "teams").mkdir(parents=True)
    (folder / "tocsin.yaml").write_text(SETTINGS)
    (folder / "severities.yaml").write_text(SEVERITIES)
    (folder / "people.yaml").write_text("\n".join(["people:", *_people(people)]) + "\n")
    (folder / "roles.yaml").write_text(_roles())
    (folder / "stakeholders.yaml").write_text(_stakeholders(people))
    for team in range(teams):
        (folder / "teams" / f"team{team:02}.yaml").write_text("\n".join(_team(team, teams, services)) + "\n")


def _people(count: int) -> Iterator[str]:
    for number in range(count):
        name = f"{FIRST[number % len(FIRST)]} {LAST[number // len(FIRST) % len(LAST)]}"
        phone = "" if number % 17 == 16 else f', phone: "+1415555{number:04}"'
        zone = ZONES[number % len(ZONES)]
        yield f"  p{number:03}: {{name: {name}, email: p{number:03}@example.com{phone}, timezone: {zone}}}"


def _roles() -> str:
    return """roles:
  incident_commander: {title: Incident Commander, chain: [team00.on_call, team00.next, p000]}
  technical_lead: {title: Technical Lead, chain: [team01.on_call, team01.next, team01.everyone]}
  communications: {title: Communications, chain: [team02.on_call, team02.next, p001]}
"""


def _stakeholders(people: int) -> str:
    executives = ", ".join(f"p{number:03}" for number in range(people - 6, people))
    return f"""stakeholders:
  executives: {{title: Executives, people: [{executives}], via: [email, sms]}}
  support: {{title: Support, emails: [support@example.com], external: false}}
  customers: {{title: Customers, emails: [status@lists.example.com], external: true}}
"""


def _team(team: int, teams: int, services: int) -> Iterator[str]:
    """A team's rotation, and the services that it looks after: its own chain, the neighbour as the last level."""
    members = ", ".join(f"p{team * TEAM + number:03}" for number in range(TEAM))
    zone = ZONES[team % len(ZONES)]
    yield "rotations:"
    yield f"  team{team:02}:"
    yield "    shifts:"
    yield f'      - {{members: [{members}], handoff: "0 9 * * mon", timezone: {zone}, starts: 2026-01-05T09:00}}'
    own = [number for number in range(services) if number % teams == team]
    if own:
        yield "services:"
    for number in own:
        chain = f"[team{team:02}.on_call, team{team:02}.next, team{(team + 1) % teams:02}.on_call]"
        responders = f", responders: [team{(team + 2) % teams:02}.on_call]" if number % 3 == 0 else ""
        yield f"  service{number:02}: {{title: Service {number}, roles: {{technical_lead: {chain}}}{responders}}}"
