"""Webhooks as Twilio posts them: the form, and the signature by the rule of its documentation, in code of our own."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

import aiohttp

ACCOUNT = "AC" + "0" * 32
SID = "SM" + "0123456789abcdef" * 2


def signature(token: str, url: str, values: Mapping[str, str]) -> str:
    """HMAC-SHA1 of the address, followed by each name and value in the order of the names, in base64."""
    text = url + "".join(name + values[name] for name in sorted(values))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def status(
    state: str,
    sid: str = SID,
    code: str = "",
    to: str = "+14155550101",
    *,
    account: str = ACCOUNT,
    sender: str = "+15005550006",
) -> dict[str, str]:
    """What Twilio says of an SMS of ours."""
    values = {"AccountSid": account, "ApiVersion": "2010-04-01", "From": sender, "MessageSid": sid}
    values |= {"MessageStatus": state, "SmsSid": sid, "SmsStatus": state, "To": to}
    return {**values, "ErrorCode": code} if code else values


def inbound(text: str, sid: str = SID, sender: str = "+14155550101") -> dict[str, str]:
    """An SMS to us, as Twilio hands it on."""
    city = {f"{end}{part}": "" for end in ("From", "To") for part in ("City", "Zip", "State")}
    values = {"ToCountry": "US", "SmsMessageSid": sid, "NumMedia": "0", "SmsSid": sid, "SmsStatus": "received", **city}
    values |= {"Body": text, "FromCountry": "US", "To": "+15005550006", "NumSegments": "1", "MessageSid": sid}
    return {**values, "AccountSid": ACCOUNT, "From": sender, "ApiVersion": "2010-04-01"}


async def post(token: str, url: str, values: Mapping[str, str], *, public: str = "") -> int:
    """Post it, signed for `public` (or the address itself); the status of the answer."""
    headers = {"X-Twilio-Signature": signature(token, public or url, values), "I-Twilio-Idempotency-Token": "1"}
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=urlencode(values), headers=headers | form) as answer,
    ):
        await answer.read()
        return answer.status
