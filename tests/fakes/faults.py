"""What a stand-in for a provider is told to do wrong, and how much it takes a second."""

import asyncio
import json
import time
from collections import defaultdict, deque
from pathlib import Path


class Faults:
    """Faults by phase, for everybody or for one address; what was told of the address comes first."""

    def __init__(self, phases: tuple[str, ...]) -> None:
        self._phases = phases
        self._once: dict[tuple[str, str], deque[str]] = defaultdict(deque)
        self._ever: dict[tuple[str, str], str] = {}

    def next(self, phase: str, fault: str, times: int = 1, to: str = "") -> None:
        """So many times, one after the other, this phase goes wrong so; an empty fault is a time that goes well."""
        assert phase in self._phases, phase
        self._once[phase, to].extend([fault] * times)

    def always(self, phase: str, fault: str, to: str = "") -> None:
        """From now on this phase goes wrong so; an empty fault ends that."""
        assert phase in self._phases, phase
        self._ever[phase, to] = fault

    def order(self, order: dict[str, object]) -> None:
        """The same, as a line of JSON: {"phase", "fault", "times", "to"}; times null: for ever."""
        phase, fault, to = str(order["phase"]), str(order["fault"]), str(order.get("to", ""))
        times = order.get("times", 1)
        if times is None:
            self.always(phase, fault, to)
        else:
            assert isinstance(times, int)
            self.next(phase, fault, times, to)

    def take(self, phase: str, to: str = "") -> str:
        """What goes wrong this time."""
        places = [(phase, to), (phase, "")] if to else [(phase, "")]
        for place in places:
            if self._once[place]:
                return self._once[place].popleft()
        return next((fault for place in places if (fault := self._ever.get(place, ""))), "")


class Rate:
    """So many a second (0: no limit), and as many of them at once after a rest."""

    def __init__(self, each_second: float = 0.0) -> None:
        self.each_second = each_second
        self._free = 0.0

    def wait(self) -> float:
        """Take the next place, and give the seconds until it comes."""
        if not self.each_second:
            return 0.0
        now = time.monotonic()
        self._free = max(self._free, now - 1) + 1 / self.each_second
        return max(0.0, self._free - now)

    def over(self) -> bool:
        """Whether there is no place now; else one is taken."""
        if self.each_second and max(self._free, time.monotonic() - 1) + 1 / self.each_second > time.monotonic():
            return True
        self.wait()
        return False


class Holds:
    """Dialogues that wait at a point until they are told to go on. What was told, and who waits, are lines of a file."""

    def __init__(self, points: Path | None = None) -> None:
        self._points = points
        self._waiting: list[asyncio.Event] = []

    def note(self, **line: object) -> None:
        """One more line, with its instant."""
        if self._points is not None:
            with self._points.open("a") as file:
                file.write(json.dumps({"at": time.time(), **line}) + "\n")

    async def wait(self, phase: str, **line: object) -> None:
        """Wait here, until `go`."""
        self._waiting.append(turn := asyncio.Event())
        self.note(held=phase, **line)
        await turn.wait()

    def go(self) -> None:
        """All who wait go on."""
        for turn in self._waiting:
            turn.set()
        self._waiting.clear()
