"""B3: a config that somebody else wrote into the ledger, and a start with an error on disk (rule 43)."""

import json
import signal
import socket
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.pager import ROOMY, SETTINGS, Pager

FAULT = "\npeople: [broken\n"
KEY = "a signing key that nobody else knows"


@pytest.fixture
def pager(tmp_path: Path) -> Iterator[Pager]:
    pager = Pager(tmp_path, **ROOMY)
    yield pager
    if pager.process is not None:
        pager.stop(signal.SIGKILL)


def forge(pager: Pager, change: Callable[[dict[str, str]], object], *, keep_code: bool = False) -> None:
    """Append a row as who may write the ledger can: the newest config, changed."""
    with closing(sqlite3.connect(pager.folder / "var" / "tocsin.db", isolation_level=None)) as ledger:
        newest = "SELECT revision, since, files, mac FROM configs ORDER BY id DESC LIMIT 1"
        revision, since, packed, mac = ledger.execute(newest).fetchone()
        files = json.loads(zlib.decompress(packed))
        change(files)
        row = (revision, since, zlib.compress(json.dumps(files).encode()), mac if keep_code else None)
        ledger.execute("INSERT INTO configs (revision, since, files, mac) VALUES (?, ?, ?, ?)", row)


def to_strangers(files: dict[str, str]) -> None:
    """Ana's number, and her mailbox and bo's, are somebody else's."""
    text = files["all.yaml"].replace("+14155550101", "+14155559999")
    files["all.yaml"] = text.replace("ana@example.com", "a@evil.example").replace("bo@example.com", "b@evil.example")


def spoil(pager: Pager, name: str) -> None:
    """An error in a file of the config on disk."""
    path = pager.folder / "config" / name
    path.write_text(path.read_text() + FAULT)


def written(pager: Pager) -> str:
    """Everything that left, with its addresses."""
    outbox = pager.folder / "var" / "outbox"
    return "\n".join(path.read_text() for path in outbox.iterdir() if not path.name.startswith("."))


@pytest.mark.attack
@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="no key"),
        pytest.param({"TOCSIN_WEB__SIGNING_KEY": KEY}, id="a key"),
    ],
)
def test_forged_numbers_at_a_start_with_a_typo(pager: Pager, environ: dict[str, str]) -> None:
    """Whoever has an address on disk is paged there, nobody elsewhere; operators hear who is left out, who counts again
    once the typo is mended. The code of another row vouches for nothing.
    """
    pager.environ |= environ
    pager.start()
    assert pager.stop() == 0
    forge(pager, to_strangers, keep_code=True)
    spoil(pager, "all.yaml")
    pager.start()
    pager.write("db.yaml", "title: Down\nseverity: sev1\n")
    pager.until(lambda: "Only a part of the last good config counts" in written(pager))
    pager.until(lambda: "+14155550102" in written(pager))
    path = pager.folder / "config" / "all.yaml"
    path.write_text(path.read_text().replace(FAULT, ""))
    pager.until(lambda: pager.said("config"))
    pager.write("web.yaml", "title: Down\nseverity: sev1\n")
    pager.until(lambda: "+14155550101" in written(pager))
    assert "evil.example" not in written(pager)
    assert "+14155559999" not in written(pager)
    assert pager.stop() == 0


@pytest.mark.attack
def test_forged_hosts_while_tocsin_yaml_cannot_be_used(pager: Pager) -> None:
    """A row that brings a mail server, an SMS provider's address, other operators and a link: nothing is asked of them.
    What stands on disk as well goes on, here the SMS.
    """
    pager.start()
    assert pager.stop() == 0
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]

        def elsewhere(files: dict[str, str]) -> None:
            mail = f"email: {{transport: smtp, host: 127.0.0.1, port: {port}, security: none, "
            settings = files["tocsin.yaml"].replace("email: {", mail).replace("[olga]", "[ana]")
            files["tocsin.yaml"] = f"{settings}public_url: http://127.0.0.1:{port}\n"

        forge(pager, elsewhere)
        spoil(pager, "tocsin.yaml")
        pager.start()
        pager.write("db.yaml", "title: Down\nseverity: sev1\n")
        pager.until(lambda: "+14155550101" in written(pager))
        assert "it lacks operators, email.transport, email.host, email.port" in pager.log.read_text()
        stranger.settimeout(3)
        with pytest.raises(TimeoutError):
            stranger.accept()
    assert str(port) not in written(pager)
    assert pager.stop() == 0


