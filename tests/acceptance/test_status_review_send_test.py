"""`status`, `review` and `send-test` as people type them: the installed command beside a real daemon and without it."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.pager import TOCSIN, Pager

FILE = "title: Card payments fail\nseverity: sev1\n"
NO_DAEMON = "no daemon seems to run: nobody is paged until tocsin run is started"


@pytest.fixture
def pager(tmp_path: Path) -> Iterator[Pager]:
    pager = Pager(tmp_path)
    yield pager
    if pager.process is not None:
        pager.stop(signal.SIGKILL)


def status(pager: Pager) -> list[dict[str, Any]]:
    done = pager.run("status", "--format", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert list(document) == ["incidents"]
    found: list[dict[str, Any]] = document["incidents"]
    return found


def test_status_of_a_file_alone(pager: Pager) -> None:
    """Before any daemon: what the file says, roles unaccepted; text says what is missing, and so it does on stderr."""
    pager.write("pay.yaml", FILE + "bogus: 1\nroles: {technical_lead: bo}\n")
    checked = json.loads(pager.run("check", "incidents", "--format", "json").stdout)
    assert status(pager) == [
        {
            "id": "pay",
            "title": "Card payments fail",
            "severity": "sev1",
            "status": "investigating",
            "roles": {"technical_lead": {"person": "bo", "accepted": None}},
            "next_update": None,
            "problems": [each for each in checked["problems"] if each["file"] == "incidents/pay.yaml"],
        }
    ]
    assert pager.run("status", "--format", "json").stderr == f"{NO_DAEMON}\n"
    text = pager.run("status").stdout
    assert text.startswith(
        f"! {NO_DAEMON}\n\nSEV1 Card payments fail\n  pay, investigating, not seen by the daemon yet\n"
    )
    assert "  Technical Lead       Bo Berg, not accepted\n" in text
    assert "  ! incidents/pay.yaml:3:1: " in text
    assert not (pager.folder / "var").exists()


def test_status_beside_the_daemon(pager: Pager) -> None:
    """The holder, the acceptance and the next promised update, while the daemon runs, after it, and with a config that
    is refused since.
    """
    pager.start()
    pager.write("pay.yaml", FILE)
    pager.until(lambda: pager.mails("page"))
    (waiting,) = status(pager)
    assert waiting["roles"] == {"technical_lead": {"person": "ana", "accepted": None}}
    assert pager.run("ack", "pay", "--as", "ana").returncode == 0
    accepted = pager.until(lambda: status(pager)[0]["roles"]["technical_lead"]["accepted"])
    assert accepted.endswith("Z")
    done = pager.run("status")
    assert done.stderr == ""
    assert "Ana Souza, accepted " in done.stdout
    assert "no daemon" not in done.stdout
    assert pager.stop() == 0
    broken = pager.folder / "config" / "all.yaml"
    broken.write_text("roles: [\n")
    (after,) = status(pager)
    assert (after["roles"]["technical_lead"]["accepted"], after["problems"]) == (accepted, [])
    update = pager.mails("update")[0]
    assert time.strptime(after["next_update"], "%Y-%m-%dT%H:%M:%SZ") > time.strptime(accepted, "%Y-%m-%dT%H:%M:%SZ")
    assert after["next_update"][11:16] in update.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "! the config is refused (config/all.yaml:" in pager.run("status").stdout


def test_status_watch(pager: Pager) -> None:
    """It is drawn again and again, and Ctrl-C ends it well."""
    pager.write("pay.yaml", FILE)
    with subprocess.Popen(
        [TOCSIN, "status", "--watch"], cwd=pager.folder, env=pager.environ, stdout=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout is not None
        seen = 0
        for line in watching.stdout:
            seen += line == "SEV1 Card payments fail\n"
            if seen == 2:
                break
        watching.send_signal(signal.SIGINT)
        assert watching.wait(10) == 0
    assert pager.run("status", "--watch", "--format", "json").returncode == 2


def test_a_first_config_that_is_refused(pager: Pager) -> None:
    """Without a last good one its problems are all there is to say."""
    (pager.folder / "config" / "all.yaml").write_text("roles: [\n")
    for arguments in (("status",), ("review", "pay"), ("send-test", "ana")):
        done = pager.run(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert "config/all.yaml:" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_review_is_drafted_at_resolution(pager: Pager) -> None:
    """The daemon writes it; the command writes it anew and prints its path; an edited one is left alone."""
    pager.start()
    pager.write("pay.yaml", FILE + 'timeline: [{by: eli, text: "Looked <here>"}]\n')
    pager.until(lambda: pager.mails("page"))
    assert pager.run("review", "incidents/pay.yaml").stdout == "reviews/pay.md\n"
    draft = pager.folder / "reviews" / "pay.md"
    assert "still open" in draft.read_text()
    pager.run("resolve", "pay", "Failed over")
    pager.until(lambda: "Closing message: " in draft.read_text())
    text = pager.until(lambda: "waiting" not in draft.read_text() and draft.read_text())
    for said in ("# Card payments fail\n", "**Note** by eli: Looked \\<here\\>", "## Resolution\n\nFailed over\n"):
        assert said in text
    draft.write_text(text + "We learned.\n")
    assert pager.run("review", "pay").stdout == "reviews/pay-2.md\n"
    assert draft.read_text() == text + "We learned.\n"
    assert status(pager) == []
    assert pager.stop() == 0
    done = pager.run("review", "pya")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == 'the ledger knows no incident "pya"; did you mean "pay"?\n'


def test_a_review_without_a_ledger(pager: Pager) -> None:
    """There is nothing to draft it from: exit 1 and one line."""
    pager.write("pay.yaml", FILE)
    done = pager.run("review", "pay")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    (pager.folder / "var").mkdir(exist_ok=True)
    (pager.folder / "var" / "tocsin.db").write_bytes(b"no database" * 1000)
    garbage = pager.run("review", "pay")
    assert garbage.returncode == 1
    assert "file is not a database" in garbage.stderr
    assert "there is no ledger" not in garbage.stderr


def test_send_test(pager: Pager) -> None:
    """A real message over each channel, of no incident, and what became of it."""
    done = pager.run("send-test", "Ana Souza")
    assert done.returncode == 0, done.stderr
    sms, email = done.stdout.splitlines()
    assert sms.startswith("sms   +14155550101  accepted (")
    assert email.startswith("email ana@example.com  accepted (")
    (mail,) = pager.mails("operator", "ana@example.com")
    assert mail["X-Tocsin-Incident"] == "-"
    (name,) = pager.texts()
    text = json.loads((pager.folder / "var" / "outbox" / name).read_text())
    assert (text["incident"], text["kind"], text["segments"]) == ("-", "operator", 1)
    assert pager.run("send-test", "bo", "--via", "email").stdout.count("\n") == 1
    assert len(pager.texts()) == 1


def test_send_test_that_fails(pager: Pager) -> None:
    """A provider that cannot be had, an address that is not there, a name that is nobody's: exit 1, and why."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        settings = pager.folder / "config" / "tocsin.yaml"
        smtp = f"{{transport: smtp, host: 127.0.0.1, port: {port}, security: none, sender: incidents@example.com, username: x}}"
        settings.write_text(settings.read_text().replace('{sender: "Incidents <incidents@example.com>"}', smtp))
        done = pager.run("send-test", "ana")
    assert done.returncode == 1
    sms, email = done.stdout.splitlines()
    assert "email.password is missing; set TOCSIN_EMAIL__PASSWORD" in done.stderr
    assert "accepted" in sms
    assert email.startswith("email ana@example.com  deferred: ")
    unknown = pager.run("send-test", "anna")
    assert (unknown.returncode, unknown.stdout, unknown.stderr) == (
        1,
        "",
        'unknown person "anna"; did you mean "ana"?\n',
    )
    config = pager.folder / "config" / "all.yaml"
    config.write_text(
        config.read_text().replace('email: bo@example.com, phone: "+14155550102"', "email: bo@example.com")
    )
    missing = pager.run("send-test", "bo", "--via", "sms")
    assert (missing.returncode, missing.stderr) == (1, "bo has no phone in the config\n")


@pytest.mark.parametrize("command", ["status", "review", "send-test"])
def test_help_has_examples(pager: Pager, command: str) -> None:
    """Whoever asks sees how it is typed."""
    done = pager.run(command, "--help")
    assert done.returncode == 0
    assert "Examples:\n    tocsin " in done.stdout
