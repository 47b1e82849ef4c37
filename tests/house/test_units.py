"""The systemd units: systemd understands them, and what they may do is little."""

import shutil
import subprocess

import pytest
from tocsin.app.configuration.starter import ON_A_SERVER

from tests.fakes.server import read_unit
from tests.house.code import ROOT

UNITS = ROOT / "systemd"
EXPOSURES = {"tocsin.service": 1.1, "tocsin-pull.service": 1.1, "tocsin-web.service": 1.0}
"""The most that `systemd-analyze security` may find, of 10."""

analyzed = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=60)


@analyzed
@pytest.mark.parametrize("unit", EXPOSURES)
def test_a_service_may_do_little(unit: str) -> None:
    """The exposure that systemd finds stays as low as it is."""
    most = round(EXPOSURES[unit] * 10)
    done = _analyze("security", "--offline=true", "--no-pager", f"--threshold={most}", str(UNITS / unit))
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


@analyzed
def test_every_line_of_a_unit_is_understood() -> None:
    """No unknown section, key or value, in any unit."""
    done = _analyze("verify", "--man=no", *map(str, sorted(UNITS.iterdir())))
    ours = [line for line in done.stderr.splitlines() if "tocsin" in line and "is not executable" not in line]
    assert not ours, ours


@analyzed
def test_the_pull_comes_every_minute() -> None:
    """The timer's calendar is one that systemd reads as once a minute."""
    lines = (UNITS / "tocsin-pull.timer").read_text().splitlines()
    calendar = next(line.removeprefix("OnCalendar=") for line in lines if line.startswith("OnCalendar="))
    done = _analyze("calendar", calendar)
    assert "Normalized form: *-*-* *:*:00" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("unit", EXPOSURES)
def test_a_unit_says_nowhere_where_things_are(unit: str) -> None:
    """P3: the daemon and everybody's commands find things by tocsin.yaml alone, which all units name alike; and who
    they are is the user whose group people join.
    """
    service = read_unit(UNITS / unit)
    assert "TOCSIN_" not in service.get("Environment", "")
    assert service["ExecStart"].endswith(" --config /etc/tocsin")
    assert (service["User"], service["Group"], service["UMask"]) == ("tocsin", "tocsin", "0027")
    assert (service["StateDirectory"], service["StateDirectoryMode"]) == ("tocsin", "0750")
    assert "DynamicUser" not in service, "its state folder lies below one that only root may enter"


def test_the_folders_are_those_of_a_server() -> None:
    """What tmpfiles.d makes is what `tocsin init --server` names and the units let the daemon write."""
    lines = (ROOT / "packaging" / "tmpfiles.d" / "tocsin.conf").read_text().splitlines()
    made = {line.split()[1]: tuple(line.split()[2:]) for line in lines if not line.startswith("#")}
    assert made == {
        "/etc/tocsin": ("0750", "root", "tocsin"),
        "/var/lib/tocsin": ("0750", "tocsin", "tocsin"),
        "/var/lib/tocsin/outbox": ("0750", "tocsin", "tocsin"),
        ON_A_SERVER["incidents"]: ("2770", "tocsin", "tocsin"),
        ON_A_SERVER["reviews"]: ("2770", "tocsin", "tocsin"),
    }
    assert ON_A_SERVER["state"] == "/var/lib/tocsin"
