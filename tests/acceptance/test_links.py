"""Signed links from end to end: read out of a mail of the installed daemon, pressed at the installed web side."""

import json
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.fakes.pager import CONFIG, Pager
from tests.fakes.ready_commands import start_ready

KEY = "a key of more than sixteen"


class World:
    """The pager and its web side."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            listen = f"127.0.0.1:{free.getsockname()[1]}"
        self.url = f"http://{listen}"
        more = {"TOCSIN_PUBLIC_URL": self.url, "TOCSIN_WEB__LISTEN": listen, "TOCSIN_WEB__SIGNING_KEY": KEY}
        self.pager = Pager(folder, **more)
        together = CONFIG.replace("via: [sms, email]", "via: [email]").replace("chain: [ana, bo]", "chain: [[ana, bo]]")
        (folder / "config" / "all.yaml").write_text(together)
        self.pager.start()
        with (folder / "web.log").open("wb") as log:
            self.web = start_ready(["web"], folder, self.pager.environ, log)
        self.pager.until(lambda: self.ask(f"{self.url}/healthz")[0] in (200, 503))

    def ask(self, url: str, method: str = "GET", **form: str) -> tuple[int, str]:
        """Status and page, redirects followed; 0 while nobody listens."""
        data = urlencode(form).encode() if form else None
        request = urllib.request.Request(url, data, method="POST" if form else method)
        try:
            with urllib.request.urlopen(request, timeout=15) as answer:
                return answer.status, " ".join(answer.read().decode().split())
        except urllib.error.HTTPError as told:
            with told:
                return told.code, told.read().decode()
        except OSError:
            return 0, ""

    def accepted(self) -> str | None:
        """Since when somebody is Technical Lead, as `tocsin status` says."""
        (incident,) = json.loads(self.pager.run("status", "--format", "json").stdout)["incidents"]
        role = incident["roles"]["technical_lead"]
        assert role["person"] == "ana"
        found: str | None = role["accepted"]
        return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.web.terminate()
    assert made.web.wait(15) == 0
    assert made.pager.stop() == 0


def test_a_link_is_pressed(world: World) -> None:
    """The mail's link shows a page that changes nothing; its button ends the paging (whoever was paged beside stands
    down), and `tocsin status` knows the holder. One click on the update's header, and the operators hear of it.
    """
    pager = world.pager
    pager.write("card.yaml", "title: Card payments fail\nseverity: sev1\n")
    (mail,) = pager.until(lambda: pager.mails("page", "ana@"))
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    (link,) = re.findall(rf"{world.url}/a/\S+", text)
    assert f'href="{link}"' in html
    for method in ("GET", "HEAD", "GET"):
        assert world.ask(link, method)[0] == 200
    assert "You are asked to be Technical Lead." in world.ask(link)[1]
    status, page = world.ask(link, answer="ok")
    assert (status, "You are Technical Lead, since" in page) == (200, True)
    (stood_down,) = pager.until(lambda: pager.mails("stand_down"))
    assert "bo@example.com" in stood_down["To"]
    assert "Technical Lead: Ana Souza has it now." in stood_down.get_body(("plain",)).get_content()
    assert world.accepted() is not None
    assert world.ask(link[:-16] + link[-16:].swapcase(), answer="ok")[0] == 403

    (update,) = pager.until(lambda: pager.mails("update", "support@"))
    assert update["List-Unsubscribe-Post"] is None
    assert mail["List-Unsubscribe"] is None
    leave = update["List-Unsubscribe"].strip("<>")
    assert world.ask(leave, **{"List-Unsubscribe": "One-Click"})[0] == 200
    (notice,) = pager.until(lambda: pager.mails("operator", "olga@"))
    assert "support@example.com asks to be taken off" in notice.get_body(("plain",)).get_content()
    assert "config/all.yaml:" in notice.get_body(("plain",)).get_content()


def test_one_click_takes_effect(world: World) -> None:
    """Where the group says so: from the next message on nothing goes there, the end of it neither, also when the config
    names the address anew. `check` and `explain` say so, and `tocsin resubscribe` has it told again.
    """
    pager, config = world.pager, world.pager.folder / "config" / "all.yaml"
    press = "stakeholders:\n  press: {emails: [press@example.com], external: true, unsubscribe: one_click}"
    config.write_text(
        config.read_text().replace("stakeholders:", press).replace("to: [support]", "to: [press, support]")
    )
    pager.until(lambda: pager.said("config"))
    pager.write("card.yaml", "title: Card payments fail\nseverity: sev1\n")
    (update,) = pager.until(lambda: pager.mails("update", "press@"))
    assert update["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    leave = update["List-Unsubscribe"].strip("<>")
    assert update["List-Id"] == "press <press.example.com>"
    assert all(leave in update.get_body((part,)).get_content() for part in ("plain", "html"))
    (internal,) = pager.until(lambda: pager.mails("update", "support@"))
    assert (internal["List-Id"], internal["List-Unsubscribe-Post"]) == ("Support <support.example.com>", None)
    assert "Unsubscribe" not in internal.get_body(("plain",)).get_content()
    assert "Take me off" in world.ask(leave)[1]
    status, said = world.ask(leave, **{"List-Unsubscribe": "One-Click"})
    assert (status, said.partition(":")[0]) == (200, "You are taken off")
    pager.until(lambda: "is taken off" in world.ask(leave)[1])
    config.write_text(config.read_text() + "# saved anew\n")
    pager.until(lambda: pager.said("config") == 2)
    pager.write("card.yaml", "title: Card payments fail\nseverity: sev1\nstatus: identified\n")
    pager.until(lambda: len(pager.mails("update", "support@")) == 2)
    pager.write("card.yaml", "title: Card payments fail\nseverity: sev1\nstatus: resolved\n")
    pager.until(lambda: pager.mails("closing", "support@"))
    assert len(pager.mails(to="press@")) == 1
    assert "press@example.com unsubscribed on" in pager.run("check").stdout
    assert "unsubscribed: press@example.com" in pager.run("explain", "card").stdout
    wrong = pager.run("resubscribe", "pres@example.com")
    assert (wrong.returncode, wrong.stderr) == (
        1,
        '"pres@example.com" is not unsubscribed; did you mean "press@example.com"?\n',
    )
    right = pager.run("resubscribe", "Press@Example.com")
    assert (right.returncode, right.stdout) == (0, "press@example.com is told again: what press hears\n")
    pager.write("db.yaml", "title: Database down\nseverity: sev1\n")
    pager.until(lambda: len(pager.mails("update", "press@")) == 2)
    assert "unsubscribed" not in pager.run("check").stdout
