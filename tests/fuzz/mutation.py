"""Cases made of a corpus: tokens, lines and bytes changed, taken out, repeated, moved, or taken from elsewhere."""

import re
from collections.abc import Callable, Sequence
from random import Random

CASE_MOST = 64 * 1024
"""Octets of a case."""
REPEATED_MOST = 40
"""How often a part is repeated."""

HOSTILE = (
    *(b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\x1b[2J"),
    *(token.encode("utf-8", "surrogatepass") for token in (
        "\0", "\r", "\r\n", "\n", "\t", " ", "\u00a0", "\u2028", "\u202e", "\ufeff", "\ud800", "é", "ﷺ", "１", "👩‍👩‍👧", "ß",
        "-1", "0", "1e400", ".inf", ".nan", "9" * 30, "0x10", "0o17", "1_000", "1:30:00", "null", "~", "true", "no",
        "'", '"', "`", "\\", "%", "&", "*", "!", "?", "|", ">", "<", "@", "#", ",", ";", "=", ":", ": ", "- ", "[", "]",
        "{", "}", "[[[[[[[[[[[[", "{{", "}}", "{% for x in y %}", "{% endfor %}", "&a ", "*a", "<<: ", "---\n", "...\n",
        "!!python/object:os.system", "!!binary ", "=?utf-8?q?=0A?=", "Bcc: x@example.org\r\n", "<script>", "../", "//",
        "2026-11-23", "2026-11-23T10:00:00Z", "0001-01-01", "9999-12-31T23:59:59+14:00", "24:00", "Europe/Berlin",
    )),
)  # fmt: skip
"""What breaks readers anywhere."""

_TOKENS = re.compile(rb"[A-Za-z0-9_]+|\s+|[^A-Za-z0-9_\s]")
_Change = Callable[[Random, list[bytes]], None]


class Mutator:
    """Makes cases of a corpus. `tokens` are words of the format, put in beside what is hostile to every format."""

    def __init__(self, corpus: Sequence[bytes], tokens: Sequence[bytes] = ()) -> None:
        self._corpus = tuple(corpus)
        self._tokens = HOSTILE + tuple(tokens) * (1 + len(HOSTILE) // max(1, len(tokens)))

    def case(self, random: Random) -> bytes:
        """The case that these dice make: an entry of the corpus after one change, or some."""
        data = random.choice(self._corpus)
        for _ in range(1 + min(8, int(random.expovariate(0.6)))):
            kind = random.randrange(8)
            if kind == 0:
                data = self._changed_octets(random, data)
            elif kind == 1:
                data = self._spliced(random, data)
            else:
                parts = data.splitlines(keepends=True) if kind in {2, 3} else _TOKENS.findall(data)
                self._change(random, parts)
                data = b"".join(parts)
        return data[:CASE_MOST]

    def _change(self, random: Random, parts: list[bytes]) -> None:
        """Change a list of tokens or lines at one place."""
        at = random.randrange(len(parts) + 1)
        end = min(len(parts), at + 1 + int(random.expovariate(0.7)))
        change = random.randrange(7)
        numbers = [place for place, part in enumerate(parts) if part.isdigit()] if change == 6 else []
        if numbers:
            place = random.choice(numbers)
            value = int(parts[place][:18])
            parts[place] = b"%d" % random.choice((0, 1, -1, value + 1, value - 1, value * 10, value * 1000, 2**63))
        elif change == 0:
            del parts[at:end]
        elif change == 1:
            parts[at:at] = parts[at:end] * random.randint(1, REPEATED_MOST if random.random() < 0.2 else 1)
        elif change == 2:
            parts[at:at] = [random.choice(self._tokens)]
        elif change == 3:
            parts[at:end] = [random.choice(self._tokens)]
        elif parts and change == 4:
            parts[at:end] = [random.choice(parts)]
        elif parts:
            to = random.randrange(len(parts))
            moved = parts[at:end]
            del parts[at:end]
            parts[to:to] = moved

    def _changed_octets(self, random: Random, data: bytes) -> bytes:
        octets = bytearray(data)
        for _ in range(1 + int(random.expovariate(0.5))):
            at = random.randrange(len(octets) + 1)
            change = random.randrange(4)
            if change == 0:
                octets[at:at] = bytes([random.randrange(256)])
            elif change == 1:
                del octets[at : at + 1]
            elif change == 2 and at < len(octets):
                octets[at] ^= 1 << random.randrange(8)
            elif random.random() < 0.1:
                del octets[at:]
        return bytes(octets)

    def _spliced(self, random: Random, data: bytes) -> bytes:
        """The head of one and the tail of another."""
        other = random.choice(self._corpus)
        return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]
