"""What Twilio says of an account itself: whether it may send, by which numbers, to which countries. Nothing is created.

Each question is asked once, within a deadline. It must not know what an answer means for the operators.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from twilio.base.exceptions import TwilioException

from tocsin.adapters.twilio import responses
from tocsin.adapters.twilio.http import AnswerError, NoAnswerError, ProviderTime
from tocsin.adapters.twilio.transport import open_client
from tocsin.domain.delivery import Deferred, Outcome
from tocsin.ports.clock import Clock

ANSWERS_WITHIN = 5.0
"""Seconds for one question."""
SERVICES_MOST = 50
"""Messaging services that are looked through for one that a number belongs to."""
ROWS_MOST = 1000
"""Rows of any other list; a messaging service has 400 numbers at most."""

T = TypeVar("T")


class AccountQuestionError(Exception):
    """No answer to a question about the account. `outcome`: what that answer, or silence, would mean for a message."""

    def __init__(self, outcome: Outcome, status: int = 0) -> None:
        super().__init__(getattr(outcome, "detail", ""))
        self.outcome, self.status = outcome, status

    @property
    def withheld(self) -> bool:
        """Whether this key may not know, or this Twilio has no such question; that says nothing of messages."""
        return self.status in (401, 403, 404)


@dataclass(frozen=True, slots=True)
class AccountState:
    """`status` is active, suspended or closed; a `trial` reaches verified numbers only."""

    status: str
    trial: bool


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """A number of the account."""

    sid: str
    sms: bool


class TwilioAccount:
    """One account, opened as the transport opens it. Made and used in one loop."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str = "",
        api_key: str = "",
        api_secret: str = "",
        api_url: str = "",
        clock: Clock,
    ) -> None:
        self.sid = account_sid
        self.by_key = bool(api_key)
        self._login = (api_key, api_secret) if api_key else (account_sid, auth_token)
        self._api_url = api_url
        self._time = ProviderTime(clock)
        self._client: Any = None

    @property
    def skew(self) -> timedelta | None:
        """How far Twilio's clock is ahead of ours; None before it has answered."""
        return self._time.skew

    async def log_in(self) -> None:
        """Ask what the daemon asks all day: the newest message. A key may do that which may not see the account."""
        if self._client is None:
            self._client = await open_client(self._login, self.sid, self._api_url, self._time)
        await self._ask(self._client.messages.page_async(page_size=1))

    async def state(self) -> AccountState:
        """The account itself."""
        account = await self._ask(self._client.api.v2010.account.fetch_async())
        if not account.status:
            raise AccountQuestionError(Deferred("Twilio does not say how the account stands"))
        return AccountState(str(account.status), str(account.type or "").lower() == "trial")

    async def balance(self) -> tuple[Decimal, str]:
        """What is left on it, and in which currency."""
        balance = await self._ask(self._client.api.v2010.account.balance.fetch_async())
        try:
            return Decimal(str(balance.balance)), str(balance.currency or "")
        except InvalidOperation:
            raise AccountQuestionError(Deferred(f"a balance that is no number: {balance.balance}")) from None

    async def number(self, number: str) -> OwnNumber | None:
        """A number of this account; None if it is not."""
        numbers = await self._rows(
            self._client.api.v2010.account.incoming_phone_numbers.page_async(phone_number=number)
        )
        for owned in numbers:
            if owned.phone_number == number:
                if not isinstance(owned.capabilities, dict):
                    raise AccountQuestionError(Deferred("Twilio does not say what the number can do"))
                return OwnNumber(str(owned.sid), bool(owned.capabilities.get("sms")))
        return None

    async def has_short_code(self, code: str) -> bool:
        """Whether a short code is this account's."""
        codes = await self._rows(self._client.api.v2010.account.short_codes.page_async(short_code=code))
        return any(owned.short_code == code for owned in codes)

    async def is_verified(self, number: str) -> bool:
        """Whether a trial account may send to this number."""
        numbers = await self._rows(self._client.api.v2010.account.outgoing_caller_ids.page_async(phone_number=number))
        return any(caller.phone_number == number for caller in numbers)

    async def service_numbers(self, service: str) -> tuple[str, ...] | None:
        """The numbers, short codes and names that a messaging service sends from; None: there is no such service."""
        context = self._client.messaging.v1.services(service)
        try:
            await self._ask(context.fetch_async())
        except AccountQuestionError as trouble:
            if trouble.status == 404:
                return None
            raise
        lists = await asyncio.gather(
            *(
                self._rows(part.page_async(page_size=ROWS_MOST))
                for part in (context.phone_numbers, context.short_codes, context.alpha_senders)
            )
        )
        names = ("phone_number", "short_code", "alpha_sender")
        return tuple(str(getattr(row, name)) for rows, name in zip(lists, names, strict=True) for row in rows)

    async def services_with(self, number: str) -> tuple[str, ...]:
        """The messaging services that a number belongs to."""
        services = await self._rows(self._client.messaging.v1.services.page_async(page_size=SERVICES_MOST))
        lists = await asyncio.gather(
            *(
                self._rows(
                    self._client.messaging.v1.services(service.sid).phone_numbers.page_async(page_size=ROWS_MOST)
                )
                for service in services
            )
        )
        return tuple(
            str(service.sid)
            for service, rows in zip(services, lists, strict=True)
            if any(row.phone_number == number for row in rows)
        )

    async def campaigns(self, service: str) -> tuple[str, ...]:
        """How the registrations of a messaging service with the carriers of the USA stand (A2P 10DLC)."""
        rows = await self._rows(self._client.messaging.v1.services(service).us_app_to_person.page_async())
        return tuple(str(row.campaign_status or "") for row in rows)

    async def tollfree_states(self, number_sid: str) -> tuple[str, ...]:
        """How the verifications of a toll-free number stand."""
        verifications = self._client.messaging.v1.tollfree_verifications
        rows = await self._rows(verifications.page_async(tollfree_phone_number_sid=number_sid))
        return tuple(str(row.status or "") for row in rows)

    async def allows(self, country: str) -> bool | None:
        """Whether messages may go to a country (ISO 3166, two letters); None where Twilio does not say."""
        answer = await self._ask(self._client.accounts.v1.messaging_geopermissions.fetch_async(country_code=country))
        permissions = answer.permissions if isinstance(answer.permissions, list) else []
        said = [
            entry.get("enabled")
            for entry in permissions
            if isinstance(entry, dict) and str(entry.get("country_code", "")).upper() == country
        ]
        return bool(said[0]) if said and said[0] is not None else None

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.http_client.close()

    async def _rows(self, question: Awaitable[Any]) -> list[Any]:
        """A list that has no more than a page: what were missing in a longer one might stand on the next."""
        page = await self._ask(question)
        try:
            rows, more = list(page), page.next_page_url
        except (TwilioException, ValueError, TypeError, AttributeError, KeyError) as trouble:
            raise _unread(trouble) from None
        if more:
            raise AccountQuestionError(Deferred("the account's list is too long to look through"))
        return rows

    async def _ask(self, question: Awaitable[T]) -> T:
        """Ask once, within the deadline. Raises AccountQuestionError."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                return await question
        except TimeoutError:
            raise AccountQuestionError(Deferred(f"Twilio did not answer within {ANSWERS_WITHIN:.0f} s")) from None
        except AnswerError as answer:
            outcome = responses.to_create(answer.status, answer.text, answer.retry_after)
            raise AccountQuestionError(outcome, answer.status) from None
        except NoAnswerError as silence:
            raise AccountQuestionError(Deferred(silence.detail)) from None
        except (TwilioException, ValueError, TypeError, AttributeError, KeyError) as trouble:
            raise _unread(trouble) from None


def _unread(trouble: Exception) -> AccountQuestionError:
    return AccountQuestionError(Deferred(f"Twilio's answer could not be read: {type(trouble).__name__}"))
