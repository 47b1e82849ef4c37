"""Signing in on an installed server, and a web side that was taken over: with its key, its view of the ledger and its own
folder it signs in nobody whose code it never saw, and acts for those alone whose cookies pass by it, until sign-out (P8).
"""

import re
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.attacks.test_wall_inbox import KEY, PULL, Site
from tests.fakes.sandbox import missing
from tests.fakes.server import STATE, good, installed_server

WHY_NOT = missing()
pytestmark = [pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT), pytest.mark.attack]


class Browser:
    """Somebody's, with its cookies."""

    def __init__(self, site: Site) -> None:
        self.site, self.cookies = site, CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def ask(self, path: str, **form: str) -> tuple[str, str]:
        """Where one lands, and the page there."""
        data = urlencode(form).encode() if form else None
        request = urllib.request.Request(self.site.url + path, data, {"Accept": "text/html"})
        with self._opener.open(request, timeout=20) as answer:
            return answer.geturl().removeprefix(self.site.url), " ".join(answer.read().decode().split())

    def sign_in(self, who: str) -> str:
        """Sign in by the code that came to their mailbox; the id of the session."""
        before = self.site.server.outbox("sign_in")
        there, page = self.ask("/sign-in", who=who, via="email", to="/incidents")
        self.site.server.until(lambda: self.site.server.outbox("sign_in") > before)
        (ref,) = re.findall('name="ref" value="([^"]+)"', page)
        landed, page = self.ask(there.partition("?")[0], ref=ref, code=code(self.site), to="/incidents")
        assert (landed, "Signed in as" in page) == ("/incidents", True), page
        return next(cookie.value or "" for cookie in self.cookies if cookie.name == "tocsin_session")


def code(site: Site) -> str:
    """The newest code that was sent, as its reader has it in their mailbox."""
    mails = f"ls -t {STATE}/outbox/*.eml | xargs grep -ls 'X-Tocsin-Kind: sign_in' | head -1 | xargs cat"
    return re.findall(r"([0-9]{6}) is your code", site.server.root(mails))[0]


def in_ledger(site: Site, statement: str) -> str:
    return site.server.root(f'sqlite3 {STATE}/tocsin.db "{statement}"')


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with installed_server(tmp_path) as server:
        yield Site(server)


def test_a_person_signs_in_and_a_captured_web_side_does_not(site: Site) -> None:
    """A code by mail signs Ana in. The web side's user then tries what it can: guesses, replays, digests out of the
    ledger, words of commands, a flood of codes; and acts for her, whose cookie it saw, until she is signed out.
    """
    server, id_ = site.server, site.declare()
    session = Browser(site).sign_in("Ana")
    (digest,) = in_ledger(site, "SELECT digest FROM sessions").split()
    assert session not in in_ledger(site, "SELECT * FROM arrivals")
    mine = "d" * 64
    edit = f"incident={id_!r}, person='ana', episode=0, signature='', version='v', not_healthy=False"
    acts = [
        f"put('code', 'e{number}e{number}e{number}e{number}', request='aaaaaaaa', code='{number:06}', proof='p', session='{mine}')"
        for number in range(5)
    ]
    acts += [
        f"put('edit', 'f0f0f0f0', {edit}, session='{digest}', edit={{'status': 'resolved'}})",
        f"put('declare', 'f1f1f1f1', person='ana', session='{digest}', title='Call me', severity='sev1', services=[],"
        " summary='', impact='', public_title='')",
        "put('sign_out', 'f2f2f2f2', person='')",
        f"put('sign_in', 'f3f3f3f3', who='+4917012345678', via='sms', browser='{mine}', incident='', episode=0, signature='')",
        "put('session', 'f4f4f4f4', digest='d', person='ana')",
    ]
    acts += [
        f"put('sign_in', 'g{number:07}', who='bo', via='email', browser='{mine}', incident='', episode=0, signature='')"
        for number in range(30)
    ]
    sent = server.outbox("sign_in")
    site.leave("\n".join(acts))
    server.until(lambda: site.waiting() == [])
    server.until(lambda: site.told("only commands do"))
    server.until(lambda: site.told("as many codes as go to"))
    assert in_ledger(site, "SELECT person FROM sessions").split() == ["ana"]
    assert server.outbox("sign_in") <= sent + 5
    assert "Call me" not in site.status()
    assert id_ in good(server.run("carol", "status", "--format", "json"))
    declare = (
        "put('declare', '{ref}', person='ana', session='{session}', title='{title}', severity='sev1', services=[],"
        " summary='', impact='', public_title='')"
    )
    site.leave(declare.format(ref="h0h0h0h0", session=session, title="Hers"), PULL)  # another user of the group
    server.until(lambda: site.waiting() == [])
    assert good(server.run("carol", "sign-out", "ana")) == "ana is signed out, in 1 browser\n"
    site.leave(declare.format(ref="h1h1h1h1", session=session, title="Too late"))
    server.until(lambda: site.waiting() == [])
    assert "Hers" not in site.status()
    assert "Too late" not in site.status()
    assert in_ledger(site, "SELECT count(*) FROM sessions") == "0\n"


def test_who_sees_a_cookie_acts_until_sign_out(site: Site) -> None:
    """That is not protected, and docs/security.md says so: while the web side is another's, it acts for whoever uses it.
    A restart of the daemon signs nobody out, and makes no code good that was asked for before.
    """
    server = site.server
    bo = Browser(site)
    session = bo.sign_in("bo@example.com")
    there, page = Browser(site).ask("/sign-in", who="ana", via="email")
    server.until(lambda: server.outbox("sign_in") == 2)
    server.stop()
    server.start(TOCSIN_PUBLIC_URL=site.url, TOCSIN_WEB__SIGNING_KEY=KEY)
    assert "Signed in as" in bo.ask("/incidents")[1]
    assert there
    assert page
    declare = (
        "put('declare', '{ref}', person='bo', session='{session}', title='{title}', severity='sev1', services=[],"
        " summary='', impact='', public_title='')"
    )
    site.leave(declare.format(ref="h2h2h2h2", session=session, title="It saw his cookie"))
    server.until(lambda: "It saw his cookie" in site.status())
    assert good(server.run("carol", "sign-out", "--all")) == "everybody is signed out, in 1 browser\n"
    site.leave(declare.format(ref="h3h3h3h3", session=session, title="It kept his cookie"))
    server.until(lambda: site.waiting() == [])
    assert "It kept his cookie" not in site.status()
    assert "Signed in as" not in bo.ask("/incidents")[1]
