"""A fence that gives way when a test wants it."""


class FakeFence:
    """Holds for so many looks, then no more. `looks` is how often it was asked."""

    def __init__(self, holds_for: int) -> None:
        self.holds_for = holds_for
        self.looks = 0

    def holds(self) -> bool:
        """Asked once more."""
        return self._look()

    def lets_from_memory(self, *, step: bool = False) -> bool:
        """The same of what the ledger does not know of."""
        return self._look()

    def _look(self) -> bool:
        self.looks += 1
        return self.looks <= self.holds_for


class AwayFence:
    """The fence of a machine whose ledger is away: nothing recorded may leave, and from memory what it `lets`; later
    steps only if it also lets `steps`.
    """

    def __init__(self) -> None:
        self.lets, self.steps, self.away = True, False, True

    def holds(self) -> bool:
        """There is no lease, unless the ledger is not `away` any more."""
        return not self.away

    def lets_from_memory(self, *, step: bool = False) -> bool:
        """As it is told."""
        return self.lets and (self.steps or not step)
