"""`make audit`: what is known is told, what is not known is not taken for good, and what does not count says why."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from supply import audit
from supply.audit import CONCERNED, FINE, KNOWN_BAD, NOT_READ, Advisory, Answers, Exemption

TODAY = dt.date(2026, 11, 26)
VERSIONS = {"jinja2": "3.1.6", "pyyaml": "6.0.3"}
KNOWN = Advisory("jinja2", "3.1.6", ("PYSEC-2026-1", "CVE-2026-1"), ("3.1.7",))


def exempt(until: dt.date, name: str = "CVE-2026-1", package: str = "jinja2") -> list[Exemption]:
    return [Exemption(name, package, until, "we never call it")]


def test_nothing_known_is_fine() -> None:
    """All were answered for, and nothing is known."""
    assert audit.report(VERSIONS, Answers(read=set(VERSIONS)), [], TODAY) == (
        ["2 packages checked, 0 known advisories"],
        FINE,
    )


def test_an_advisory_counts() -> None:
    """It is named with its cure."""
    lines, status = audit.report(VERSIONS, Answers(set(VERSIONS), [KNOWN]), [], TODAY)
    assert lines[0] == "jinja2 3.1.6: PYSEC-2026-1, CVE-2026-1; mended in 3.1.7"
    assert status == CONCERNED


def test_an_exemption_says_why_and_ends() -> None:
    """Until its day it does not count, from then on it does."""
    answers = Answers(set(VERSIONS), [KNOWN])
    lines, status = audit.report(VERSIONS, answers, exempt(TODAY + dt.timedelta(1)), TODAY)
    assert lines[0].endswith("; ignored until 2026-11-27: we never call it")
    assert status == FINE
    lines, status = audit.report(VERSIONS, answers, exempt(TODAY), TODAY)
    assert lines[0].endswith("; was ignored until 2026-11-26")
    assert status == CONCERNED


@pytest.mark.parametrize("entry", [("CVE-2026-2", "jinja2"), ("CVE-2026-1", "pyyaml")])
def test_an_exemption_is_for_one_advisory_of_one_package(entry: tuple[str, str]) -> None:
    """One that is not met covers nothing, and is to go."""
    lines, status = audit.report(
        VERSIONS, Answers(set(VERSIONS), [KNOWN]), exempt(TODAY + dt.timedelta(1), *entry), TODAY
    )
    assert status == CONCERNED
    assert f"{entry[0]} of {entry[1]} is not met any more" in lines[1]


def test_what_was_not_read_is_not_fine() -> None:
    """Of one package nothing was said: it is named, and the status is not that of a clean one."""
    lines, status = audit.report(VERSIONS, Answers({"jinja2"}, reasons=["OSV: away"]), [], TODAY)
    assert lines[:2] == ["the advisories could not be read: OSV: away", "not checked: pyyaml"]
    assert status == NOT_READ
    lines, status = audit.report(VERSIONS, Answers(reasons=["OSV: away"]), [], TODAY)
    assert lines == ["the advisories could not be read: OSV: away", "nothing was checked"]
    assert status == NOT_READ


@pytest.mark.parametrize(
    "text",
    [
        '[[ignored]]\nid = "CVE-1"\npackage = "a"\nuntil = 2027-01-01',
        '[[ignored]]\nid = "CVE-1"\npackage = "a"\nuntil = 2027-01-01\nreason = ""',
        '[[ignored]]\nid = "CVE-1"\npackage = "a"\nuntil = "2027"\nreason = "because"',
        '[[ignored]]\nid = "CVE-1"\npackage = "a"\nuntil = 2027-01-01T00:00:00Z\nreason = "because"',
        '[[ignored]]\nid = "CVE-1"\nreason = "because"',
        "[[ignored",
    ],
)
def test_an_exemption_needs_a_reason_and_a_day(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Without them nothing is checked, and it is said what is missing."""
    path = tmp_path / "ignored.toml"
    path.write_text(text)
    assert audit.main(["--ignored", str(path)]) == NOT_READ
    assert capsys.readouterr().out.startswith("ignored.toml: ")


def test_our_own_exemptions_are_sound() -> None:
    """The file in the repository can be read."""
    assert all(entry.reason for entry in audit.exemptions())


@dataclass
class Osv:
    """A stand-in for OSV: what it knows of each library, and how it answers."""

    known: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    status: int = 200
    asked: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def osv() -> Iterator[Osv]:
    osv = Osv()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            what = (query["package"]["name"], query["version"])
            osv.asked.append(what)
            vulns = osv.known.get(what)
            body = json.dumps({"vulns": vulns} if vulns else {}).encode()
            self.send_response(osv.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    osv.url = f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    yield osv
    server.shutdown()
    server.server_close()


def vuln(name: str, advisory: str, cure: str) -> dict[str, Any]:
    """An advisory as OSV writes it."""
    package = {"name": name, "ecosystem": "PyPI"}
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": cure}]}]
    return {"id": advisory, "aliases": ["CVE-2026-1"], "affected": [{"package": package, "ranges": ranges}]}


@pytest.fixture
def small(tmp_path: Path) -> str:
    """A lock with two libraries."""
    path = tmp_path / "a.lock"
    path.write_text(
        "".join(f"{name}=={version} \\\n    --hash=sha256:{'0' * 64}\n" for name, version in VERSIONS.items())
    )
    return str(path)


def test_a_real_answer_is_read(osv: Osv, small: str, capsys: pytest.CaptureFixture[str]) -> None:
    """pip-audit itself asks a server about exactly the locked versions, and what that knows is told."""
    osv.known[KNOWN_BAD] = [vuln("flask", "PYSEC-2018-66", "0.12.3")]
    osv.known["jinja2", "3.1.6"] = [vuln("jinja2", "PYSEC-2026-1", "3.1.7")]
    assert audit.main(["--lock", small, "--osv-url", osv.url]) == CONCERNED
    assert capsys.readouterr().out.splitlines() == [str(KNOWN), "2 packages checked, 1 known advisory"]
    assert sorted(osv.asked) == [KNOWN_BAD, *VERSIONS.items()]


def test_who_knows_nothing_is_not_believed(osv: Osv, small: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that finds nothing wrong with a library known to be bad has checked nothing."""
    assert audit.main(["--lock", small, "--osv-url", osv.url]) == NOT_READ
    said = capsys.readouterr().out
    assert "it does not know what is known against flask 0.12" in said
    assert said.endswith("\nnothing was checked\n")


def test_who_does_not_answer_is_named(osv: Osv, small: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal is no all-clear: the status says so, and the words."""
    osv.status = 503
    assert audit.main(["--lock", small, "--osv-url", osv.url]) == NOT_READ
    said = capsys.readouterr().out
    assert said.startswith(f"the advisories could not be read: {osv.url}: ")
    assert said.endswith("\nnothing was checked\n")
