"""`/` leads where one may go, and `/inbox` to the sign-in."""

from datetime import timedelta

from tocsin.domain.people import SESSION_LASTS, Session, session_digest

from tests.builders.instants import T0
from tests.builders.loading import load
from tests.builders.policies import SHIPPED_CONFIG
from tests.unit.web.lives import BEARER, WEB, Life, alive

BO = {"Cookie": "tocsin_session=a-random-id"}
BROWSER = {"Accept": "text/html"}


async def know(life: Life, *, public: bool) -> None:
    """A config with readers outside, or without any."""
    files = dict(load(SHIPPED_CONFIG, T0, {}).files)
    if not public:
        files = {name: data.replace(b"external: true", b"external: false") for name, data in files.items()}
    await life.ledger.record_config("r1", files, T0)
    await life.ledger.begin_session(Session(session_digest("a-random-id"), "bo", life.clock.now()))


async def test_the_address_that_people_type_leads_on() -> None:
    """Whoever may read goes to the list, and so does everybody where outsiders are told something."""
    for public in (True, False):
        async with alive(**WEB) as life:
            await know(life, public=public)
            for reader in (BO, BEARER):
                status, headers, _ = await life.get("/", **reader)
                assert (status, headers["location"], headers["cache-control"]) == (303, "/incidents", "no-store")
            status, headers, _ = await life.get("/")
            assert (status, headers.get("location")) == ((303, "/incidents") if public else (200, None))


async def test_where_nothing_is_public_it_says_whose_it_is() -> None:
    """The organisation, that nothing is public, where to sign in; no word of ours, none of an incident."""
    async with alive(**WEB) as life:
        await know(life, public=False)
        status, _, page = await life.get("/")
        assert status == 200
        assert "Example handles its incidents here. Nothing of them is public." in page
        assert 'href="/sign-in"' in page
        assert "tocsin" not in page.replace("tocsin_", "")


async def test_whose_session_is_over_signs_in_again() -> None:
    """Nobody on call takes the page of outsiders for theirs."""
    async with alive(**WEB) as life:
        await know(life, public=True)
        life.clock.go(SESSION_LASTS + timedelta(seconds=1))
        status, headers, _ = await life.get("/", **BO)
        assert (status, headers["location"]) == (303, "/sign-in?to=/&ended")


async def test_the_inbox_without_rights_leads_to_the_sign_in() -> None:
    """A browser is led there and back; a program is told that it needs the token."""

    class NoMessages:
        def mark(self) -> str:
            return ""

        def newest(self, most: int) -> list[object]:
            return []

        def html(self, name: str) -> str | None:
            return None

    async with alive(outbox=NoMessages(), **WEB) as life:  # type: ignore[arg-type]
        await know(life, public=True)
        status, headers, _ = await life.get("/inbox?person=ana", **BROWSER)
        assert (status, headers["location"]) == (303, "/sign-in?to=/inbox?person%3Dana")
        assert (await life.get("/inbox"))[0] == 401
        assert (await life.get("/inbox", **BO))[0] == 200
