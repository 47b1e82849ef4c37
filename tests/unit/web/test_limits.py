"""What a client may do to the web side: nothing slow, big, frequent or malformed gets more than one plain sentence."""

import ast
import asyncio
import contextlib
import inspect
import re
import time
from datetime import timedelta

import pytest
import structlog
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from tocsin.app.arrivals import log_limit
from tocsin.app.lifecycle.health import HEALTHY
from tocsin.web.http import connections
from tocsin.web.http.connections import LINE_MOST, Limits
from tocsin.web.http.rate_limit import ADDRESSES_MOST, BURST, STEADY, RateLimit
from tocsin.web.http.responses import BUSY, SENTENCES
from tocsin.web.server import BODY_MOST

from tests.unit.web.lives import WEB, Life, alive, parsed

QUICK = Limits(sent_within=0.4, written_within=0.4, idle=0.6, lingers=0.1)
"""Limits that a test can wait for."""


async def _echo(request: web.Request) -> web.Response:
    return web.Response(text=f"{len(await request.read())}\n")


async def _fall(_request: web.Request) -> web.Response:
    raise RuntimeError("a fault of ours")


EXTRA = [web.post("/echo", _echo), web.get("/fall", _fall)]


def plain(answer: bytes, status: int) -> None:
    """The answer is one plain sentence for this status, and tells nothing of what we are made of."""
    got, headers, body = parsed(answer)
    assert (got, body) == (status, SENTENCES[status] + "\n")
    assert headers["content-type"].startswith("text/plain")
    assert headers.get("server", "tocsin") == "tocsin"
    assert "aiohttp" not in answer.decode()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"hello\r\n\r\n", 400, id="no HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, id="TLS"),
        pytest.param(b"GET / HTTP/9.9\r\n\r\n", 400, id="a version to come"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nno colon\r\n\r\n", 400, id="a header without a colon"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nA: \0\r\n\r\n", 400, id="NUL in a header"),
        pytest.param(b"POST /echo HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400, id="a length in words"),
        pytest.param(b"POST /echo HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, id="two lengths"),
        pytest.param(
            b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400, id="smuggled"
        ),
        pytest.param(b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, id="a chunk of no size"),
        pytest.param(b"GET /" + b"a" * LINE_MOST + b" HTTP/1.1\r\n\r\n", 414, id="a long address"),
        pytest.param(b"GET / HTTP/1.1\r\nA: " + b"a" * 9000 + b"\r\n\r\n", 431, id="a big header"),
        pytest.param(
            b"POST /echo HTTP/1.1\r\nConnection: close\r\nContent-Length: 1000000000\r\n\r\n" + b"a" * (BODY_MOST + 1),
            413,
            id="a big body",
        ),
        pytest.param(
            b"POST /echo HTTP/1.1\r\nConnection: close\r\nContent-Type: text/plain; charset=klingon\r\n"
            b"Content-Length: 1\r\n\r\na",
            415,
            id="unknown letters",
        ),
        pytest.param(b"PROPFIND /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 405, id="another method"),
        pytest.param(b"OPTIONS /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 405, id="OPTIONS"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nConnection: close\r\n\r\n", 404, id="OPTIONS of all"),
        pytest.param(b"GET /static/../../server.py HTTP/1.1\r\nConnection: close\r\n\r\n", 404, id="dots"),
        pytest.param(b"GET /static/..%2f..%2fserver.py HTTP/1.1\r\nConnection: close\r\n\r\n", 404, id="hidden dots"),
        pytest.param(b"GET /static/%00 HTTP/1.1\r\nConnection: close\r\n\r\n", 404, id="NUL in an address"),
        pytest.param(b"GET //healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 404, id="two slashes"),
        pytest.param(b"GET /%ff%fe HTTP/1.1\r\nConnection: close\r\n\r\n", 404, id="no UTF-8"),
        pytest.param(b"GET /fall HTTP/1.1\r\nAccept: text/html\r\n\r\n", 500, id="a fault of ours"),
    ],
)
async def test_bad_input_is_one_plain_sentence(sent: bytes, status: int) -> None:
    """Whatever is wrong with a request, its answer is one sentence, and somebody reads a line of it in the log."""
    async with alive(QUICK, extra=EXTRA) as life:
        plain(await life.ask(sent), status)
        assert life.log.lines


async def test_a_fault_of_ours_is_told_to_the_log_alone() -> None:
    """What we did not foresee stands in the log with its place; the client hears nothing of it."""
    async with alive(extra=EXTRA) as life:
        await life.get("/fall")
        event, fields = life.log.lines[-1]
        assert (event, str(fields["fault"])) == ("fault", "a fault of ours")


async def test_the_log_holds_no_signature() -> None:
    """A refused address is named by its route: what stands in it may be a key."""
    async with alive() as life:
        await life.get("/answer/db/ana/SECRETSECRET")
        await life.get("/nothing/SECRETSECRET?x=SECRETSECRET")
        assert life.log.lines
        assert "SECRET" not in repr(life.log.lines)


async def test_one_octet_at_a_time_ends_with_408() -> None:
    """A client that drips its headers is told so and cut off, however it goes on."""
    async with alive(QUICK) as life:
        reader, writer = await asyncio.open_connection("127.0.0.1", life.port)
        began = time.monotonic()

        async def drip() -> None:
            for octet in b"GET /healthz HTTP/1.1\r\nA: " + b"a" * 1000:
                writer.write(bytes([octet]))
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        plain(await reader.read(65_536), 408)
        assert time.monotonic() - began < 2
        dripping.cancel()
        writer.close()


async def test_a_silent_connection_is_closed() -> None:
    """A connection on which nothing comes ends without a word."""
    async with alive(QUICK) as life:
        assert await life.ask(b"", rest=2) == b""


async def test_a_kept_connection_may_rest_longer_than_a_request_may_take() -> None:
    """Between requests a connection may be idle; the next one is answered, and in the end it is closed."""
    async with alive(Limits(sent_within=0.2, idle=0.8)) as life:
        reader, writer = await asyncio.open_connection("127.0.0.1", life.port)
        for _ in range(2):
            writer.write(b"GET /static/icon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.readuntil(b"</svg>\n")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.4)
        assert await reader.read() == b""
        writer.close()


async def test_a_client_that_does_not_read_is_cut_off() -> None:
    """An answer that nobody takes ends with its connection."""

    async def big(_request: web.Request) -> web.Response:
        return web.Response(body=b"a" * 50_000_000)

    async with alive(QUICK, extra=[web.get("/big", big)]) as life:
        reader, writer = await asyncio.open_connection("127.0.0.1", life.port, limit=1024)
        writer.write(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(1)
        assert ("reads too slowly", {"within": 0.4}) in life.log.lines
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            async with asyncio.timeout(5):
                await reader.readexactly(50_000_000)
        writer.transport.abort()


async def test_hundreds_of_slow_clients_are_not_noticed() -> None:
    """With all places taken by clients that dawdle, a good request takes the place of the one that waited longest."""
    async with alive(Limits(connections=40)) as life:
        slow = [await asyncio.open_connection("127.0.0.1", life.port) for _ in range(120)]
        for _, writer in slow:
            writer.write(b"GET /healthz HT")
        status, _, _ = await life.get("/static/icon.svg")
        assert status == 200
        for _, writer in slow:
            writer.transport.abort()


async def test_no_kind_of_slow_client_touches_healthz() -> None:
    """With all places taken by headers that drip, bodies that drip and answers that nobody reads, `/healthz` answers a
    client that comes at once.
    """

    async def big(_request: web.Request) -> web.Response:
        return web.Response(body=b"a" * 5_000_000)

    slow = (
        b"GET /healthz HT",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nab",
        b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    async with alive(Limits(connections=30), extra=[*EXTRA, web.get("/big", big)]) as life:
        await life.ledger.claim_notice(HEALTHY, life.clock.now(), timedelta(0))
        clients = [await asyncio.open_connection("127.0.0.1", life.port, limit=1024) for _ in range(30)]
        for number, (_, writer) in enumerate(clients):
            writer.write(slow[number % len(slow)])
        await asyncio.sleep(0.1)
        for _ in range(20):
            began = time.monotonic()
            assert (await life.get("/healthz"))[0] == 200
            assert time.monotonic() - began < 1
        for _, writer in clients:
            writer.transport.abort()


async def test_a_body_that_drips_keeps_no_place() -> None:
    """Where all places are taken by requests whose bodies have not come, a good one takes the place of the first."""
    async with alive(Limits(connections=3), extra=EXTRA) as life:
        clients = [await asyncio.open_connection("127.0.0.1", life.port) for _ in range(3)]
        for _, writer in clients:
            writer.write(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
            await asyncio.sleep(0.05)
        assert (await life.get("/static/icon.svg"))[0] == 200
        assert await clients[0][0].read() == b""
        for reader, writer in clients[1:]:
            writer.write(b"b")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        for _, writer in clients:
            writer.close()


async def drip(
    life: Life, source: str = "127.0.0.1", named: str = ""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request whose body does not come, from an address of this machine, or as a proxy names a client."""
    reader, writer = await asyncio.open_connection("127.0.0.1", life.port, local_addr=(source, 0))
    forwarded = f"X-Forwarded-For: {named}\r\n" if named else ""
    writer.write(f"POST /echo HTTP/1.1\r\nHost: a\r\n{forwarded}Content-Length: 2\r\n\r\na".encode())
    await asyncio.sleep(0.02)
    return reader, writer


async def finish(client: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> bytes:
    """Send the rest of a body; how the answer begins, nothing where the connection was closed."""
    reader, writer = client
    with contextlib.suppress(ConnectionError):
        writer.write(b"b")
        return (await reader.read(100))[:12]
    return b""


ONE_CLIENT = Limits(connections=20, of_one_client=3)


async def test_a_client_has_only_so_many_connections() -> None:
    """W3: beyond that its own that waited longest goes, and nobody else's, however many places are free."""
    async with alive(ONE_CLIENT, extra=EXTRA) as life:
        other = await drip(life, "127.0.0.7")
        clients = [await drip(life, "127.0.0.6") for _ in range(5)]
        assert [await finish(client) for client in clients] == [b"", b"", *[b"HTTP/1.1 200"] * 3]
        assert await finish(other) == b"HTTP/1.1 200"
        assert "fault" not in life.log.events
        for _, writer in (other, *clients):
            writer.close()


async def test_a_proxy_has_as_many_as_it_likes_and_its_clients_do_not() -> None:
    """W3: behind a proxy the clients that it names are told apart; one that names nobody is not held back as one."""
    async with alive(ONE_CLIENT, extra=EXTRA) as life:
        unnamed = [await drip(life) for _ in range(6)]
        other = await drip(life, named="192.0.2.7")
        clients = [await drip(life, named="192.0.2.6") for _ in range(5)]
        assert [await finish(client) for client in clients] == [b"", b"", *[b"HTTP/1.1 200"] * 3]
        for client in (other, *unnamed):
            assert await finish(client) == b"HTTP/1.1 200"
        for _, writer in (other, *unnamed, *clients):
            writer.close()


async def test_a_client_whose_requests_are_all_at_work_hears_so() -> None:
    """Where none of its own waits, one more is turned away with a sentence; a connection is free again afterwards."""
    gate = asyncio.Event()

    async def wait(_request: web.Request) -> web.Response:
        await gate.wait()
        return web.Response()

    async with alive(ONE_CLIENT, extra=[web.get("/wait", wait)]) as life:
        waiting = [asyncio.create_task(life.get("/wait", X_Forwarded_For="192.0.2.6")) for _ in range(3)]
        await asyncio.sleep(0.2)
        status, headers, body = await life.get("/healthz", X_Forwarded_For="192.0.2.6")
        assert (status, body, headers["server"]) == (503, BUSY, "tocsin")
        assert (await life.get("/static/icon.svg", X_Forwarded_For="192.0.2.7"))[0] == 200
        gate.set()
        assert [status for status, _, _ in await asyncio.gather(*waiting)] == [200] * 3
        assert (await life.get("/static/icon.svg", X_Forwarded_For="192.0.2.6"))[0] == 200


async def test_whoever_holds_most_places_makes_room() -> None:
    """W3: where all places are taken the flood's own connections go, not the one of somebody who came before it."""
    async with alive(Limits(connections=8, of_one_client=6), extra=EXTRA) as life:
        first = await drip(life, named="192.0.2.7")
        flood = [await drip(life, named="192.0.2.6") for _ in range(6)]
        second = await drip(life, named="192.0.2.8")
        more = [await drip(life, named=f"192.0.2.{number}") for number in (9, 10)]
        assert await finish(first) == await finish(second) == b"HTTP/1.1 200"
        assert [await finish(client) for client in more] == [b"HTTP/1.1 200"] * 2
        assert [await finish(client) for client in flood][:2] == [b"", b""]
        assert "fault" not in life.log.events
        for _, writer in (first, second, *flood, *more):
            writer.close()


async def test_a_flood_through_a_proxy_that_names_nobody_holds_up_no_answer() -> None:
    """W3, W7: all the world shares one rate there; what is signed is asked for its signature all the same."""
    async with alive(**WEB) as life:
        lines = "GET /static/none HTTP/1.1\r\nHost: a\r\n\r\n" * int(BURST)
        await life.ask((lines + "GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").encode(), rest=20)
        assert (await life.get("/incidents"))[0] == 429
        assert (await life.get("/answer/card/bo/wrong"))[0] == 403
        assert (await life.get("/unsubscribe/card/bo/wrong"))[0] == 403


async def test_who_waited_longest_goes_first() -> None:
    """A connection whose last request was answered of late stays; one that has said nothing for longer goes."""
    request = b"GET /static/none HTTP/1.1\r\nHost: a\r\n\r\n"
    async with alive(Limits(connections=2)) as life:
        clients = [await asyncio.open_connection("127.0.0.1", life.port) for _ in range(2)]
        for reader, writer in (*clients, clients[0]):
            writer.write(request)
            await reader.readuntil(b"here.\n")
            await asyncio.sleep(0.01)
        assert (await life.get("/static/icon.svg"))[0] == 200
        assert await clients[1][0].read() == b""
        clients[0][1].write(request)
        assert (await clients[0][0].readuntil(b"\r\n")).startswith(b"HTTP/1.1 404")
        for _, writer in clients:
            writer.close()


async def test_one_request_after_another_on_a_connection() -> None:
    """Requests that come together are answered in their order; the limit for headers counts for each anew."""
    async with alive(Limits(sent_within=0.3), extra=EXTRA) as life:
        reader, writer = await asyncio.open_connection("127.0.0.1", life.port)
        for pause in (0.2, 0.2, 0.2):
            post = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: "
            writer.write(post + b"1\r\n\r\na" + post + b"2\r\n\r\nab" + post[:9])
            assert (await reader.readuntil(b"\r\n\r\n1\n")).startswith(b"HTTP/1.1 200")
            assert (await reader.readuntil(b"\r\n\r\n2\n")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(pause)
            writer.write(post[9:] + b"3\r\n\r\nabc")
            assert (await reader.readuntil(b"\r\n\r\n3\n")).startswith(b"HTTP/1.1 200")
        writer.close()


def test_connections_stand_on_public_names() -> None:
    """No private member of aiohttp is read, called or replaced, so that its next version may have others."""
    theirs = {
        name
        for kind in (*web.RequestHandler.__mro__, *web.AppRunner.__mro__, web.Server)
        for name in (*vars(kind), *vars(kind).get("__slots__", ()))
        if name.startswith("_") and not name.endswith("__")
    }
    tree = ast.parse(inspect.getsource(connections))
    ours = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    ours |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert len(theirs) > 30
    assert not ours & theirs


async def test_where_all_are_at_work_others_hear_so() -> None:
    """With all places taken by requests under way, the next is turned away with a sentence."""
    gate = asyncio.Event()

    async def wait(_request: web.Request) -> web.Response:
        await gate.wait()
        return web.Response()

    async with alive(Limits(connections=2), extra=[web.get("/wait", wait)]) as life:
        waiting = [asyncio.create_task(life.get("/wait")) for _ in range(2)]
        await asyncio.sleep(0.2)
        status, _, body = parsed(await life.ask(b""))
        assert (status, body) == (503, BUSY)
        gate.set()
        assert [status for status, _, _ in await asyncio.gather(*waiting)] == [200, 200]


async def test_a_dripping_body_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not come whole in good time is refused; nothing was done with its beginning."""
    monkeypatch.setattr("tocsin.web.server.ANSWERED_WITHIN", 0.3)
    async with alive(QUICK, extra=EXTRA) as life:
        plain(await life.ask(b"POST /echo HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"), 408)


async def test_who_hangs_up_is_no_fault_of_ours() -> None:
    """A client that goes away in the middle of its body, or before its answer, is nothing to alarm anybody."""
    async with alive(QUICK, extra=EXTRA) as life:
        for sent in (
            b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
            b"GET / HT",
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        ):
            for abort in (True, False):
                _, writer = await asyncio.open_connection("127.0.0.1", life.port)
                writer.write(sent)
                await asyncio.sleep(0.05)
                writer.transport.abort() if abort else writer.close()
        await asyncio.sleep(0.3)
        assert "fault" not in life.log.events


async def test_a_flood_from_one_address_is_429_and_others_are_served() -> None:
    """Beyond its rate an address hears 429, another one is served, and the first again a little later."""
    async with alive() as life:

        async def statuses(asker: str, many: int) -> list[int]:
            lines = f"GET /static/none HTTP/1.1\r\nX-Forwarded-For: {asker}\r\n\r\n" * (many - 1)
            last = f"GET /static/none HTTP/1.1\r\nConnection: close\r\nX-Forwarded-For: {asker}\r\n\r\n"
            answers = (await life.ask((lines + last).encode(), rest=20)).decode()
            return [int(status) for status in re.findall(r"HTTP/1.1 (\d+)", answers)]

        flood = await statuses("192.0.2.1", int(BURST) + 1)
        assert flood == [404] * int(BURST) + [429]
        assert await statuses("192.0.2.2", 1) == [404]


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from(["a", "b"])), max_size=60))
def test_no_address_gets_more_than_its_rate(asks: list[tuple[float, str]]) -> None:
    """In any span an address gets at most its burst and what has filled up since; one that keeps to it is never refused."""
    now, got = 0.0, {"a": 0, "b": 0}
    rates = RateLimit(lambda: now)
    for wait, address in asks:
        now += wait
        for _ in range(700):
            got[address] += rates.allow(address)
        assert got[address] <= BURST + now * STEADY
        if wait * STEADY >= BURST:
            assert rates.allow(address)
            got[address] += 1


def test_only_so_many_addresses_are_remembered() -> None:
    """A flood from all over the world does not fill the memory."""
    rates = RateLimit(lambda: 0.0)
    for number in range(ADDRESSES_MOST + 100):
        rates.allow(str(number))
    assert len(rates._buckets) == ADDRESSES_MOST


async def test_lines_in_the_log_are_few() -> None:
    """Of one event a few lines a minute are written, and in the end how many were held back."""
    with structlog.testing.capture_logs() as lines:
        log = log_limit.LimitedLog()
        for number in range(50):
            log.warning("refused", status=404, number=number)
        log.warning("other")
        log._close("refused")
    refused = [line for line in lines if line["event"] == "refused"]
    assert len(refused) == log_limit.LINES_MOST + 1
    assert refused[-1]["held_back"] == 50 - log_limit.LINES_MOST
    assert [line["event"] for line in lines].count("other") == 1


async def test_head_is_get_without_a_body() -> None:
    """HEAD has the headers of GET and nothing else."""
    async with alive() as life:
        _, asked, _ = await life.get("/static/site.css")
        status, headers, body = await life.get("/static/site.css", "HEAD")
        assert (status, body) == (200, "")
        assert headers["content-length"] == asked["content-length"]


async def test_every_answer_has_the_security_headers() -> None:
    """Good or bad, no answer lets a browser run, frame or leak anything."""
    async with alive(QUICK, extra=EXTRA) as life:
        for path in ("/healthz", "/metrics", "/static/site.css", "/nothing", "/fall", "/" + "a" * 5000):
            _, headers, _ = await life.get(path)
            assert headers["content-security-policy"].startswith("default-src 'none'")
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["server"] == "tocsin"


async def test_static_files_are_kept_by_browsers() -> None:
    """A stylesheet has its type, and is not sent again when it is known."""
    async with alive() as life:
        _, headers, _ = await life.get("/static/site.css")
        assert headers["content-type"] == "text/css; charset=utf-8"
        status, _, body = await life.get("/static/site.css", If_None_Match=headers["etag"])
        assert (status, body) == (304, "")
