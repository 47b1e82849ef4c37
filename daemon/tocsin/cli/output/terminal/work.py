"""Something that may take long, of which nothing is shown: so it is wherever stderr is no terminal."""

from collections.abc import Iterator
from contextlib import contextmanager


class Work:
    """How far it is; who shows it does so by overriding these."""

    def tell(self, done: int) -> None:
        """How many are done."""

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Not to be shown meanwhile: something else is printed."""
        yield
