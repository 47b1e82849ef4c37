"""The codes by which people sign in (P8): what was asked for, what is tried, what is put into a message as it leaves.

All of it is in this process's memory alone. Of a code its hash is kept, and the code itself until its message has left;
tries belong to the request, so that nobody can lock anybody out.
"""

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape

from tocsin.domain.delivery import Content
from tocsin.domain.notification import SIGN_IN_CODE, SIGN_IN_CODE_LASTS

TRIES = 5
"""Codes that may be typed for one request."""
REMEMBERED_MOST = 5000
"""Requests that are over, or nobody's, of which it is known how often a code was tried, so that nothing tells them from
others; and tries whose result is known. The oldest go first.
"""


@dataclass(frozen=True, slots=True)
class _SignInRequest:
    """Who asked to sign in, from which browser (the digest of what it proves itself by), the hash of their code, and
    how often it was tried in vain: that lives as long as the code, whatever else is tried meanwhile.
    """

    person: str
    browser: str
    hash: str
    ends_at: datetime
    wrong: int = 0


@dataclass(frozen=True, slots=True)
class CodeTry:
    """What typing a code led to. `person`: who asked, where there is such a request. It was right if `right`; else
    `left` says how often one may try again.
    """

    person: str
    right: bool
    left: int


class SignInCodes:
    """What is known of those who sign in now."""

    def __init__(self) -> None:
        self._requests: dict[str, _SignInRequest] = {}
        self._leaving: dict[str, tuple[str, datetime]] = {}
        self._wrong: OrderedDict[str, int] = OrderedDict()
        self._tries: OrderedDict[str, CodeTry] = OrderedDict()

    def begin(self, request: str, person: str, browser: str, code: str, key: str, now: datetime) -> None:
        """Somebody asks to sign in; `code` leaves with the message of that key."""
        self._forget_ended(now)
        ends_at = now + SIGN_IN_CODE_LASTS
        self._requests[request] = _SignInRequest(person, browser, _hash(request, code), ends_at)
        self._leaving[key] = code, ends_at

    def may_leave(self, key: str, now: datetime) -> bool:
        """Whether the code for this message is known still, and worth sending."""
        _, ends_at = self._leaving.get(key, ("", now))
        return now < ends_at

    def put_in(self, key: str, content: Content) -> Content:
        """The message as it leaves, with its code."""
        code, _ = self._leaving.get(key, ("", None))
        if not code:
            return content
        text, html = content.text.replace(SIGN_IN_CODE, code), content.html.replace(escape(SIGN_IN_CODE), code)
        return replace(content, text=text, html=html)

    def forget(self, key: str) -> None:
        """Its message has left, or never will: from now on only the hash is known."""
        self._leaving.pop(key, None)

    def try_code(self, ref: str, request: str, code: str, proof: str, now: datetime) -> CodeTry:
        """Somebody typed a code, in the browser that `proof` is of. The same `ref` again is the same try. What is wrong
        is not told: a wrong code, another browser, a request of nobody's, or one that is over.
        """
        if ref not in self._tries:
            self._tries[ref] = self._judge(request, code, proof, now)
            _keep(self._tries)
        return self._tries[ref]

    def _judge(self, request: str, code: str, proof: str, now: datetime) -> CodeTry:
        known = self._requests.get(request)
        wrong, person = (known.wrong, known.person) if known else (self._wrong.get(request, 0), "")
        if wrong >= TRIES:
            return CodeTry(person, right=False, left=0)
        right = known is not None and now < known.ends_at and _fits(known, request, code, proof)
        wrong = TRIES if right else wrong + 1
        if known is not None:
            self._requests[request] = replace(known, wrong=wrong)
        else:
            self._note_wrong(request, wrong)
        return CodeTry(person, right, TRIES - wrong)

    def _note_wrong(self, request: str, wrong: int) -> None:
        self._wrong[request] = wrong
        _keep(self._wrong)

    def _forget_ended(self, now: datetime) -> None:
        for name in [name for name, asked in self._requests.items() if now >= asked.ends_at]:
            self._note_wrong(name, self._requests.pop(name).wrong)
        self._leaving = {key: leaving for key, leaving in self._leaving.items() if now < leaving[1]}


def browser_digest(proof: str) -> str:
    """What a browser is known by, of what it proves itself by."""
    return hashlib.sha256(b"tocsin browser 1:" + proof.encode("utf-8", "replace")).hexdigest()


def _fits(asked: _SignInRequest, request: str, code: str, proof: str) -> bool:
    """In constant time."""
    same_code = hmac.compare_digest(asked.hash, _hash(request, code))
    return hmac.compare_digest(asked.browser, browser_digest(proof)) and same_code


def _hash(request: str, code: str) -> str:
    return hashlib.sha256(f"tocsin code 1:{request}:{code}".encode("utf-8", "replace")).hexdigest()


def _keep(known: "OrderedDict[str, int] | OrderedDict[str, CodeTry]") -> None:
    while len(known) > REMEMBERED_MOST:
        known.popitem(last=False)
