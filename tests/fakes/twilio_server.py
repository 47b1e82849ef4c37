"""A stand-in for Twilio's Messages API over loopback: create, list (paged), fetch; faults on demand; a true log.

In a test:      async with StandIn() as twilio: twilio.next("create", "code 21610"); …; twilio.created
As a process:   python -m tests.fakes.twilio_server [--account AC…] [--token T] [--log FILE] [--lag SECONDS]
                    [--number +1…]… [--rate N [--over 429|queue]] [--points FILE]
                prints {"url": …}; each line on stdin is a fault {"phase", "fault", "times", "to"} (times null: for
                ever; to: only at messages to that number), an
                inbound message {"inbound": {"from", "to", "body"}}, a status {"status": {"sid", "status"}}, what
                becomes of every message to a number {"end": {"to", "status", "code"}} (to "*": to all others), step by
                step {"course": {"to", "steps": [[seconds, status, code], …]}}, what the account itself is like
                {"books": {"status", "balance", …}} (`twilio_account`), or a
                webhook to the address that the message was created with {"tell": {"sid", "status", "code"}}, or {"go": true}
                (see `hold`); each message that was truly created is a line of JSON in FILE, each request one of
                --points.
A second account is a second stand-in, with an account, a token and numbers of its own.

Phases: create list fetch. Faults:
    429 [N]     too many requests, with Retry-After N; nothing is created
    500 …       this status with a body that is not JSON; nothing is created (500 keep: the message is created)
    code N [S]  status S (400) with Twilio's error N; nothing is created
    hang, drop, broken, nosid     the message is created, then: no answer, a cut connection, half JSON, no sid
    lose        the connection is cut and nothing is created
    redirect    answered by another address, which creates; nothing is created until that is asked
    huge        the message is created and answered for with megabytes
    slow N …    wait N seconds, then do the rest
    hold …      wait until it is told to go on, then do the rest; alone, the message is created before that. That it
                waits is a line of --points, {"held": phase}

Without faults a create is answered as Twilio does: 21211 a number that is none, 21606 a sender that is none of the
account's numbers (if any were given), 20001 a parameter that Twilio does not know, 429 or a queue beyond the rate.

Courses: what becomes of each message to a number ("*": to all others), as steps (seconds, status, code). A step at 0 s
is told before the create is answered, others so long after it; they may be late, in a wrong order, repeated, or missing.
Each step is posted to the address that the message was created with, if any, and holds for list and fetch from then on,
unless the message has already come to its end.
"""

import argparse
import asyncio
import contextlib
import json
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.fakes import twilio_webhooks as webhooks
from tests.fakes.faults import Faults, Holds, Rate
from tests.fakes.orders import orders, say
from tests.fakes.twilio_account import AccountBooks

PHASES = ("create", "list", "fetch")
ENDS = ("delivered", "undelivered", "failed", "canceled", "read")
KNOWN = frozenset(
    {
        *(
            "AddressRetention",
            "ApplicationSid",
            "Attempt",
            "Body",
            "ContentRetention",
            "ContentSid",
            "ContentVariables",
        ),
        *("FallbackFrom", "ForceDelivery", "From", "MaxPrice", "MediaUrl", "MessagingServiceSid", "PersistentAction"),
        *("ProvideFeedback", "RiskCheck", "ScheduleType", "SendAsMms", "SendAt", "ShortenUrls", "SmartEncoded"),
        *("StatusCallback", "To", "TrafficType", "ValidityPeriod"),
    }
)
"""The parameters of a create, by Twilio's OpenAPI description."""
Course = Sequence[tuple[float, str, str]]


@dataclass
class Created:
    """One message of the account, inbound or outbound."""

    sid: str
    at: float
    to: str
    sender: str
    body: str
    validity: int | None
    service: str | None
    callback: str = ""
    direction: str = "outbound-api"
    status: str = "queued"
    code: int = 30003
    leaves: float = 0.0