@pytest.mark.attack
def test_nothing_left_of_a_forged_config(pager: Pager) -> None:
    """With no word of it on disk the daemon does not start, and says why; with a key that vouches for the daemon's own
    row an empty tocsin.yaml silences nobody.
    """
    pager.start()
    assert pager.stop() == 0
    forge(pager, to_strangers)
    (pager.folder / "config" / "tocsin.yaml").write_text("")
    ended = pager.run("run")
    assert ended.returncode == 1
    assert "too little of it stands on disk as well" in ended.stderr
    assert "Traceback" not in ended.stderr
    (pager.folder / "config" / "tocsin.yaml").write_text(SETTINGS)
    pager.environ["TOCSIN_WEB__SIGNING_KEY"] = KEY
    pager.start()
    assert pager.stop() == 0
    (pager.folder / "config" / "tocsin.yaml").write_text("")
    pager.start()
    pager.write("db.yaml", "title: Down\nseverity: sev1\n")
    pager.until(lambda: "+14155550101" in written(pager))
    assert pager.stop() == 0


@pytest.mark.attack
def test_a_config_on_disk_that_was_cut_off(pager: Pager) -> None:
    """Without any signing key the daemon's own row, and nobody else's, goes on whole (rule 43)."""
    pager.start()
    assert pager.stop() == 0
    (pager.folder / "config" / "all.yaml").write_text("roles: [\n")
    pager.start()
    pager.write("db.yaml", "title: Down\nseverity: sev1\n")
    pager.until(lambda: "+14155550101" in written(pager))
    assert pager.stop() == 0
    assert "it lacks" not in pager.log.read_text()
    forge(pager, to_strangers)
    ended = pager.run("run")
    assert (ended.returncode, "too little of it stands on disk as well" in ended.stderr) == (1, True)


@pytest.mark.attack
def test_commands_by_a_forged_config(pager: Pager) -> None:
    """They say in a line what does not count, and go on by the rest."""
    pager.start()
    pager.write("db.yaml", "title: Down\nseverity: sev1\n")
    pager.until(lambda: "+14155550101" in written(pager))
    assert pager.stop() == 0
    forge(pager, to_strangers)
    spoil(pager, "all.yaml")
    done = pager.run("status")
    assert done.returncode == 0
    assert "it lacks ana's number, ana's mailbox" in done.stdout + done.stderr
    assert "+14155559999" not in pager.run("explain", "db").stdout


@pytest.mark.attack
def test_a_broken_template_at_a_start(pager: Pager) -> None:
    """P8: with a signing key the last good set goes on over a restart, a hanging one as well, and operators read so; what
    somebody else writes into the ledger puts no word of theirs into a page.
    """
    pager.environ["TOCSIN_WEB__SIGNING_KEY"] = KEY
    template = pager.folder / "templates" / "page.sms.txt.j2"
    template.write_text("OURS {{ acknowledge }}")
    pager.start()
    assert pager.stop() == 0
    for number, broken in enumerate(("{% broken", "{% for a in range(999) %}{% for b in range(999) %}{{ a ~ b }}" * 2)):
        template.write_text(broken)
        pager.start()
        pager.write(f"db{number}.yaml", "title: Down\nseverity: sev1\n")
        pager.until(lambda: written(pager).count("OURS") == number + 1)  # noqa: B023 - asked at once
        pager.until(lambda: "the last good templates go on" in written(pager))
        assert pager.stop() == 0

    def elsewhere(files: dict[str, str]) -> None:
        files["\0templates/page.sms.txt.j2"] = "EVIL {{ acknowledge }}"

    forge(pager, elsewhere, keep_code=True)
    pager.start()
    pager.write("web.yaml", "title: Down\nseverity: sev1\n")
    pager.until(lambda: "the shipped text is used instead" in written(pager))
    pager.until(lambda: len(pager.texts()) > 2)
    assert "EVIL" not in written(pager)
    assert pager.stop() == 0
