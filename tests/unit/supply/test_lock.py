"""The locks, read."""

from pathlib import Path

import pytest

from supply import lock

TWO = f"""\
one==1.0 \\
    --hash=sha256:{"a" * 64} \\
    --hash=sha256:{"b" * 64}
    # via
    #   -c requirements.lock
    #   tocsin (pyproject.toml)
    #   two
two==2.0.post1 ; sys_platform == 'win32' \\
    --hash=sha256:{"c" * 64}
    # via one
"""


def test_a_lock_is_read(tmp_path: Path) -> None:
    """Name, version, hashes and who needs it, with a marker or without."""
    path = tmp_path / "a.lock"
    path.write_text(TWO)
    one, two = lock.read(path)
    assert one == lock.Pin("one", "1.0", ("a" * 64, "b" * 64), ("tocsin", "two"))
    assert one.direct
    assert two == lock.Pin("two", "2.0.post1", ("c" * 64,), ("one",))
    assert not two.direct


@pytest.mark.parametrize(
    "line", ["one>=1.0 \\", "--extra-index-url somewhere", "one @ file:///one.whl", "    --hash=md5:0", "-e ."]
)
def test_what_make_lock_does_not_write_is_refused(tmp_path: Path, line: str) -> None:
    """A line that is not understood is not passed over."""
    path = tmp_path / "a.lock"
    path.write_text(f"{TWO}{line}\n")
    with pytest.raises(lock.LockError, match=r"^a\.lock:11: "):
        lock.read(path)