class StandIn:
    """The server. `created` is the truth; `requests` are all that were heard, as (method, path, form or query).
    `numbers`: the account's own, if that is to be looked at. `rate`: messages that leave in a second, `over`: what comes
    beyond is answered 429, or waits in the account's queue.
    """

    def __init__(
        self,
        *,
        account: str = "AC" + "0" * 32,
        token: str = "token",
        log: Path | None = None,
        lag: float = 0.0,
        numbers: Sequence[str] = (),
        rate: float = 0.0,
        over: str = "429",
        points: Path | None = None,
    ) -> None:
        self.account = account
        self.numbers, self.rate, self.over = tuple(numbers), Rate(rate), over
        self.books = AccountBooks(account, dict.fromkeys(numbers, True))
        self.courses: dict[str, Course] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._login = "Basic " + b64encode(f"{account}:{token}".encode()).decode()
        self._logins = {self._login}
        self._token = token
        self._log = log
        self.lag = lag
        self.final = "delivered"
        self.ends: dict[str, tuple[str, int]] = {}
        self.day_begins = timedelta()
        self.faults = Faults(PHASES)
        self.holds = Holds(points)
        self.created: list[Created] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self._runner: web.AppRunner | None = None
        self.url = ""

    def next(self, phase: str, fault: str, times: int = 1, to: str = "") -> None:
        """So many times, one after the other, this phase goes wrong so (at messages to that number)."""
        self.faults.next(phase, fault, times, to)

    def always(self, phase: str, fault: str, to: str = "") -> None:
        """From now on this phase goes wrong so (at messages to that number); an empty fault ends that."""
        self.faults.always(phase, fault, to)

    def allow(self, user: str, secret: str) -> None:
        """An API key opens the account too."""
        self._logins.add("Basic " + b64encode(f"{user}:{secret}".encode()).decode())

    def inbound(self, sender: str, to: str, body: str) -> str:
        """Somebody writes to our number; the message's sid."""
        return self._keep(
            Created(self._sid(), time.time(), to, sender, body, None, None, "", "inbound", "received")
        ).sid

    def set_status(self, sid: str, status: str, code: int = 30003) -> None:
        """What fetching this message says from now on; `code` is why, if it failed."""
        message = next(message for message in self.created if message.sid == sid)
        message.status, message.code = status, code

    def end(self, to: str, status: str, code: int) -> None:
        """What becomes from now on of every message to that number; "*": of those to all others."""
        self.ends[to] = (status, code)

    def course(self, to: str, *steps: tuple[float, str, str]) -> None:
        """What becomes from now on of every message to that number, and when; "*": of those to all others."""
        self.courses[to] = steps

    def _end_of(self, to: str) -> tuple[str, int]:
        return self.ends.get(to) or self.ends.get("*") or (self.final, 30003)

    async def tell(self, sid: str, status: str, code: str = "") -> int:
        """Say by webhook what became of a message; the status of the answer."""
        told = next(message for message in self.created if message.sid == sid)
        told.status = status
        form = webhooks.status(status, sid, code, told.to, account=self.account, sender=told.sender)
        return await webhooks.post(self._token, told.callback, form)

    @property
    def sent(self) -> list[Created]:
        """The messages that we sent."""
        return [message for message in self.created if message.direction != "inbound"]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        app = web.Application()
        base = f"/2010-04-01/Accounts/{self.account}"
        app.router.add_post(f"{base}/Messages.json", self._create)
        app.router.add_get(f"{base}/Messages.json", self._list)
        app.router.add_get(base + "/Messages/{sid}.json", self._fetch)
        self.books.open(app.router, self._refused)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        assert self._runner is not None
        for telling in self._telling:
            telling.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)
        await self._runner.cleanup()

    async def _create(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if refused := self._refused(request, form):
            return refused
        fault = await self._fault("create", form.get("To", ""))
        word, _, rest = fault.partition(" ")
        if word == "lose":
            return _cut(request)
        if word == "redirect":
            return web.Response(status=307, headers={"Location": request.path})
        if (word.isdigit() and rest != "keep") or word == "code":
            return _error(word, rest)
        if not fault and (wrong := self._wrong(form)):
            return _error(*wrong.split(" ", 1))
        message = Created(
            self._sid(),
            time.time(),
            form["To"],
            form.get("From") or "+15005550009",
            form["Body"],
            int(form["ValidityPeriod"]) if "ValidityPeriod" in form else None,
            form.get("MessagingServiceSid"),
            form.get("StatusCallback", ""),
            status="",
            code=self._end_of(form["To"])[1],
            leaves=time.time() + (self.rate.wait() if self.over == "queue" else 0.0),
        )
        self._keep(message)
        await self._follow(message)
        if word.isdigit():
            return _error(word, "")
        if word in ("hold", "hang"):
            await (self.holds.wait("create", to=message.to) if word == "hold" else asyncio.sleep(3600))
        if word == "drop":
            return _cut(request)
        if word == "broken":
            return web.Response(status=201, text='{"sid": "SM', content_type="application/json")
        shown = self._shown(message, "queued")
        if word == "nosid":
            del shown["sid"]
        if word == "huge":
            shown["padding"] = "x" * (3 << 20)
        return web.json_response(shown, status=201)

    def _wrong(self, form: dict[str, str]) -> str:
        """What is wrong with a create, as a fault."""
        if set(form) - KNOWN:
            return "code 20001"
        if not form.get("To", "").startswith("+"):
            return "code 21211"
        if self.numbers and "MessagingServiceSid" not in form and form.get("From") not in self.numbers:
            return "code 21606"
        return "429" if self.over == "429" and self.rate.over() else ""

    async def _follow(self, message: Created) -> None:
        """Begin the course of a message; what comes at once is told before this returns."""
        steps = self.courses.get(message.to) or self.courses.get("*") or ()
        if steps:
            message.status = "queued"
        for after, status, code in steps:
            telling = asyncio.create_task(self._step(message, after, status, code))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)
            if not after:
                await telling

    async def _step(self, message: Created, after: float, status: str, code: str) -> None:
        await asyncio.sleep(after)
        if message.status not in ENDS:
            message.status, message.code = status, int(code or message.code)
        if message.callback:
            form = webhooks.status(status, message.sid, code, message.to, account=self.account, sender=message.sender)
            with contextlib.suppress(OSError, aiohttp.ClientError):  # nobody listens: Twilio does not ask twice either
                await webhooks.post(self._token, message.callback, form)

    async def _list(self, request: web.Request) -> web.StreamResponse:
        """Newest first, filtered by To, From and (by the day, which begins at `day_begins` UTC) DateSent, a page at a
        time.
        """
        query = dict(request.query)
        if refused := self._refused(request, query):
            return refused
        fault = await self._fault("list")
        if fault:
            return _cut(request) if fault in ("drop", "lose") else _error(*fault.split(" ", 1), "")
        found = [
            message
            for message in reversed(self.created)
            if query.get("To", message.to) == message.to
            and query.get("From", message.sender) == message.sender
            and time.time() - message.at >= self.lag
            and self._day(message.at) >= query.get("DateSent>", "")[:10]
        ]
        size, number = int(query.get("PageSize", 50)), int(query.get("Page", 0))
        shown = [self._shown(message, self._state(message)) for message in found]
        here = shown[size * number : size * (number + 1)]
        path = request.path
        more = size * (number + 1) < len(found)
        following = request.rel_url.update_query(Page=number + 1, PageToken="PA" + here[-1]["sid"]) if more else None
        return web.json_response(
            {
                "messages": here,
                "page": number,
                "page_size": size,
                "start": size * number,
                "end": size * number + len(here) - 1,
                "first_page_uri": path,
                "next_page_uri": str(following) if following else None,
                "previous_page_uri": None,
                "uri": path,
            }
        )

    async def _fetch(self, request: web.Request) -> web.StreamResponse:
        if refused := self._refused(request, {}):
            return refused
        fault = await self._fault("fetch")
        if fault:
            return _cut(request) if fault in ("drop", "lose") else _error(*fault.split(" ", 1), "")
        for message in self.created:
            if message.sid == request.match_info["sid"]:
                return web.json_response(self._shown(message, self._state(message)))
        return _error("code", "20404 404")

    def _state(self, message: Created) -> str:
        waits = message.leaves > time.time()
        return "queued" if waits else message.status or self._end_of(message.to)[0]

    def _day(self, at: float) -> str:
        return f"{datetime.fromtimestamp(at, UTC) - self.day_begins:%Y-%m-%d}"

    def _refused(self, request: web.Request, form: dict[str, str]) -> web.Response | None:
        self.requests.append((request.method, request.path, form))
        self.holds.note(method=request.method, path=request.path, to=form.get("To", ""))
        known = request.headers.get("Authorization") in self._logins
        return None if known else _error("code", "20003 401")

    async def _fault(self, phase: str, to: str = "") -> str:
        fault = self.faults.take(phase, to)
        if fault.startswith("slow "):
            _, span, *then = fault.split(" ", 2)
            await asyncio.sleep(float(span))
            fault = then[0] if then else ""
        if fault.startswith("hold "):
            await self.holds.wait(phase, to=to)
            fault = fault.removeprefix("hold ")
        return fault

    def _sid(self) -> str:
        return f"SM{len(self.created) + 1:032x}"

    def _keep(self, message: Created) -> Created:
        self.created.append(message)
        if self._log is not None:
            with self._log.open("a") as file:
                file.write(json.dumps(message.__dict__) + "\n")
        return message

    def _shown(self, message: Created, status: str) -> dict[str, Any]:
        created = format_datetime(datetime.fromtimestamp(message.at, UTC))
        return {
            "account_sid": self.account,
            "api_version": "2010-04-01",
            "body": message.body,
            "date_created": created,
            "date_sent": None if status in ("queued", "accepted", "sending") else created,
            "date_updated": created,
            "direction": message.direction,
            "error_code": message.code if status in ("undelivered", "failed") else None,
            "error_message": None,
            "from": message.sender,
            "messaging_service_sid": message.service,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "sid": message.sid,
            "status": status,
            "subresource_uris": {},
            "to": message.to,
            "uri": f"/2010-04-01/Accounts/{self.account}/Messages/{message.sid}.json",
        }


