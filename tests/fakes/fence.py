"""A fence that gives way when a test wants it."""


class FakeFence:
    """Holds for so many looks, then no more. `looks` is how often it was asked."""

    def __init__(self, holds_for: int) -> None:
        self.holds_for = holds_for
        self.looks = 0

    def holds(self) -> bool:
        """Asked once more."""
        return self._look()

    def lets_from_memory(self) -> bool:
        """The same of what the ledger does not know of."""
        return self._look()

    def _look(self) -> bool:
        self.looks += 1
        return self.looks <= self.holds_for
