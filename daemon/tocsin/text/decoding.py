"""The text of a file: bytes in, text that the YAML reader can be trusted with out.

Decides what becomes of bytes that no YAML file should hold: each is a problem with its place, and the rest of the
text is kept. Must not know YAML, config or incidents.
"""

import re

from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.text.cleaning import clean, cut, one_line

FILE_LIMIT = 256 * 1024
"""The most bytes of a file that are read."""
CALENDAR_LIMIT = 4 * 1024 * 1024
"""The most bytes of a calendar that are read."""
MESSAGE_LIMIT = 400
"""The longest message of a problem, in characters."""
TOP = (1, 1)
"""The place of what concerns a whole file."""

Place = tuple[int, int]
"""Line and column, from 1."""

UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_PLAIN = bytes(range(0x20, 0x7F)) + b"\t\n\r"
"""The bytes of which most files are made: where there is no other, nothing is wrong with any."""
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_SURROGATES = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def problem(file: str, place: Place, code: str, message: str, level: ProblemLevel = ProblemLevel.ERROR) -> Problem:
    """A problem on one clean line, whatever the file's texts that it quotes hold."""
    return Problem(file, *place, level, code, cut(one_line(clean(message)), MESSAGE_LIMIT))


def displayed_path(label: str, path: str) -> str:
    """A file as users call it: its path inside a folder that they call `label`."""
    return path if label == "." else f"{label}/{path}"


def decode(data: bytes, file: str, limit: int = FILE_LIMIT) -> tuple[str, list[Problem]]:
    """The text of a file, and what was wrong with its bytes.

    Over `limit` bytes it ends at the last whole line before; wrong bytes become U+FFFD, control characters go.
    A byte order mark and CRLF are fine.
    """
    problems: list[Problem] = []
    if len(data) > limit:
        problems.append(
            problem(file, TOP, "file-too-large", f"the file is over {limit // 1024} KiB; split or shorten it")
        )
        data = data[: data.rfind(b"\n", 0, limit) + 1 or limit]
    if not data.translate(None, _PLAIN):
        return data.decode(), problems
    encoding = _UTF16.get(data[:2])
    if encoding:
        problems.append(problem(file, TOP, "not-utf8", "the file is UTF-16; save it as UTF-8"))
        text = data[2:].decode(encoding, "replace")
    else:
        try:
            text = data.decode()
        except UnicodeDecodeError as fault:
            place = _place(data[: fault.start].decode())
            message = f"the byte 0x{data[fault.start]:02x} is not UTF-8; save the file as UTF-8"
            problems.append(problem(file, place, "not-utf8", message))
            text = data.decode(errors="replace")
        text = text.removeprefix("\ufeff")
    bad = UNPRINTABLE.search(text)
    if bad:
        place = _place(text[: bad.start()])
        message = f"the character U+{ord(bad[0]):04X} cannot stand in this file; remove it"
        problems.append(problem(file, place, "control-character", message))
        text = UNPRINTABLE.sub("", text)
    return text, problems


def join_surrogates(text: str) -> str:
    """The same with each escaped pair of surrogates as one escape. JSON writes what lies beyond U+FFFF so, and YAML,
    which says that it reads JSON, does not.
    """
    return _SURROGATES.sub(_joined, text)


def _joined(pair: re.Match[str]) -> str:
    high, low = int(pair[2], 16), int(pair[3], 16)
    return f"{pair[1]}\\U{0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF):08x}"


def _place(before: str) -> Place:
    """Line and column, from 1, of what comes after this text."""
    lines = before.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1