def _cut(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def _error(word: str, rest: str = "", *_: str) -> web.Response:
    """An answer that is none."""
    if word == "code":
        code, _, status = rest.partition(" ")
        said = {"code": int(code), "message": f"error {code}", "more_info": "", "status": int(status or 400)}
        return web.json_response(said, status=int(status or 400))
    if word == "429":
        said = {"code": 20429, "message": "Too Many Requests", "more_info": "", "status": 429}
        return web.json_response(said, status=429, headers={"Retry-After": rest} if rest else {})
    return web.Response(status=int(word), text="<html>something went wrong</html>", content_type="text/html")


async def _main() -> None:
    """Serve until the input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--account", default="AC" + "0" * 32)
    parser.add_argument("--token", default="token")
    parser.add_argument("--log", type=Path)
    parser.add_argument("--lag", type=float, default=0.0)
    parser.add_argument("--number", dest="numbers", action="append", default=[])
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--over", choices=("429", "queue"), default="429")
    parser.add_argument("--points", type=Path)
    async with StandIn(**vars(parser.parse_args())) as twilio:
        say({"url": twilio.url})
        async for order in orders():
            if "inbound" in order:
                written = order["inbound"]
                say({"sid": twilio.inbound(written["from"], written["to"], written["body"])})
                continue
            if "tell" in order:
                say({"answer": await twilio.tell(**order["tell"])})
                continue
            if "go" in order:
                twilio.holds.go()
            elif "end" in order:
                twilio.end(**order["end"])
            elif "course" in order:
                twilio.course(order["course"]["to"], *order["course"]["steps"])
            elif "books" in order:
                vars(twilio.books).update(order["books"])
            elif "status" in order:
                twilio.set_status(**order["status"])
            else:
                twilio.faults.order(order)
            say({"done": order})


if __name__ == "__main__":
    asyncio.run(_main())
