"""The systemd units: systemd understands them, and what they may do is little."""

import re
import shutil
import subprocess

import pytest
from tocsin.app.configuration.starter.begin import ON_A_SERVER

from tests.fakes.server import read_unit
from tests.house.code import ROOT

UNITS = ROOT / "systemd"
EXPOSURES = {"tocsin.service": 1.2, "tocsin-pull.service": 1.1, "tocsin-web.service": 0.9}
"""The most that `systemd-analyze security` may find, of 10."""
WHO = {
    "tocsin.service": ("tocsin", "tocsin"),
    "tocsin-pull.service": ("tocsin-pull", "tocsin"),
    "tocsin-web.service": ("tocsin-web", "tocsin-web"),
}
"""User and group of each service."""
INBOX = "/var/lib/tocsin/inbox"

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
    """P3: the daemon and everybody's commands find things by tocsin.yaml alone, which all units name alike; and each
    service is a user of its own (section 8).
    """
    service = read_unit(UNITS / unit)
    assert "TOCSIN_" not in service.get("Environment", "")
    assert service["ExecStart"].endswith(" --config /etc/tocsin")
    assert (service["User"], service["Group"], service["UMask"]) == (*WHO[unit], "0027")
    assert "DynamicUser" not in service, "its state folder lies below one that only root may enter"


def test_each_service_writes_its_own_place() -> None:
    """B1, B4: the state folder is the daemon's, the clone the pull's; the web side has none, and writes the inbox. Nobody
    executes what can be written.
    """
    daemon, pull, web = (read_unit(UNITS / unit) for unit in WHO)
    assert (daemon["StateDirectory"], daemon["StateDirectoryMode"]) == ("tocsin", "0750")
    assert (pull["StateDirectory"], pull["StateDirectoryMode"]) == ("tocsin-pull", "2750")
    assert "StateDirectory" not in web
    assert [service.get("ReadWritePaths") for service in (daemon, pull, web)] == [None, None, f"-{INBOX}"]
    assert (pull["TemporaryFileSystem"], pull["BindPaths"]) == ("/var/lib/tocsin:ro", f"-{INBOX}")
    for service, writable in (
        (daemon, ["/var/lib/tocsin"]),
        (pull, ["/var/lib/tocsin-pull", f"-{INBOX}"]),
        (web, [f"-{INBOX}"]),
    ):
        assert service["ProtectSystem"] == "strict"
        assert service["NoExecPaths"].split() == ["/", "/tmp", "/var/tmp", "/dev/shm", *writable]
        assert service["ExecPaths"].split() == ["/usr", "/opt/tocsin", "-/bin", "-/lib", "-/lib64"]
    for path in ("/etc/credstore", "/var/lib/tocsin/incidents", "/var/lib/tocsin/reviews"):
        assert f"-{path}" in web["InaccessiblePaths"].split()


def test_the_daemon_tells_users_apart() -> None:
    """It judges what is in the inbox by who left it: with PrivateUsers= all others would be one user to it."""
    assert "PrivateUsers" not in read_unit(UNITS / "tocsin.service")
    assert read_unit(UNITS / "tocsin.service")["OOMPolicy"] == "continue"


def test_no_secret_of_a_provider_is_meant_for_the_web_side() -> None:
    """Section 8: what the units offer to uncomment: the web side's are its key, its token and the
    address of a shared ledger for its own role, the daemon's the rest.
    """
    offered = {
        unit: set(re.findall(r"^#LoadCredential=(\w+)", (UNITS / unit).read_text(), re.MULTILINE)) for unit in WHO
    }
    assert offered["tocsin-web.service"] == {"tocsin_web__signing_key", "tocsin_web__token", "tocsin_ledger"}
    assert "tocsin_sms__auth_token" in offered["tocsin.service"]


def test_the_folders_are_those_of_a_server() -> None:
    """What tmpfiles.d makes is what `tocsin init --server` names and the units let the daemon write."""
    lines = _lines("tmpfiles.d")
    made = {line.split()[1]: tuple(line.split()[2:]) for line in lines if line.startswith("d ")}
    assert made == {
        "/etc/tocsin": ("0750", "root", "tocsin"),
        "/var/lib/tocsin": ("0750", "tocsin", "tocsin"),
        "/var/lib/tocsin/outbox": ("0750", "tocsin", "tocsin"),
        ON_A_SERVER["incidents"]: ("2770", "tocsin", "tocsin-responders"),
        ON_A_SERVER["reviews"]: ("2770", "tocsin", "tocsin-responders"),
        INBOX: ("2770", "tocsin-web", "tocsin"),
        "/var/lib/tocsin-pull": ("2750", "tocsin-pull", "tocsin"),
    }
    assert ON_A_SERVER["state"] == "/var/lib/tocsin"
    given = [line.split() for line in lines if line.startswith("Z ")]
    assert given == [["Z", ON_A_SERVER[name], "-", "-", "tocsin-responders"] for name in ("incidents", "reviews")]


def test_the_users_are_in_their_groups() -> None:
    """The group `tocsin` reads, `tocsin-responders` writes incidents: neither the web side nor the pull is in that."""
    lines = _lines("sysusers.d")
    users = {line.split()[1] for line in lines if line.startswith("u ")}
    assert users == {user for user, _ in WHO.values()}
    members = {tuple(line.split()[1:]) for line in lines if line.startswith("m ")}
    assert members == {("tocsin-web", "tocsin"), ("tocsin-pull", "tocsin"), ("tocsin", "tocsin-responders")}


def _lines(kind: str) -> list[str]:
    lines = (ROOT / "packaging" / kind / "tocsin.conf").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]
