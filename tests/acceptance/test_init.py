"""`tocsin init` as somebody at a terminal meets it, and the pager that comes of it."""

import os
import pty
import shutil
import subprocess
import time
from contextlib import suppress

from tests.fakes.pager import TOCSIN, Pager

ANSWERS = """Ana
Ana "the: pager" Souza <ana@example.com> +14155550101
Bo Berg <bo@example.com> +14155550101
Bo Berg <bo@example.com> +14155550102

Europe/Berln
Europe/Berlin
Acme: "the" Shop

"""


def at_terminal(folder, *arguments, typed):
    """Run a command on a terminal of its own; gives its exit status and what the terminal showed."""
    mine, its = pty.openpty()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    with subprocess.Popen([TOCSIN, *arguments], cwd=folder, env=environ, stdin=its, stdout=its, stderr=its) as process:
        os.close(its)
        os.write(mine, typed.encode())
        shown, end = b"", time.monotonic() + 60
        with suppress(OSError):  # the terminal is gone when the command is
            while (read := os.read(mine, 4096)) and time.monotonic() < end:
                shown += read
        os.close(mine)
        return process.wait(10), shown.decode()


def test_three_answers_make_a_pager_that_works(tmp_path):
    """Wrong answers are told and asked again; the config is good, its tests hold, and `tocsin run` pages from it."""
    pager = Pager(tmp_path)
    shutil.rmtree(tmp_path / "config")
    status, shown = at_terminal(tmp_path, "init", ".", typed=ANSWERS)
    assert status == 0, shown
    for words in ("write the name, <email> and phone", "share the phone number", 'did you mean "Europe/Berlin"?'):
        assert words in shown
    assert "config/people.yaml" in shown
    checked = pager.run("check")
    assert (checked.returncode, checked.stdout) == (0, "")
    assert ": good (" in checked.stderr
    tested = pager.run("test")
    assert (tested.returncode, tested.stdout.splitlines()[-1]) == (0, "3 policy tests: 3 ok")
    pager.start()
    try:
        pager.run("declare", "Website is down", "--severity", "sev1", "--service", "website")
        paged = pager.until(lambda: pager.mails("page", "ana@example.com"))
        assert paged[0]["To"].addresses[0].display_name == 'Ana "the: pager" Souza'
        assert 'Acme: "the" Shop' in paged[0].get_body(("plain",)).get_content()
    finally:
        pager.stop()
