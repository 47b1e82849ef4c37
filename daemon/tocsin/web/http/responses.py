"""What is said when a request leads to nothing, one sentence a status, and the headers of every answer."""

from http import HTTPStatus

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex",
}
"""What browsers may do with an answer, unless a route says otherwise."""
SERVER = "tocsin"
"""All that is told of the program: neither its version nor what it is made of."""
SENTENCES = {
    400: "This request cannot be understood.",
    401: "This needs a token.",
    403: "This is not allowed.",
    404: "There is nothing here.",
    405: "This cannot be done here.",
    408: "This took too long.",
    413: "This is too big.",
    414: "This address is too long.",
    415: "This kind of content is not taken here.",
    417: "This expectation cannot be met.",
    429: "This is too often. Try again in a minute.",
    431: "These headers are too big.",
    500: "Something went wrong here. It was noted; nothing was changed.",
    503: "The ledger cannot be used now. Try again in a minute.",
}
BUSY = "Too many are asking at once. Try again in a minute.\n"


def sentence(status: int) -> str:
    """What is said for a status, as a line."""
    return (SENTENCES.get(status) or f"{HTTPStatus(status).phrase}.") + "\n"
