"""What Twilio tells us: `/twilio/inbound` (SMS to us) and `/twilio/status` (what became of ours). What it signed is
left in the ledger for the daemon, once.

Twilio signs the public address and the form's names and values, one after the other with nothing between them. So a
text could be cut into further parameters under the same signature: only names of Twilio's own shape are taken, each
once, and no value but the text may hold the name of another one that every message has.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from aiohttp import web

from tocsin.adapters.twilio import responses
from tocsin.adapters.twilio.signature import signed
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import Receipt
from tocsin.formats.settings.settings import Settings
from tocsin.web.http.site import Site

FORM = "application/x-www-form-urlencoded"
FIELDS_MOST = 200
"""Parameters of one webhook."""
TEXT_MOST = 1600
"""Characters of a text that are kept; Twilio takes no longer ones."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
LOOSE = re.compile(r"%(?![0-9A-F]{2})")
"""An escape that Twilio would not write so. What was altered on the way is not taken, even if it means the same."""
SID = re.compile(r"(SM|MM)[0-9a-f]{32}")
NUMBER = re.compile(r"\+?[A-Za-z0-9 ]{1,20}")
TRY = re.compile(r"try=([1-9][0-9]{0,17})")
ERROR = re.compile(r"[0-9]{5}")
EMPTY_ANSWER = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""An answer that says nothing: answers leave as SMS of our own."""


def routes(site: Site) -> list[web.RouteDef]:
    """`POST /twilio/inbound` and `POST /twilio/status`."""

    async def inbound(request: web.Request) -> web.Response:
        """An SMS to us: 200 and TwiML without an answer."""
        values = await _values(site, request)
        sid, sender = values.get("MessageSid", ""), values.get("From", "")
        if not (SID.fullmatch(sid) and NUMBER.fullmatch(sender)):
            raise web.HTTPBadRequest(text="This is no SMS: it needs MessageSid and From.")
        if values.get("To", "") in _numbers_of_others(site.settings, values["AccountSid"]):
            site.warn("webhook refused", why="it is signed by one account, and of an SMS to the number of another")
            raise web.HTTPForbidden(text="This number is another account's.")
        text = values.get("Body", "")[:TEXT_MOST]
        await site.ledger().record_arrival(Arrival(ArrivalKind.SMS, sid, sender, text, site.clock.now()))
        return web.Response(text=EMPTY_ANSWER, content_type="text/xml")

    async def status(request: web.Request) -> web.Response:
        """What became of an SMS of ours: 204. The try is in the address, which is signed too."""
        values = await _values(site, request)
        sid, state = values.get("MessageSid", ""), values.get("MessageStatus", "")
        attempt = TRY.fullmatch(_query(request))
        if not (SID.fullmatch(sid) and state and attempt):
            raise web.HTTPBadRequest(text="This is no receipt: it needs MessageSid, MessageStatus and ?try=.")
        if responses.receipt(state) is not Receipt.UNKNOWN:
            code = values.get("ErrorCode", "")
            body = f"{state} {code}" if ERROR.fullmatch(code) else state
            ref = f"{values['AccountSid']}/{sid}:{state}"  # else another account's could take a true one's place
            arrival = Arrival(ArrivalKind.RECEIPT, ref, attempt[1], body, site.clock.now())
            await site.ledger().record_arrival(arrival)
        return web.Response(status=204)

    return [web.post("/twilio/inbound", inbound), web.post("/twilio/status", status)]


async def _values(site: Site, request: web.Request) -> dict[str, str]:
    """The form's values, if Twilio signed them. Raises 403 (415 for another kind of content) else."""
    if request.content_type != FORM or "Content-Encoding" in request.headers or "bodySHA256" in _query(request):
        raise web.HTTPUnsupportedMediaType
    public_url = site.settings.public_url
    tokens = tokens_by_account(site.settings)
    signatures = [value for name, value in request.headers.items() if name.lower() == "x-twilio-signature"]
    body = await request.read()
    if not any(tokens.values()) or public_url is None:
        lacking = "public_url" if any(tokens.values()) else "TOCSIN_SMS__AUTH_TOKEN"
        site.warn("webhook refused", why=f"its signature cannot be checked: {lacking} is not set here")
        raise web.HTTPForbidden
    values = verified(tokens, public_url + request.raw_path, body, signatures)
    if values is None:
        wrong = (
            "its signature is wrong; is public_url the address that Twilio was given, is its account in tocsin.yaml, "
            "and the token that account's?"
        )
        site.warn("webhook refused", why=wrong if signatures else "it has no signature")
        raise web.HTTPForbidden(text="This is not signed as it has to be.")
    return values


def tokens_by_account(settings: Settings) -> Mapping[str, Sequence[str]]:
    """The tokens that may have signed a webhook, by the account that it is of; one may stand there as two providers."""
    tokens: dict[str, list[str]] = {}
    for provider in settings.sms.providers.values():
        known = [token for secret in provider.auth_token if (token := secret.get_secret_value())]
        tokens.setdefault(provider.account_sid or "", []).extend(known)
    return tokens


def _numbers_of_others(settings: Settings, account: str) -> frozenset[str]:
    """The senders that are other accounts' than this one."""
    providers = settings.sms.providers.values()
    own, others = (
        {
            number
            for provider in providers
            if (provider.account_sid == account) is ours
            for number in provider.by_number.all
        }
        for ours in (True, False)
    )
    return frozenset(others - own)


def verified(
    tokens: Mapping[str, Sequence[str]], url: str, body: bytes, signatures: Sequence[str]
) -> dict[str, str] | None:
    """The values of a form that Twilio sent to this address, signed by one of the tokens of the account that it names;
    None unless it did, and wrote the form as it does. One that names no account is of the account whose token signed.
    """
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=FIELDS_MOST
        )
    except ValueError:
        return None
    values = dict(pairs)
    is_twilios = len(values) == len(pairs) and not LOOSE.search(text) and all(map(NAME.fullmatch, values))
    is_cut = any("MessageSid" in value for name, value in values.items() if name != "Body")
    if not is_twilios or is_cut or len(signatures) != 1:
        return None
    named = values.get("AccountSid")
    for account in tokens if named is None else (named,):
        if any(signed(token, url, values, signatures[0]) for token in tokens.get(account, ())):
            return values | {"AccountSid": account}
    return None


def _query(request: web.Request) -> str:
    """The query as it came over the wire."""
    return request.raw_path.partition("?")[2]
