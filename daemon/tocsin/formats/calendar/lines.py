"""The lines of an iCalendar file that say when somebody is on call: the rest is left out before anything is parsed.

Descriptions, attachments, alarms and to-dos are most of a real calendar, and reading them costs the most. Decides what
is never looked at and how large what is looked at may be. Must not know what the lines mean.
"""

from collections.abc import Iterator

LINE_MAX = 64 * 1024
"""The most characters of one property, folded lines together."""
ATTENDEES_MAX = 100
"""The most attendees of an event that are looked at."""
DEPTH_MAX = 4

_COMPONENTS = {"VCALENDAR", "VEVENT", "VTIMEZONE", "STANDARD", "DAYLIGHT"}
_PROPERTIES = {
    *("BEGIN", "END", "VERSION", "PRODID", "X-WR-TIMEZONE", "UID", "SEQUENCE", "STATUS", "SUMMARY", "ATTENDEE"),
    *("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID"),
    *("TZID", "TZNAME", "TZOFFSETFROM", "TZOFFSETTO"),
}


def wanted(text: str) -> str:
    """The file without what nobody needs to know. Raises ValueError when what is needed is too large."""
    return "\r\n".join(_wanted(text)) + "\r\n"


def _wanted(text: str) -> Iterator[str]:
    left_out, depth, attendees, size = "", 0, 0, 0
    for ended in text.split("\n" if "\n" in text else "\r"):
        line = ended.rstrip("\r")
        if line[:1] in (" ", "\t"):
            if size:
                size += len(line)
                yield _bounded(line, size)
            continue
        size = 0
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
            size = len(line)
            yield _bounded(line, size)


def _bounded(line: str, size: int) -> str:
    if size > LINE_MAX:
        raise ValueError(f"{line[:20]}... goes on for over {LINE_MAX // 1024} KiB")
    return line
