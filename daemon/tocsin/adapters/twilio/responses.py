"""Twilio's answers: a status and a text in, what they mean for the SMS out (rules 34, 37, 38).

It must not know how an answer came, nor what silence means.

    answer to a create                                          outcome
    201 with a sid                                              accepted
    429, but for a code that is the provider's fault (63038)    deferred, as long as it asks
    4xx with a code                                             as `wording/delivery/sms_verdicts.py` has it: refused
                                                                if it is the number's or this message's fault, else
                                                                deferred
    any other 3xx or 4xx: the account, the sender, the country  deferred, the provider's fault: nothing was created
    anything else: 5xx, a 201 that cannot be read               uncertain: creating is not idempotent
"""

import json
from datetime import timedelta
from typing import Any

from tocsin.domain.delivery import Accepted, Deferred, Fate, Fault, Outcome, Receipt, Refused, Uncertain
from tocsin.wording.delivery.sms_verdicts import BY_NUMBER, sms_verdict

DETAIL_MOST = 200
"""Characters of Twilio's explanation that are kept."""
LONGEST_WISH = timedelta(hours=1)
"""A Retry-After beyond this is not believed."""

RECEIPTS = {
    "accepted": Receipt.QUEUED,
    "scheduled": Receipt.QUEUED,
    "queued": Receipt.QUEUED,
    "sending": Receipt.QUEUED,
    "sent": Receipt.SENT,
    "partially_delivered": Receipt.SENT,
    "delivered": Receipt.DELIVERED,
    "read": Receipt.DELIVERED,
    "undelivered": Receipt.UNDELIVERED,
    "failed": Receipt.UNDELIVERED,
    "canceled": Receipt.UNDELIVERED,
}


def receipt(status: str | None) -> Receipt:
    """What a message's status says of it; an unknown word says nothing."""
    return RECEIPTS.get(status or "", Receipt.UNKNOWN)


def fate(status: str | None, code: object = "", provider_id: str = "") -> Fate:
    """What a message's status and error code say of it: whether that refuses the number for good, or this message, or
    is the provider's fault.
    """
    state, reason = receipt(status), str(code or "")
    verdict = sms_verdict(reason) if state is Receipt.UNDELIVERED else None
    if verdict is None:
        return Fate(state, None, provider_id, reason)
    for_good = verdict.fault in (Fault.ADDRESS, Fault.MESSAGE)
    refused = Refused(verdict.meaning, reason, verdict.fault) if for_good else None
    return Fate(state, refused, provider_id, reason, verdict.fault)


def to_create(status: int, text: str, retry_after: str = "") -> Outcome:
    """The answer to the request that creates a message."""
    answer = _read(text)
    code, detail = _number(answer.get("code")), _detail(status, answer)
    if 200 <= status < 300:
        sid = answer.get("sid")
        if isinstance(sid, str) and sid:
            return Accepted(sid)
        return Uncertain(f"Twilio's answer {status} has no sid", str(status))
    verdict = sms_verdict(str(code or status)) if 400 <= status < 500 else None
    fault = verdict.fault if verdict else Fault.PROVIDER
    if fault is Fault.PASSING or (status == 429 and (verdict is None or fault is not Fault.PROVIDER)):
        return Deferred(detail, str(code or status), retry_after=_wish(retry_after))
    if fault in (Fault.ADDRESS, Fault.MESSAGE):
        return Refused(detail, str(code), fault)
    if 300 <= status < 500:
        return Deferred(detail, str(code or status), Fault.PROVIDER, recipient=str(code) in BY_NUMBER)
    return Uncertain(detail, str(code or status))


def to_list(status: int, retry_after: str = "") -> Deferred:
    """The answer to the question for what came in, when that is no list."""
    fault = Fault.PROVIDER if 300 <= status < 500 and status != 429 else Fault.PASSING
    detail = f"Twilio answered {status} when asked for what came in"
    return Deferred(detail, str(status), fault, _wish(retry_after))


def is_object(text: str) -> bool:
    """Whether the answer is a JSON object, as every good answer is."""
    return bool(_read(text))


def _read(text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _detail(status: int, answer: dict[str, Any]) -> str:
    """Twilio's own words on one line, in its older form (message) or as RFC 9457 has it (title, detail)."""
    parts = [answer.get(key) for key in ("message", "title", "detail")]
    words = " ".join(" ".join(part for part in parts if isinstance(part, str)).split())
    return (words or f"Twilio answered {status}")[:DETAIL_MOST]


def _wish(text: str) -> timedelta | None:
    """A Retry-After in seconds; a date is not understood, the usual wait does then."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return min(timedelta(seconds=seconds), LONGEST_WISH) if 0 < seconds < 1e6 else None
