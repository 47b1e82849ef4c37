"""A large config: 200 people, 50 rotations of every sort, 50 services with chains of their own, 4 severities.

The severities, settings and groups are the shipped ones, so that what is measured is what people use.
"""

import shutil
from datetime import date, timedelta
from pathlib import Path

SHIPPED = Path(__file__).parents[1] / "config"
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Singapore", "America/Sao_Paulo", "Australia/Sydney")
AREAS = (415, 212, 303, 206, 312)
SUN = (("Asia/Singapore", "08:00-17:00"), ("Europe/Berlin", "08:00-17:00"), ("America/New_York", "08:00-20:00"))
PEOPLE, ROTATIONS, SERVICES = 200, 50, 50


def write(folder: Path) -> None:
    """Make `folder` a good config of that size."""
    folder.mkdir(parents=True)
    for name in ("severities", "hours", "roles", "stakeholders", "tocsin"):
        shutil.copy(SHIPPED / f"{name}.yaml", folder)
    names = {"ana": "p0", "bo": "p1", "chen": "p2", "dee": "p3", "eli": "p4", "fay": "p5", "gus": "p6"}
    for name in ("roles", "stakeholders", "tocsin"):
        text = (folder / f"{name}.yaml").read_text().replace("commanders.", "r0.").replace("engineers.", "r1.")
        for old, new in names.items():
            text = text.replace(f"[{old}", f"[{new}").replace(f", {old}", f", {new}")
        (folder / f"{name}.yaml").write_text(text)
    (folder / "people.yaml").write_text("people:\n" + "".join(map(_person, range(PEOPLE))))
    (folder / "rotations.yaml").write_text("rotations:\n" + "".join(map(_rotation, range(ROTATIONS))))
    (folder / "services.yaml").write_text("services:\n" + "".join(map(_service, range(SERVICES))))
    for number in range(4, ROTATIONS, 10):
        (folder / f"r{number}.ics").write_text(_calendar(number))


def _person(number: int) -> str:
    phone = f"+1{AREAS[number // 40]}55501{number % 40:02}"
    reach = "    reach: [sms, {via: email, after: 3m}]\n" if number % 4 == 0 else ""
    return (
        f"  p{number}:\n    name: Person Number {number}\n    email: p{number}@example.com\n    phone: {phone}\n"
        f"    timezone: {ZONES[number % 5]}\n{reach}"
    )


def _members(number: int) -> list[str]:
    return [f"p{(number * 4 + each) % PEOPLE}" for each in range(6)]


def _rotation(number: int) -> str:
    """By its number: once a week, twice a week, around the globe, by the hour or by a calendar."""
    if number % 10 == 4:
        return f"  r{number}: {{calendar: r{number}.ics}}\n"
    members, zone, sort = _members(number), ZONES[number % 5], number % 5
    if sort in {2, 3}:
        shifts = [
            _shift(members[2 * each : 2 * each + 2], "0 9 * * mon", where, during)
            for each, (where, during) in enumerate(SUN)
        ]
    else:
        shifts = [_shift(members, {0: "0 9 * * mon", 1: "0 10 * * mon,thu", 4: "0 * * * *"}[sort], zone)]
    overrides = "".join(
        f"      - {{person: {one}, from: 2026-12-{10 + each}T09:00+01:00, to: 2026-12-{11 + each}T09:00+01:00}}\n"
        for each, one in enumerate(members)
    )
    return f"  r{number}:\n    shifts:\n{''.join(shifts)}" + (f"    overrides:\n{overrides}" if number % 3 == 0 else "")


def _shift(members: list[str], handoff: str, zone: str, during: str = "") -> str:
    window = f"        during: {during}\n" if during else ""
    return (
        f'      - members: [{", ".join(members)}]\n        handoff: "{handoff}"\n        timezone: {zone}\n'
        f"        starts: 2026-01-05T09:00\n{window}"
    )


def _calendar(number: int) -> str:
    """A year of weeks, one event each."""
    events = []
    for week in range(52):
        begins = date(2026, 9, 7) + timedelta(weeks=week)
        ends = begins + timedelta(weeks=1)
        events.append(
            f"BEGIN:VEVENT\r\nUID:{number}-{week}@example.com\r\nDTSTAMP:20260901T000000Z\r\n"
            f"DTSTART;VALUE=DATE:{begins:%Y%m%d}\r\nDTEND;VALUE=DATE:{ends:%Y%m%d}\r\n"
            f"SUMMARY:{_members(number)[week % 6]}\r\nEND:VEVENT\r\n"
        )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example//bench//EN\r\n{''.join(events)}END:VCALENDAR\r\n"


def _service(number: int) -> str:
    own = f"r{number % ROTATIONS}"
    return (
        f"  s{number}:\n    title: Service {number}\n"
        f"    roles: {{technical_lead: [{own}.on_call, {own}.next, {own}.everyone]}}\n"
        f"    responders: [r{(number + 7) % ROTATIONS}.on_call]\n    stakeholders: [support]\n"
    )
