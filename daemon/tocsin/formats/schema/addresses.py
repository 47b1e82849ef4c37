"""What a link in a message may lead to: a web address, or a number to call.

Raises ValueError with a sentence that says what to write instead, without a word of the address: many are secrets of
their own. Must not know whose link it is; asks no network.
"""

import re
from urllib.parse import urlsplit

ADDRESS_LIMIT = 2_000
"""The longest web address, in characters."""
_TEL = re.compile(r"[Tt][Ee][Ll]:\+?[0-9][0-9().,;=*#-]{2,60}", re.ASCII)


def why_no_url(text: str) -> str:
    """What is wrong with a web address; empty if nothing is."""
    if re.search(r"\s", text):
        return "there is a blank in it"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "its host or its port cannot be read"
    if parts.scheme not in {"http", "https"}:
        return "it does not begin with https:// or http://"
    if len(text) > ADDRESS_LIMIT:
        return f"it is over {ADDRESS_LIMIT} characters"
    return "it names no host" if not host else "its port is 0" if port == 0 else ""


def web_address(text: str) -> str:
    """An address that a browser opens, as it is written."""
    written = text.strip()
    if why := why_no_url(written):
        raise ValueError(f"it is no web address ({why}); write it such as https://wiki.example.com/payments")
    return written


def link(text: str) -> str:
    """What a link may lead to, as it is written: a web address, or a number to call (tel:)."""
    written = text.strip()
    if _TEL.fullmatch(written):
        return written
    if written[:4].lower() == "tel:":
        raise ValueError("it is no number to call; write tel:, + and digits, such as tel:+14155550101")
    if why := why_no_url(written):
        raise ValueError(
            f"it leads nowhere ({why}); write an address such as https://wiki.example.com, or tel:+14155550101"
        )
    return written
