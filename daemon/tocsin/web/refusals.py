"""What is said when a request leads to nothing: to a browser a small page in our frame, to everything else a line."""

from collections.abc import Mapping

from aiohttp import web

from tocsin.ports.ledger.trouble import LedgerError
from tocsin.web.access.viewer import is_browser
from tocsin.web.http.site import Site

TITLES = {
    400: "That was not understood",
    401: "Sign in first",
    403: "Not allowed",
    404: "Nothing here",
    408: "That took too long",
    410: "That is over",
    413: "Too big",
    415: "Not understood",
    429: "Too often",
    500: "Something went wrong",
    503: "Not now",
}
"""What a page is called; any other is `OTHERWISE`."""
OTHERWISE = "Not possible"


async def refusal(
    site: Site, request: web.Request, status: int, sentence: str, headers: Mapping[str, str]
) -> web.Response:
    """The answer. It tells nothing of whether something is there for others."""
    if not is_browser(request):
        return web.Response(text=sentence, status=status, headers=headers)
    values = {"heading": TITLES.get(status, OTHERWISE), "sentence": sentence.strip(), "signs_in": status == 401}
    try:
        page = await site.public_page("refusal", status, **values)
    except LedgerError:  # nobody knows whose site it is
        page = site.page("refusal", status, organisation="", reply_to="", **values)
    page.headers.update(headers)
    return page
