"""Attacks by rights that are missing: an installed server, carol who responds, dave who is in no group."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.sandbox import missing
from tests.fakes.server import STATE, Server, good, installed_server, refused

FILES_ALONE = "going on with the files alone"
WHY_NOT = missing()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with installed_server(tmp_path) as server:
        yield server


@pytest.mark.attack
def test_every_command_of_somebody_outside_the_group(server: Server) -> None:
    """One line that names the group, status 1 and no traceback, whatever the command."""
    server.start()
    id_ = good(server.run("carol", "declare", "Everything is down", "--severity", "sev1")).strip()
    file = f"{STATE}/incidents/{id_}.yaml"
    for command in (
        ["status"], ["status", "--format", "json"], ["explain", id_], ["ack", id_, "--as", "ana"], ["oncall"],
        ["update", id_, "x"], ["assign", id_, "scribe", "bo"], ["resolve", id_], ["review", id_], ["test"],
        ["declare", "x", "--severity", "sev1"], ["drill", "sev1", "--yes"], ["send-test", "ana"], ["web"], ["run"],
        ["simulate", file], ["diff", "HEAD"], ["pull"], ["check"], ["check", file],
    ):  # fmt: skip
        lines = refused(server.run("dave", *command))
        assert lines[0].endswith("cannot be read by dave; ask to be in the group tocsin"), (command, lines)
        assert len(lines) == (2 if command == ["check"] else 1), (command, lines)


@pytest.mark.attack
def test_what_can_be_said_without_the_ledger(server: Server) -> None:
    """A ledger that its group may not read: the files are told of, and nothing that only the ledger knows."""
    server.start()
    id_ = good(server.run("carol", "declare", "Everything is down", "--severity", "sev1")).strip()
    server.until(lambda: server.outbox("page") == 2)
    server.root(f"chmod 0600 {STATE}/tocsin.db*")
    why = f"the ledger {STATE}/tocsin.db cannot be read by carol; {STATE}/tocsin.db is for tocsin alone; {FILES_ALONE}"
    shown = server.run("carol", "status")
    assert good(shown).startswith(f"! {why}\n\nSEV1 Everything is down\n  {id_}, investigating, as its file says\n")
    assert "nobody yet" not in shown.stdout
    assert shown.stdout.count("not known without the ledger") > 1
    (incident,) = json.loads(server.run("carol", "status", "--format", "json").stdout)["incidents"]
    assert [problem["code"] for problem in incident["problems"]] == ["no-ledger"]
    told = server.run("carol", "explain", id_)
    assert "nobody yet" not in told.stdout
    assert ("what was sent cannot be told" in good(told), told.stderr) == (True, f"{why}\n")
    for command in (
        ["ack", id_, "--as", "ana"],
        ["update", id_, "x"],
        ["check"],
        ["declare", "y", "--severity", "sev1"],
    ):
        done = server.run("carol", *command)
        assert (done.returncode, why in done.stderr) == (0, True), (command, done)
    assert refused(server.run("carol", "review", id_)) == [why, "the review is drafted from what the ledger records"]
    assert refused(server.run("carol", "drill", "sev1", "--yes"))[0] == why
    assert refused(server.run("carol", "run"))
    assert refused(server.run("carol", "send-test", "ana")) == [
        f"the outbox {STATE}/outbox cannot be written by carol; {STATE}/outbox is for tocsin alone; ask root to send it"
    ]


@pytest.mark.attack
@pytest.mark.parametrize("closed", [STATE, STATE / "incidents"])
def test_a_folder_of_another_user(server: Server, closed: Path) -> None:
    """F2: a state folder of mode 0700: no command ends in a traceback, and none says that nothing is open."""
    server.start()
    id_ = good(server.run("carol", "declare", "Everything is down", "--severity", "sev1")).strip()
    server.until(lambda: server.outbox("page") == 2)
    server.root(f"chmod 0700 {closed}")
    for command in (
        ["status"], ["status", "--format", "json"], ["explain", id_], ["ack", id_, "--as", "ana"], ["update", id_, "x"],
        ["assign", id_, "scribe", "bo"], ["resolve", id_], ["review", id_], ["declare", "x", "--severity", "sev1"],
        ["drill", "sev1", "--yes", "--for", "1s"], ["check"], ["test"], ["oncall"], ["run"], ["pull"], ["diff", "HEAD"],
    ):  # fmt: skip
        done = server.run("carol", *command)
        assert "Traceback" not in done.stderr, (command, done.stderr)
        assert "no open incidents" not in done.stdout
        if command[0] in {"ack", "update", "assign", "resolve", "declare"}:
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.splitlines()[-1].endswith(f"cannot be read by carol; {closed} is for tocsin alone")
    assert server.run("carol", "status").returncode == (1 if closed == STATE else 0)


@pytest.mark.attack
@pytest.mark.parametrize("name", ["tocsin.yaml", "roles.yaml"])
def test_a_file_of_the_config_that_may_not_be_read(server: Server, name: str) -> None:
    """It is named, and nothing that only seems wrong because of it."""
    server.root(f"chmod 0600 /etc/tocsin/{name}")
    place = f"/etc/tocsin/{name}"
    line = f"{place}:1:1: error: the file cannot be read by carol; {place} is for root alone"
    for command in (["status"], ["check"], ["test"], ["oncall"], ["declare", "x", "--severity", "sev1"], ["run"]):
        assert refused(server.run("carol", *command))[0] == line, command


@pytest.mark.attack
def test_what_the_daemon_makes_is_private(server: Server) -> None:
    """The ledger and the outbox are read by the group alone; what the group shares belongs to it."""
    server.start()
    good(server.run("carol", "declare", "Everything is down", "--severity", "sev1"))
    server.until(lambda: server.outbox("page") == 2)
    for path in ("tocsin.db", "tocsin.db-wal", "outbox"):
        assert server.root(f"stat -c '%U:%G %a' {STATE}/{path}").split()[1] in {"640", "750"}, path
    listed = server.root(f"stat -c '%U:%G %a' {STATE}/incidents/*.yaml")
    assert listed == "carol:tocsin-responders 664\n"


@pytest.mark.attack
def test_root_leaves_nothing_behind_that_the_daemon_cannot_open(server: Server) -> None:
    """An administrator tries things out before the first start: a daemon by hand is refused with what to do instead, a
    first message goes into an outbox that is the daemon's.
    """
    script = "cd / && tocsin run 2>&1; tocsin send-test ana >/dev/null && echo sent"
    told, sent = server.root(f"set +e; {script}").splitlines()
    assert told == (
        "/var/lib/tocsin belongs to tocsin, who could not open what root writes there; start it as tocsin: systemctl"
        " start tocsin, or runuser -u tocsin -- tocsin run"
    )
    assert sent == "sent"
    server.start()
    good(server.run("carol", "declare", "Everything is down", "--severity", "sev1"))
    server.until(lambda: server.outbox("page") == 2)
    server.stop()
    server.root(f"chown root: {STATE}/tocsin.db")
    by_hand = "runuser -u {} -- tocsin run --config /etc/tocsin 2>&1 || true"
    assert server.root(by_hand.format("tocsin")) == (
        f"the ledger {STATE}/tocsin.db cannot be opened: {STATE}/tocsin.db belongs to root;"
        f" as root: chown tocsin: {STATE}/tocsin.db*\n"
    )
    server.root(f"chown tocsin: {STATE}/tocsin.db*")
    assert server.root(by_hand.format("carol")) == (
        f"the ledger {STATE}/tocsin.db cannot be opened: {STATE} belongs to tocsin; start it as tocsin:"
        " systemctl start tocsin\n"
    )


@pytest.mark.attack
def test_a_config_that_follows_git(server: Server) -> None:
    """docs/config-as-code.md: /etc/tocsin is a link to the clone's config: the daemon, the timer's unit and everybody's
    commands go by the same files, and who is outside the group is told so.
    """
    server.follow_git()
    server.start()
    good(server.run("carol", "declare", "Everything is down", "--severity", "sev1"))
    server.until(lambda: server.outbox("page") == 2)
    server.push("sed -i 's/every: 30m/every: 20m/' config/severities.yaml")
    assert good(server.unit("tocsin-pull.service")).startswith("pulled 1 commit: main is now at ")
    server.until(lambda: '"event": "config"' in server.log.read_text())
    assert "/etc/tocsin/severities.yaml" in good(server.run("carol", "diff", "HEAD~1"))
    assert refused(server.run("dave", "status")) == [
        "/etc/tocsin:1:1: error: the config folder cannot be read by dave; ask to be in the group tocsin"
    ]


@pytest.mark.attack
@pytest.mark.parametrize("closed", ["/etc/tocsin", "/etc/tocsin/tocsin.yaml"])
def test_a_start_that_may_not_read_its_config(server: Server, closed: str) -> None:
    """Rules 43, 73: the last good config of the state folder's ledger goes on; operators are told whose the config is.
    At a first start, and for commands, one line says so, and none of how `--config` is written.
    """
    mode = server.root(f"stat -c %a {closed}").strip()
    server.root(f"chmod 0600 {closed}")
    why = f"cannot be read by tocsin; {closed} is for root alone"
    for command in ("tocsin run --config /etc/tocsin", "tocsin status --config /etc/tocsin"):
        told = server.root(f"runuser -u tocsin -- {command} 2>&1 || echo $?").splitlines()
        assert (len(told), told[0].endswith(why), told[-1]) == (2, True, "1"), told
    server.root(f"chmod {mode} {closed}")
    server.start()
    good(server.run("carol", "declare", "Everything is down", "--severity", "sev1"))
    server.until(lambda: server.outbox("page") == 2)
    server.stop()
    server.root(f"chmod 0600 {closed}")
    server.start()
    id_ = "second"
    server.root(f"printf 'title: More is down\nseverity: sev1\nstatus: investigating\n' > {STATE}/incidents/{id_}.yaml")
    server.until(lambda: server.outbox("page") == 4)
    server.until(lambda: server.outbox("operator"), 90)
    assert why in server.root(f"cat {STATE}/outbox/*.eml | tr -d '\n='")
    server.root(f"chmod {mode} {closed}")
    server.until(lambda: server.outbox("operator") > 1, 90)
