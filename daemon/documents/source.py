"""The text of a file: bytes in, text that the YAML reader can be trusted with out.

Decides what becomes of bytes that no YAML file should hold: each is a problem with its place, and the rest of the
text is kept. Must not know YAML, config or incidents.
"""

import re

from daemon.domain.problem import Problem, ProblemLevel

FILE_LIMIT = 256 * 1024
"""The most bytes of a file that are read (product.md sections 3 and 4)."""

UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def error(file: str, line: int, column: int, code: str, message: str) -> Problem:
    """A problem that refuses a config."""
    return Problem(file, line, column, ProblemLevel.ERROR, code, message)


def decode(data: bytes, file: str, limit: int = FILE_LIMIT) -> tuple[str, list[Problem]]:
    """The text of a file, and what was wrong with its bytes.

    Over `limit` bytes it ends at the last whole line before; wrong bytes become U+FFFD, control characters go.
    A byte order mark and CRLF are fine.
    """
    problems: list[Problem] = []
    if len(data) > limit:
        problems.append(
            error(file, 1, 1, "file-too-large", f"the file is over {limit // 1024} KiB; split or shorten it")
        )
        data = data[: data.rfind(b"\n", 0, limit) + 1 or limit]
    encoding = _UTF16.get(data[:2])
    if encoding:
        problems.append(error(file, 1, 1, "not-utf8", "the file is UTF-16; save it as UTF-8"))
        text = data[2:].decode(encoding, "replace")
    else:
        try:
            text = data.decode()
        except UnicodeDecodeError as fault:
            line, column = _place(data[: fault.start].decode())
            found = f"the byte 0x{data[fault.start]:02x} is not UTF-8; save the file as UTF-8"
            problems.append(error(file, line, column, "not-utf8", found))
            text = data.decode(errors="replace")
        text = text.removeprefix("\ufeff")
    bad = UNPRINTABLE.search(text)
    if bad:
        line, column = _place(text[: bad.start()])
        found = f"the character U+{ord(bad[0]):04X} cannot stand in this file; remove it"
        problems.append(error(file, line, column, "control-character", found))
        text = UNPRINTABLE.sub("", text)
    return text, problems


def _place(before: str) -> tuple[int, int]:
    """Line and column, from 1, of what comes after this text."""
    lines = before.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    return len(lines), len(lines[-1]) + 1
