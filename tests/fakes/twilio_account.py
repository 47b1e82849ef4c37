"""What Twilio says of an account itself, for the stand-in: status, balance, numbers, services, registrations, countries.

The shapes are those of api.twilio.com (2010-04-01), messaging.twilio.com and accounts.twilio.com (v1), which the stand-in
serves at one address.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

Refuse = Callable[[web.Request, dict[str, str]], web.Response | None]
NUMBER_SID = "PN{:032x}"


class AccountBooks:
    """The truth about the account. `numbers` are its own, each with whether it can send SMS; `services` have `numbers`,
    `names` and `campaigns` (their states); `tollfree` are states by number. `withheld`: parts of paths that are answered
    so (a status), as a key of little rights is; `hangs`: parts of paths that are never answered; `long_lists`: lists that
    say that they go on; `garbage`: what everything is answered with.
    """

    def __init__(self, account: str, numbers: Mapping[str, bool]) -> None:
        self.account = account
        self.status, self.type = "active", "Full"
        self.balance, self.currency = "100.00", "USD"
        self.numbers: dict[str, bool] = dict(numbers)
        self.short_codes: list[str] = []
        self.services: dict[str, dict[str, list[str]]] = {}
        self.tollfree: dict[str, str] = {}
        self.verified: list[str] = []
        self.barred: list[str] = []
        self.withheld: dict[str, int] = {}
        self.hangs: list[str] = []
        self.long_lists: list[str] = []
        self.garbage: list[Any] = []
        self._refuse: Refuse = lambda _request, _form: None

    def open(self, router: web.UrlDispatcher, refuse: Refuse) -> None:
        """Serve all of it."""
        self._refuse = refuse
        base = f"/2010-04-01/Accounts/{self.account}"
        for path, answer in {
            f"{base}.json": self._account,
            f"{base}/Balance.json": self._balance,
            f"{base}/IncomingPhoneNumbers.json": self._numbers,
            f"{base}/SMS/ShortCodes.json": self._short_codes,
            f"{base}/OutgoingCallerIds.json": self._callers,
            "/v1/Services": self._services,
            "/v1/Services/{sid}": self._service,
            "/v1/Services/{sid}/{part}": self._part,
            "/v1/Services/{sid}/Compliance/Usa2p": self._campaigns,
            "/v1/Tollfree/Verifications": self._tollfree,
            "/v1/Messaging/GeoPermissions": self._countries,
        }.items():
            router.add_get(path, self._guarded(answer))

    def _guarded(self, answer: Callable[[web.Request], Any]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            if refused := self._refuse(request, dict(request.query)):
                return refused
            if any(part in request.path for part in self.hangs):
                await asyncio.sleep(3600)
            for part, status in self.withheld.items():
                if part in request.path:
                    said = {"code": 20003 if status == 401 else 20404, "message": "Authenticate", "status": status}
                    return web.json_response(said, status=status)
            document = self.garbage[0] if self.garbage else answer(request)
            missing = {"code": 20404, "message": "not found", "status": 404}
            return web.json_response(missing if document is None else document, status=404 if document is None else 200)

        return serve

    def _account(self, _request: web.Request) -> Any:
        return {"sid": self.account, "status": self.status, "type": self.type, "friendly_name": "us"}

    def _balance(self, _request: web.Request) -> Any:
        return {"account_sid": self.account, "balance": self.balance, "currency": self.currency}

    def _numbers(self, request: web.Request) -> Any:
        rows = [
            {"sid": self._sid(number), "phone_number": number, "capabilities": {"sms": sms, "voice": True}}
            for number, sms in self.numbers.items()
            if request.query.get("PhoneNumber", number) in number
        ]
        return self._page("incoming_phone_numbers", rows)

    def _short_codes(self, _request: web.Request) -> Any:
        return self._page("short_codes", [{"sid": "SC1", "short_code": code} for code in self.short_codes])

    def _callers(self, request: web.Request) -> Any:
        wanted = request.query.get("PhoneNumber", "")
        return self._page("outgoing_caller_ids", [{"phone_number": it} for it in self.verified if wanted in ("", it)])

    def _services(self, _request: web.Request) -> Any:
        return self._meta("services", [{"sid": sid, "friendly_name": sid} for sid in self.services])

    def _service(self, request: web.Request) -> Any:
        sid = request.match_info["sid"]
        return {"sid": sid, "friendly_name": sid} if sid in self.services else None

    def _part(self, request: web.Request) -> Any:
        service = self.services.get(request.match_info["sid"])
        if service is None:
            return None
        match request.match_info["part"]:
            case "PhoneNumbers":
                return self._meta("phone_numbers", [{"phone_number": it} for it in service.get("numbers", [])])
            case "AlphaSenders":
                return self._meta("alpha_senders", [{"alpha_sender": it} for it in service.get("names", [])])
            case "ShortCodes":
                return self._meta("short_codes", [])
        return None

    def _campaigns(self, request: web.Request) -> Any:
        service = self.services.get(request.match_info["sid"], {})
        return self._meta("compliance", [{"campaign_status": state} for state in service.get("campaigns", [])])

    def _tollfree(self, request: web.Request) -> Any:
        wanted = request.query.get("TollfreePhoneNumberSid", "")
        rows = [{"status": state} for number, state in self.tollfree.items() if self._sid(number) == wanted]
        return self._meta("verifications", rows)

    def _countries(self, request: web.Request) -> Any:
        country = request.query["CountryCode"]
        return {"permissions": [{"country_code": country, "type": "country", "enabled": country not in self.barred}]}

    def _sid(self, number: str) -> str:
        return NUMBER_SID.format(int(number))

    def _page(self, key: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        return {key: rows, "page": 0, "page_size": 50, "start": 0, "end": len(rows), "next_page_uri": None, "uri": ""}

    def _meta(self, key: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        after = f"https://messaging.twilio.com/v1/{key}?Page=1" if key in self.long_lists else None
        return {key: rows, "meta": {"key": key, "page": 0, "page_size": 50, "next_page_url": after, "url": ""}}
