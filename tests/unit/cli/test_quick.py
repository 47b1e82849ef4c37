"""What people type at three in the morning waits for no library that it does not need."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.pager import CONFIG, SETTINGS

DEAR = {"rich", "jinja2", "sqlalchemy", "aiohttp", "twilio", "aiosmtplib"}
"""Together they cost as much as all the rest. `sqlalchemy` is for a ledger, and there is none here."""
RUN = """
import sys
from tocsin.cli import main
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules})
"""


@pytest.mark.parametrize(
    "arguments",
    [["ack", "pay", "--as", "ana"], ["note", "pay", "x"], ["severity", "pay", "sev1"], ["update", "pay", "x"]],
)
def test_what_is_typed_in_the_night_imports_little(tmp_path: Path, arguments: list[str]) -> None:
    """No output library, no template engine, no ledger, no client of a provider."""
    for name in ("config", "incidents"):
        (tmp_path / name).mkdir()
    (tmp_path / "config" / "all.yaml").write_text(CONFIG)
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS)
    (tmp_path / "incidents" / "pay.yaml").write_text("title: Payments fail\nseverity: sev1\n")
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments, "--anyway"],
        cwd=tmp_path,
        env={"PATH": str(Path(shutil.which("env") or "/usr/bin/env").parent)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "click" in done.stdout.split()
    assert not DEAR & set(done.stdout.split())
