"""What a form says: urlencoded, in UTF-8, and nothing else. Whatever is wrong with it is 415 or 400.

The one exception is what RFC 8058 asks for: mail programs may unsubscribe a reader by a form in parts. Of those only
plain ones are read.
"""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

from aiohttp import web

FORM = "application/x-www-form-urlencoded"
IN_PARTS = "multipart/form-data"
FIELDS_MOST = 50
"""Fields of one form."""
LETTERS = ("utf-8", "utf8", "us-ascii", "ascii")
"""How a text may say that it is written."""
_BOUNDARY = re.compile(r'.*;\s*boundary=(?:"([\x20-\x7e]{1,70})"|([^\s;,"]{1,70}))\s*(?:;.*)?', re.IGNORECASE)
_NAME = re.compile(rb'\r\ncontent-disposition: *form-data *; *name="?([^"\r\n;]*)', re.IGNORECASE)


def is_legible(request: web.BaseRequest) -> bool:
    """Whether a body says of itself that it is text as we read it, or says nothing."""
    kind = request.headers.get("Content-Type", "")
    letters = [part.partition("=")[2].strip(" \"'").lower() for part in kind.split(";") if "charset" in part.lower()]
    return all(word in LETTERS for word in letters)


async def form(request: web.Request, *, in_parts: bool = False) -> dict[str, list[str]]:
    """The values of each field of a form, in their order; none of one without a body. Raises 415 for another kind
    of content, 400 for one that cannot be read.
    """
    if not request.can_read_body:
        return {}
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in ((FORM, IN_PARTS) if in_parts else (FORM,)) or "Content-Encoding" in request.headers:
        raise web.HTTPUnsupportedMediaType
    if not is_legible(request):
        raise web.HTTPUnsupportedMediaType
    body = await request.read()
    try:
        fields = list(_parts(request.headers["Content-Type"], body)) if kind == IN_PARTS else _pairs(body)
    except ValueError:
        raise web.HTTPBadRequest from None
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return values


def _pairs(body: bytes) -> list[tuple[str, str]]:
    """The fields of a urlencoded form. Raises ValueError."""
    return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MOST)


def _parts(kind: str, body: bytes) -> Iterator[tuple[str, str]]:
    """The fields of a form in parts. Raises ValueError."""
    boundary = _BOUNDARY.fullmatch(kind)
    if boundary is None:
        raise ValueError("it does not say what parts it")
    line = b"\r\n--" + (boundary[1] or boundary[2]).encode()
    _, *parts = (b"\r\n" + body).split(line)
    if len(parts) > FIELDS_MOST or not parts or not parts.pop().startswith(b"--"):
        raise ValueError("it has no end, or too many parts")
    for part in parts:
        head, blank, value = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not blank or name is None:
            raise ValueError("a part has no name")
        yield name[1].decode(), value.decode()
