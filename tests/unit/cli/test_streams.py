"""What a script may rely on: the exit status, and that stdout holds the answer and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tocsin.cli import tocsin

from tests.fakes.pager import CONFIG, SETTINGS

Run = Callable[..., Result]
UNKNOWN = {"TOCSIN_INCIDENT": "x"}
"""A variable that no setting has: a problem that stops no command beside check."""
AT = "2026-11-23T10:00:00Z"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command on a small config with one incident file."""
    for folder in ("config", "incidents"):
        (tmp_path / folder).mkdir()
    (tmp_path / "config" / "all.yaml").write_text(CONFIG)
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS)
    (tmp_path / "incidents" / "pay.yaml").write_text("title: Payments fail\nseverity: sev1\n")

    def run(*arguments: str, **environ: str) -> Result:
        here = [argument.replace("HERE", str(tmp_path)) for argument in arguments]
        return CliRunner().invoke(tocsin, [*here, "--config", str(tmp_path / "config")], env=environ)

    return run


JSON = {
    "check": (["check", "HERE/incidents/pay.yaml"], 1),
    "oncall": (["oncall", "--at", AT], 0),
    "oncall over a span": (["oncall", "--from", AT, "--to", "2026-11-24T10:00:00Z"], 0),
    "simulate": (["simulate", "HERE/incidents/pay.yaml", "--at", AT, "--for", "1h"], 0),
    "status": (["status"], 0),
}


@pytest.mark.parametrize(("arguments", "status"), JSON.values(), ids=JSON)
def test_json_is_alone_on_stdout(run: Run, arguments: list[str], status: int) -> None:
    """One document, whatever there is to warn of: that goes to stderr, or, from check, into the document."""
    done = run(*arguments, "--format", "json", **UNKNOWN)
    document = json.loads(done.stdout)
    assert isinstance(document, dict)
    assert done.exit_code == status
    assert done.stdout.endswith("}\n")
    if arguments[0] == "check":
        assert [problem["code"] for problem in document["problems"] if problem["level"] == "error"]
        assert document["ok"] is False
        assert set(document["problems"][0]) == {"file", "line", "column", "level", "code", "message"}
    else:
        assert "TOCSIN_INCIDENT" not in done.stdout
        assert "TOCSIN_INCIDENT:1:1: warning: unknown variable" in done.stderr


def test_what_the_documents_hold(run: Run) -> None:
    """The same keys as ever: status tells an incident's roles and next update, simulate each message."""
    status = json.loads(run("status", "--format", "json").stdout)
    (incident,) = status["incidents"]
    assert set(incident) == {"id", "title", "severity", "status", "roles", "next_update", "problems"}
    assert (incident["id"], incident["title"]) == ("pay", "Payments fail")
    assert set(incident["roles"]["technical_lead"]) == {"person", "accepted"}
    simulated = json.loads(run("simulate", "HERE/incidents/pay.yaml", "--at", AT, "--format", "json").stdout)
    first = next(message for message in simulated["messages"] if message["kind"] == "page")
    assert first["to"] == "ana"
    assert json.loads(run("oncall", "--at", AT, "--format", "json").stdout) == {"at": AT, "on_call": []}
    good = json.loads(run("check", "HERE/incidents/pay.yaml", "--format", "json").stdout)
    assert good["ok"] is True


