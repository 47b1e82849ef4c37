"""The fence before the first byte (rule 53)."""

from typing import Protocol


class Fence(Protocol):
    """Whether this process still leads, by its own clock alone. It asks nobody, so it costs nothing and never waits. It
    may be asked from any thread.
    """

    def holds(self) -> bool:
        """Whether a first byte, or the final dot of a mail, may leave now."""
        ...


class NoFence:
    """The fence where nobody else could lead, or where a person at a terminal sends."""

    def holds(self) -> bool:
        """It always does."""
        return True


NO_FENCE = NoFence()
