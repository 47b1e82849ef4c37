"""Signed links: paths that only we can have made, and whether one of them is ours.

A long path carries what it is for, and a signature over that (HMAC-SHA256, cut to 128 bits). A short one, `/a/TOKEN`,
carries the signature alone, of 95 bits: whom it is for the ledger knows by the token's digest (P8 TOKEN). Keys can be
rotated: the first signs, all verify. When a link expires, and what following one does, is not decided here.
"""

import base64
import hashlib
import hmac
import string
from collections.abc import Sequence
from urllib.parse import quote

SIGNATURE_OCTETS = 16
"""How much of the digest is kept: 128 bits are 22 characters, and more than anybody can guess."""


TOKEN_LETTERS = 16
"""How long a token is: a short link fits in any SMS, and nobody guesses one."""
BASE_62 = string.digits + string.ascii_letters
DIGEST_LETTERS = 43
"""Letters of BASE_62 that hold a whole SHA-256."""
SHORT = "/a/"
"""What the path of a short link begins with."""
STATUS = "/s/"
"""The same of the page of what outsiders were told."""


def token(key: str, incident: str, episode: int, person: str) -> str:
    """What the short link ends with by which one person answers for one incident, in one of its episodes."""
    number, letters = int.from_bytes(_mac(key, b"tocsin token 1:", (incident, str(episode), person))), ""
    for _ in range(DIGEST_LETTERS):
        number, letter = divmod(number, len(BASE_62))
        letters = BASE_62[letter] + letters
    return letters[:TOKEN_LETTERS]


def status_token(key: str, incident: str) -> str:
    """What the link ends with by which outsiders follow an incident: its id may be made of words for insiders."""
    return token(key, incident, 0, "")


def token_digest(letters: str) -> str:
    """By what the ledger finds a token, so that nobody has to compare tokens, or keep them beside whom they are for."""
    return hashlib.sha256(letters.encode("utf-8", "replace")).hexdigest()


def answer(keys: Sequence[str], incident: str, person: str, episode: int = 1) -> str:
    """The path at which one person answers for one incident, in one of its episodes. That of the first is not named:
    links were once of any episode, and those who hold one must still be heard while it can be meant.
    """
    return _signed(keys, "answer", incident, person, *_later(episode))


def page(keys: Sequence[str], incident: str) -> str:
    """The path of an incident's internal view."""
    return _signed(keys, "incidents", incident)


def calendar(keys: Sequence[str], owner: str) -> str:
    """The path of the on-call calendar of a person or a rotation."""
    return _signed(keys, "oncall", owner)


def unsubscribe(keys: Sequence[str], incident: str, reader: str) -> str:
    """The path at which a reader asks to hear no more of such updates."""
    return _signed(keys, "unsubscribe", incident, reader)


def answer_is_signed(keys: Sequence[str], signature: str, incident: str, person: str, episode: int) -> bool:
    """Whether one of the keys signed a link by which this person answers in this episode: a long one, which ends with
    `signature`, or a short one.
    """
    octets = signature.encode("utf-8", "replace")
    tokens = [hmac.compare_digest(token(key, incident, episode, person).encode(), octets) for key in keys]
    return verified(keys, signature, "answer", incident, person, *_later(episode)) or any(tokens)


def _later(episode: int) -> tuple[str, ...]:
    """What an answer's link says of the episode."""
    return () if episode <= 1 else (str(episode),)


def verified(keys: Sequence[str], signature: str, *parts: str) -> bool:
    """Whether one of the keys signed these parts (the first is what the link is for), in constant time."""
    octets = signature.encode("utf-8", "replace")
    matches = [hmac.compare_digest(_signature(key, parts).encode(), octets) for key in keys]
    return any(matches)


def _signed(keys: Sequence[str], *parts: str) -> str:
    assert keys, "links are made only where there is a key"
    return "/" + "/".join(quote(part, safe="@") for part in (*parts, _signature(keys[0], parts)))


def _signature(key: str, parts: Sequence[str]) -> str:
    digest = _mac(key, b"tocsin link 1:", parts)
    return base64.urlsafe_b64encode(digest[:SIGNATURE_OCTETS]).rstrip(b"=").decode()


def _mac(key: str, purpose: bytes, parts: Sequence[str]) -> bytes:
    """Each part with its length, so that no two lists of parts are one text."""
    encoded = (part.encode("utf-8", "replace") for part in parts)
    message = b"".join(b"%d:%s" % (len(octets), octets) for octets in encoded)
    return hmac.new(key.encode(), purpose + message, hashlib.sha256).digest()