@pytest.mark.parametrize(
    "arguments",
    [
        ["oncall", "--from", AT],
        ["oncall", "--at", AT, "--from", AT, "--to", "2026-11-24T10:00:00Z"],
        ["oncall", "--from", AT, "--to", AT],
        ["oncall", "--from", AT, "--to", "2046-11-24T10:00:00Z"],
        ["oncall", "--format", "ics", "--at", AT],
        ["oncall", "--timezone", "Berlin"],
        ["oncall", "--at", "yesterday"],
        ["status", "--watch", "--format", "json"],
        ["declare", "\u200b", "--severity", "sev1"],
        ["update", "pay", " "],
        ["update", "pay", "text", "--eta", "soon"],
        ["simulate", "HERE/incidents/none.yaml"],
        ["simulate", "HERE/incidents/pay.yaml", "--for", "long"],
        ["drill", "sev1", "--for", "long"],
        ["send-test"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_2(run: Run, arguments: list[str]) -> None:
    """It is told on stderr with what is wrong; nothing is done and nothing is on stdout."""
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: " in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["ack", "nothing", "--as", "ana"],
        ["ack", "pay", "--as", "nobody"],
        ["assign", "pay", "pilot", "ana"],
        ["declare", "Cards fail", "--severity", "sev9"],
        ["resolve", "nothing"],
        ["update", "pay", "text", "--status", "gone"],
        ["explain", "nothing"],
        ["oncall", "--person", "nobody"],
        ["review", "pay"],
        ["send-test", "nobody"],
        ["diff", "HEAD"],
    ],
)
def test_what_cannot_be_done_is_1(run: Run, arguments: list[str]) -> None:
    """It is told in a line on stderr; nothing is on stdout."""
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["oncall"],
        ["status"],
        ["test"],
        ["explain", "pay"],
        ["simulate", "HERE/incidents/pay.yaml"],
        ["ack", "pay", "--as", "ana"],
        ["send-test", "ana"],
    ],
)
@pytest.mark.parametrize("form", [[], ["--format", "json"]])
def test_a_refused_config_is_1(run: Run, tmp_path: Path, arguments: list[str], form: list[str]) -> None:
    """Without a last good one its problems are told on stderr, with file and line, and stdout stays empty."""
    if form and arguments[0] not in ("oncall", "status", "simulate"):
        return
    (tmp_path / "config" / "all.yaml").write_text("people: {ana: {email: x}}\n")
    done = run(*arguments, *form)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "all.yaml:1:" in done.stderr


def test_the_answer_goes_to_stdout_what_people_should_know_besides_to_stderr(run: Run) -> None:
    """`tocsin declare` prints the id for a script to take; what an edit has to say is told on stderr."""
    done = run("declare", "Cards fail", "--severity", "sev1", "--anyway", **UNKNOWN)
    assert done.exit_code == 0
    assert done.stdout.endswith("-cards-fail\n")
    assert done.stdout.count("\n") == 1
    done = run("resolve", "pay", "--anyway")
    assert (done.exit_code, done.stdout) == (0, "")
    good = run("check", "HERE/incidents/pay.yaml")
    assert good.exit_code == 0
    assert "config" in good.stderr


@pytest.mark.parametrize("stdout", ["/dev/full", os.devnull])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_mistake_that_nobody_can_be_told_keeps_its_status(stdout: str, unbuffered: str) -> None:
    """A wrong command ends with 2, whether or not its message finds room."""
    command = [sys.executable, "-c", "from tocsin.cli import main; main(['nonsense'])"]
    with Path(stdout).open("w") as out, Path("/dev/full").open("w") as full:
        environ = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
        done = subprocess.run(command, stdout=out, stderr=full, env=environ, check=False)
    assert done.returncode == 2


def test_check_refuses_a_host_that_no_sms_has_room_for(run: Run, tmp_path: Path) -> None:
    """R42: an error of `check`, at its place; other commands, and the daemon, go on with that config."""
    settings = tmp_path / "config" / "tocsin.yaml"
    settings.write_text(settings.read_text() + f"public_url: https://{'t' * 40}.example.com\n")
    line = settings.read_text().count("\n")
    key = {"TOCSIN_WEB__SIGNING_KEY": "a key of more than sixteen"}
    done = run("check", **key)
    assert done.exit_code == 1
    assert f"tocsin.yaml:{line}:" in done.stdout + done.stderr
    assert "public_url has 52 letters behind its ://, and a link in an SMS has room for 40" in done.stdout + done.stderr
    assert run("oncall", "--at", AT, **key).exit_code == 0
