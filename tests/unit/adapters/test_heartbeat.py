"""The dead man's switch against a watcher over loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from tocsin.adapters import heartbeat
from tocsin.adapters.heartbeat import HttpHeartbeat

ANSWERS = {"/ok": 200, "/gone": 410, "/broken": 500, "/edge": 400}


@asynccontextmanager
async def watching() -> AsyncIterator[tuple[str, list[str]]]:
    """A watcher; its address, and what it was asked."""
    requests: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        requests.append(f"{request.method} {request.path_qs}")
        if request.path == "/slow":
            await asyncio.sleep(60)
        if request.path == "/moved":
            raise web.HTTPFound("/ok")
        if request.path == "/circle":
            raise web.HTTPFound("/circle")
        if request.path == "/astray":
            raise web.HTTPFound("http://")
        return web.Response(status=ANSWERS[request.path])

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", requests
    finally:
        await runner.cleanup()


async def test_a_watcher_that_hears_us() -> None:
    """Each ping is one GET of the very address that was given; where it leads on, it is followed."""
    async with watching() as (url, requests):
        assert await HttpHeartbeat().ping(f"{url}/ok?rid=1") == ""
        assert requests == ["GET /ok?rid=1"]
        assert await HttpHeartbeat().ping(f"{url}/moved") == ""


@pytest.mark.parametrize(("path", "why"), [("edge", "it answered 400"), ("gone", "it answered 410"), ("broken", "it answered 500")])  # fmt: skip
async def test_a_watcher_that_does_not_want_us(path: str, why: str) -> None:
    """An answer that is none is told by its number: the watcher did not count the ping."""
    async with watching() as (url, _):
        assert await HttpHeartbeat().ping(f"{url}/{path}") == why


async def test_a_watcher_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ping has an end, long before the next one is due."""
    assert heartbeat.PATIENCE < 60
    monkeypatch.setattr(heartbeat, "PATIENCE", 0.2)
    async with watching() as (url, _), asyncio.timeout(3):
        assert await HttpHeartbeat().ping(f"{url}/slow")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://no-such-host.invalid/", "http://", "nonsense", ""])
async def test_nobody_there(url: str) -> None:
    """Whatever is wrong with the address or the way there, a reason is given and nothing raised."""
    assert await HttpHeartbeat().ping(url)


@pytest.mark.parametrize("path", ["circle", "astray", "nowhere"])
async def test_what_is_told_does_not_hold_the_address(path: str) -> None:
    """F4: the address is often all that a ping needs; at most its host is told."""
    async with watching() as (url, _):
        there = "http://127.0.0.1:1/circle" if path == "nowhere" else f"{url}/{path}"
        why = await HttpHeartbeat().ping(f"{there}?secret=hunter2")
    assert why
    assert "hunter2" not in why
    assert f"/{path}" not in why
