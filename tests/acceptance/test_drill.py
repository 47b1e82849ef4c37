"""`tocsin drill` beside the installed daemon, which writes its messages to the outbox."""

import signal
import subprocess
from pathlib import Path

from tests.fakes.pager import CONFIG, TOCSIN, Pager

OUTSIDERS = """  customers: {title: Customers, emails: [customers@example.com], external: true}
severities:"""


def test_a_drill_from_start_to_report(tmp_path: Path) -> None:
    """Without a word of consent nobody is paged; else the real pages leave, marked, outsiders hear nothing,
    and the report tells who answered when. Ctrl-C ends it, resolves it and reports all the same.
    """
    pager = Pager(tmp_path)
    told = CONFIG.replace("severities:", OUTSIDERS, 1).replace("to: [support]", "to: [support, customers]")
    (tmp_path / "config" / "all.yaml").write_text(told)
    pager.start()
    unasked = pager.run("drill", "sev1")
    assert (unasked.returncode, unasked.stdout) == (2, "")
    assert "say --yes" in unasked.stderr
    assert not list((tmp_path / "incidents").glob("*.yaml"))

    drill = _drill(pager)
    page = pager.until(lambda: pager.mails("page", "ana@example.com"))[0]
    assert page["Subject"].startswith("DRILL ")
    assert pager.run("ack", str(page["X-Tocsin-Incident"]), "--as", "ana").returncode == 0
    said, _ = drill.communicate(timeout=30)
    assert drill.returncode == 0
    assert "  Technical Lead: Ana Souza, " in said
    assert said.endswith("WHAT FAILED\n  nothing\n")
    assert pager.mails("closing", "ana@example.com")
    assert not pager.mails(to="customers@example.com")

    drill = _drill(pager)
    pager.until(lambda: len(pager.mails("page", "ana@example.com")) == 2)
    drill.send_signal(signal.SIGINT)
    said, _ = drill.communicate(timeout=30)
    assert "  Technical Lead: nobody" in said
    files = [path.read_text() for path in (tmp_path / "incidents").glob("*.yaml")]
    assert ["status: resolved" in text and "drill: true" in text for text in files] == [True, True]
    assert pager.stop() == 0


def _drill(pager: Pager) -> subprocess.Popen[str]:
    command = [TOCSIN, "drill", "sev1", "--yes", "--for", "1m"]
    return subprocess.Popen(command, cwd=pager.folder, env=pager.environ, stdout=subprocess.PIPE, text=True)
