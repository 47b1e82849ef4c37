"""The lines of an iCalendar file that say when somebody is on call: the rest is left out before anything is parsed.

Descriptions, attachments, alarms and to-dos are most of a real calendar, and reading them costs the most. Decides what
is never looked at and how large what is looked at may be. Must not know what the lines mean.
"""

import re
from collections.abc import Iterator

LINE_MAX = 64 * 1024
"""The most characters of one property, folded lines together."""
ATTENDEES_MAX = 100
"""The most attendees of an event that are looked at."""
DEPTH_MAX = 4
ZONE_MOST = 100
"""The most letters of a zone's name that are looked at."""

_ZONE = re.compile(r'(;TZID=)("[^"]*"|[^;:"]*)', re.IGNORECASE)
_BARE = re.compile(r"[A-Za-z0-9_+\-/ .]+", re.ASCII)

_COMPONENTS = {"VCALENDAR", "VEVENT", "VTIMEZONE", "STANDARD", "DAYLIGHT"}
_PROPERTIES = {
    *("BEGIN", "END", "VERSION", "PRODID", "X-WR-TIMEZONE", "UID", "SEQUENCE", "STATUS", "SUMMARY", "ATTENDEE"),
    *("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"),
    *("TZID", "TZNAME", "TZOFFSETFROM", "TZOFFSETTO"),
}


def wanted(text: str) -> list[str]:
    """The lines of a file, folded ones together, without what nobody needs to know. Raises ValueError when what is
    needed is too large.
    """
    return [_plain_zone(line) for line in _wanted(text)]


def _wanted(text: str) -> Iterator[str]:
    left_out, depth, attendees, part, size = "", 0, 0, list[str](), 0
    for ended in text.split("\n" if "\n" in text else "\r"):
        line = ended.rstrip("\r")
        if line[:1] in (" ", "\t"):
            if part:
                size += len(line)
                part.append(line[1:])
                _refuse_long(part, size)
            continue
        if part:
            yield "".join(part)
        part = []
        name, _, rest = line.partition(":")
        name, value = name.partition(";")[0].strip().upper(), rest.strip().upper()
        if left_out:
            left_out = "" if (name, value) == ("END", left_out) else left_out
            continue
        if name == "BEGIN" and value not in _COMPONENTS:
            left_out = value
            continue
        depth += {"BEGIN": 1, "END": -1}.get(name, 0)
        if depth > DEPTH_MAX:
            raise ValueError("its components are nested too deep")
        attendees = attendees + 1 if name == "ATTENDEE" else 0 if name == "BEGIN" else attendees
        if name in _PROPERTIES and (name != "ATTENDEE" or attendees <= ATTENDEES_MAX):
            part, size = [line], len(line)
            _refuse_long(part, size)
    if part:
        yield "".join(part)


def _refuse_long(part: list[str], size: int) -> None:
    if size > LINE_MAX:
        raise ValueError(f"{part[0][:20]}... goes on for over {LINE_MAX // 1024} KiB")


def _plain_zone(line: str) -> str:
    """A line whose zone has a name that can be looked for: one name, not too long, without what cannot be printed."""
    if "TZID" not in line.upper():
        return line
    if line.upper().startswith("TZID:"):
        return line[:5] + _name(line[5:])
    return _ZONE.sub(lambda zone: zone[1] + _quoted(_name(zone[2].strip('"'))), line)


def _name(zone: str) -> str:
    return "".join(letter for letter in zone if letter.isprintable())[:ZONE_MOST]


def _quoted(zone: str) -> str:
    return zone if _BARE.fullmatch(zone) else f'"{zone}"'
