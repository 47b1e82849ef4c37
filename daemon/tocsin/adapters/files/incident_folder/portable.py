"""The same as the kernel's word where it speaks otherwise than on Linux: watchfiles looks twenty times a second."""

from collections.abc import Generator
from pathlib import Path

from watchfiles import watch

STEP_MS = 50
"""How long watchfiles sleeps between looks. It pokes after about 1.5 steps; shorter ones cost more CPU when idle."""
DEBOUNCE_MS = 100
"""How long it gathers a stream of changes into one poke."""


def portable_changes(folder: Path, seconds: float) -> Generator[frozenset[str] | None]:
    """As `kernel_changes`, but that the watch only begins after the first word. Raises OSError or RuntimeError."""
    yield frozenset()
    changes = watch(
        folder,
        watch_filter=None,
        debounce=DEBOUNCE_MS,
        step=STEP_MS,
        rust_timeout=int(seconds * 1000),
        yield_on_timeout=True,
        recursive=False,
        ignore_permission_denied=True,
    )
    for change in changes:
        names = frozenset(Path(path).name for _, path in change if Path(path).parent == folder)
        yield names if names or not change else None
