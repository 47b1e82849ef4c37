"""`/inbox`, every message of the outbox as its reader would see it, newest first, live. Nothing in a mail can run or
load anything.
"""

import asyncio
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path

from aiohttp import web

from tocsin.adapters.outbox.file import OutboxFile
from tocsin.web.access.viewer import require_reader, viewer
from tocsin.web.http.site import CACHE_NEVER, DEADLINE, OutboxView, Site

LOOKED_AT = 500
"""Messages among which those that somebody asked for are looked for."""
SHOWN_MOST = 100
"""Messages on the page."""
LOOKS_EVERY = 0.5
"""Seconds between two looks for those who watch."""
WATCHERS_MOST = 20
"""Browsers that watch at once; others ask again by themselves."""
WATCHED_MOST = 600
"""Looks until a browser has to connect anew, which it does by itself: five minutes."""
QUIET_MOST = 30
"""Looks after which a word is sent though nothing came, to see whether anybody still listens."""
TAKEN_WITHIN = 5.0
"""Seconds for a browser to take a word."""
TONES = {"page": "alarm", "update": "news", "closing": "good", "reminder": "warn", "operator": "warn", "verify": "warn"}
"""Colours of kinds; the others are calm."""
OF_MAIL = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; script-src 'none'; img-src 'none'; font-src 'none'; "
    "connect-src 'none'; media-src 'none'; object-src 'none'; frame-src 'none'; worker-src 'none'; "
    "manifest-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; style-src-elem {styles}"
)
"""What a mail may do: nothing, but for its own styles and links that open elsewhere."""
_STYLES = re.compile(r"<style[^>]*>(.*?)</style\s*>", re.DOTALL | re.IGNORECASE)
_HEAD = re.compile(r"<head[^>]*>|$", re.IGNORECASE)
_NEW_TAB = '<base target="_blank">'


@dataclass(frozen=True, slots=True)
class _Filter:
    person: str
    incident: str

    def among(self, newest: Sequence[OutboxFile]) -> list[OutboxFile]:
        """The messages that pass, the newest first."""
        passing = (
            message
            for message in newest
            if self.person in ("", message.person) and (not self.incident or self.incident in message.incidents)
        )
        return list(islice(passing, SHOWN_MOST))


def routes(site: Site) -> list[web.RouteDef]:
    """`GET /inbox` with `?person=` and `?incident=`, its events, and the HTML of one mail."""
    watchers: set[asyncio.Task[object] | None] = set()

    async def inbox(request: web.Request) -> web.Response:
        messages, shown = await _messages(site, request), _filter(request)
        mark = messages.mark()
        newest = await asyncio.to_thread(messages.newest, LOOKED_AT)
        return site.page(
            "inbox",
            messages=shown.among(newest),
            shown=shown,
            tones=TONES,
            mark=mark,
            any_yet=bool(newest),
            folder=_from_here(site.settings.incidents),
            severity=site.settings.unreadable_severity,
            viewer=await viewer(site, request),
        )

    async def events(request: web.Request) -> web.StreamResponse:
        messages = await _messages(site, request)
        if len(watchers) >= WATCHERS_MOST:
            raise web.HTTPServiceUnavailable(text="Too many are watching. The page asks again by itself.")
        watchers.add(asyncio.current_task())
        try:
            return await _watch(site, messages, request)
        finally:
            watchers.discard(asyncio.current_task())

    async def html(request: web.Request) -> web.Response:
        messages = await _messages(site, request)
        text = await asyncio.to_thread(messages.html, request.match_info["name"])
        if text is None:
            raise web.HTTPNotFound
        headers = {"Content-Security-Policy": _allowed(text), "X-Frame-Options": "SAMEORIGIN"}
        answer = web.Response(
            text=_HEAD.sub(lambda head: head[0] + _NEW_TAB, text, count=1), content_type="text/html", headers=headers
        )
        answer.headers["Cache-Control"] = CACHE_NEVER
        return answer

    return [
        web.get("/inbox", inbox),
        web.get("/inbox/events", events, allow_head=False),
        web.get("/inbox/{name}/html", html),
    ]


async def _messages(site: Site, request: web.Request) -> OutboxView:
    """The inbox, for somebody who may see it."""
    if site.outbox is None:
        raise web.HTTPNotFound(text="There is no inbox here: messages really leave. It shows those of the outbox.")
    await require_reader(site, request)
    return site.outbox


def _filter(request: web.Request) -> _Filter:
    return _Filter(request.query.get("person", "")[:100], request.query.get("incident", "")[:100])


async def _watch(site: Site, messages: OutboxView, request: web.Request) -> web.StreamResponse:
    """Tell a browser the folder's mark now and whenever it changes."""
    request[DEADLINE].reschedule(None)
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": CACHE_NEVER})
    await answer.prepare(request)
    last_mark, quiet = "", 0
    for _ in range(WATCHED_MOST):
        mark = await asyncio.to_thread(messages.mark)
        quiet = 0 if mark != last_mark else quiet + 1
        if mark != last_mark or quiet >= QUIET_MOST:
            try:
                async with asyncio.timeout(TAKEN_WITHIN):
                    await answer.write(f"data: {mark}\n\n".encode())
            except (ConnectionError, TimeoutError):  # nobody listens any more
                return answer
            last_mark, quiet = mark, 0
        try:
            async with asyncio.timeout(LOOKS_EVERY):
                await site.ending.wait()
            break
        except TimeoutError:
            continue
    return answer


def _allowed(html: str) -> str:
    """The mail's own style sheets are known by their digests: nothing else can be loaded as one."""
    digests = (b64encode(sha256(style.encode()).digest()).decode() for style in _STYLES.findall(html))
    return OF_MAIL.format(styles=" ".join(f"'sha256-{digest}'" for digest in digests) or "'none'")


def _from_here(folder: Path) -> Path:
    """A folder as somebody in the current one would write it."""
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
