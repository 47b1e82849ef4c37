"""Who looks (P8): by a session that the daemon has recorded, and while it lasts."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from tocsin.adapters.jinja.pages import JinjaPages
from tocsin.domain.people import SESSION_LASTS, Session, session_digest
from tocsin.web.access.browser import SESSION as COOKIE
from tocsin.web.access.guard import TRIES
from tocsin.web.access.tries import TokenTries
from tocsin.web.access.viewer import Viewer, require_person, require_reader, viewer
from tocsin.web.http import FOLDER

from tests.builders.instants import T0
from tests.builders.loading import load
from tests.builders.policies import SHIPPED_CONFIG
from tests.unit.web.lives import BEARER, Life, alive

ID = "the-random-id-of-a-session"


def asked(life: Life, path: str = "/incidents", *, html: bool = True, **headers: str) -> web.Request:
    """A request from afar."""
    app: Any = web.Application()
    app[TRIES] = TokenTries(life.clock)
    given = {"Accept": "text/html"} if html else {}
    given |= headers
    return make_mocked_request("GET", path, headers=given, app=app)


def cookie(id_: str = ID) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={id_}"}


async def signed_in(life: Life, person: str = "bo") -> None:
    await life.ledger.record_config("r1", load(SHIPPED_CONFIG, T0, {}).files, T0)
    await life.ledger.begin_session(Session(session_digest(ID), person, life.clock.now()))


async def test_a_session_names_its_person_until_it_is_over() -> None:
    """P8: 12 h; another id, and the digest itself, are nobody's."""
    async with alive(web={"token": BEARER["Authorization"][7:]}, public_url="https://a.example") as life:
        await signed_in(life)
        for strange in ("", "x", session_digest(ID)):
            assert await viewer(life.site, asked(life, **cookie(strange))) == Viewer()
        looker = await viewer(life.site, request := asked(life, **cookie()))
        assert (looker.person and looker.person.id, looker.session, looker.reads) == ("bo", ID, True)
        assert looker.zone == "Europe/Stockholm"
        assert await viewer(life.site, request) is looker
        life.clock.go(SESSION_LASTS - timedelta(seconds=1))
        assert (await viewer(life.site, asked(life, **cookie()))).person
        life.clock.go(timedelta(seconds=1))
        assert await viewer(life.site, asked(life, **cookie())) == Viewer()


async def test_whoever_left_the_config_is_signed_in_no_more() -> None:
    """P8."""
    async with alive(public_url="https://a.example") as life:
        await signed_in(life, "somebody-else")
        assert await viewer(life.site, asked(life, **cookie())) == Viewer()


async def test_who_may_not_look_is_led_to_the_sign_in() -> None:
    """P8: a browser by 303, a machine is told so; the token reads, and acts for nobody."""
    async with alive(web={"token": BEARER["Authorization"][7:]}, public_url="https://a.example") as life:
        with pytest.raises(web.HTTPSeeOther) as led:
            await require_reader(life.site, asked(life, "/incidents?q=a&c=/d"))
        assert led.value.location == "/sign-in?to=/incidents%3Fq%3Da%26c%3D/d"
        with pytest.raises(web.HTTPUnauthorized):
            await require_reader(life.site, asked(life, html=False))
        machine = await require_reader(life.site, asked(life, html=False, **BEARER))
        assert machine == Viewer(reads=True)
        assert machine.zone == "UTC"
        with pytest.raises(web.HTTPSeeOther):
            await require_person(life.site, asked(life, **BEARER))
        await signed_in(life)
        assert (await require_person(life.site, asked(life, **cookie()))).person
        assert (await require_reader(life.site, asked(life, **cookie()))).session == ID


def test_a_page_says_who_has_signed_in() -> None:
    """With a way to sign out; who only reads is told how to act."""
    pages = JinjaPages(FOLDER / "pages")
    bo: Any = SimpleNamespace(person=SimpleNamespace(name="Bo <Lind>"), reads=True)
    page = pages.render("base", {"viewer": bo})
    assert "Signed in as <strong>Bo &lt;Lind&gt;</strong>" in page
    assert 'method="post" action="/sign-out"' in page
    assert 'href="/sign-in"' in pages.render("base", {"viewer": Viewer(reads=True)})
    assert not any("sign" in pages.render("base", values) for values in ({}, {"viewer": Viewer()}))
