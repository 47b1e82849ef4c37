"""SMS through Twilio's Messages API (rules 34, 37, 38, 40).

How a try ended follows from how far the request got: before it was written nothing was created; from then on only an
answer tells (`adapters/twilio/responses.py`), and where none came the list of messages is asked. Creating is not
idempotent, so nothing here repeats a request. It must not know when a try is made again.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from tocsin.adapters.twilio import responses
from tocsin.adapters.twilio.http import TRY, AnswerError, BarredError, HttpClient, NoAnswerError, ProviderTime
from tocsin.domain.arrival import Arrival, ArrivalKind
from tocsin.domain.delivery import NOT_LEADING, Accepted, Deferred, Fate, Message, Outcome, Receipt, Uncertain
from tocsin.ports.clock import Clock
from tocsin.ports.fence import NO_FENCE, Fence
from tocsin.ports.transport import CutShortError
from tocsin.text.contacts import by_prefix

CLOCKS_DIFFER = timedelta(seconds=120)
"""How much earlier than our try Twilio's clock may say that it created the message, its known skew apart."""
NO_SKEW = timedelta(seconds=5)
"""Up to what skew the clocks agree: it is known to a second or two, and the windows here are wide."""
DAYS_DIFFER = timedelta(hours=12)
"""A list asked for by a day that is so far from Twilio's is asked for once more."""
PAGE, PAGES = 50, 5
"""Messages on one page of the list, and pages read, in a look-up."""
INBOX_PAGES = 20
"""Pages of what came in that are read at once."""
KNOWN_MOST = 2000
"""Messages that are remembered as accepted for another reference, so that a look-up does not take them for its own."""
VALID_MOST = 36000
"""Seconds for which Twilio keeps a message that it cannot deliver, at most."""
CREATES_AT = "https://api.twilio.com/2010-04-01/Accounts/{}/Messages.json"
"""Where a message of an account is created. The SDK's client asks there itself: its list of messages would make an
instance of every field and date of the answer, of which only the sid is read here.
"""
FORM_NAMES = {"from_": "From", "messaging_service_sid": "MessagingServiceSid"}
"""What the SDK calls who sends, and the API."""
TRIAL = "Sent from your Twilio trial account - "
"""What Twilio puts before the texts of a trial account."""


class Twilio:
    """A port Transport. Either an auth token or an API key with its secret opens the account; either `sender` or
    `messaging_service_sid` says who sends, but to numbers that begin as `senders` have it. `api_url` replaces scheme
    and host of the API. At `status_url`, if it is set, Twilio tells what becomes of messages. Made and used in one
    loop.
    """

    receipts = True

    def __init__(  # noqa: PLR0913 - settings, each by its name
        self,
        *,
        account_sid: str,
        sender: str = "",
        senders: Mapping[str, str] | None = None,
        messaging_service_sid: str = "",
        auth_token: str = "",
        api_key: str = "",
        api_secret: str = "",
        api_url: str = "",
        status_url: str = "",
        clock: Clock,
        fence: Fence = NO_FENCE,
    ) -> None:
        self._account = account_sid
        self._login = (api_key, api_secret) if api_key else (account_sid, auth_token)
        self._from = {"messaging_service_sid": messaging_service_sid} if messaging_service_sid else {"from_": sender}
        self._senders = senders or {}
        self._numbers = frozenset() if messaging_service_sid else frozenset({sender, *self._senders.values()})
        self._creates_at = CREATES_AT.format(account_sid)
        self._api_url = api_url
        self._status_url = status_url
        self._client: Any = None
        self._fence = fence
        self._time = ProviderTime(clock)
        self._starting = asyncio.Lock()
        self._references: OrderedDict[str, str] = OrderedDict()

    @property
    def skew(self) -> timedelta | None:
        """How far Twilio's clock is ahead of ours."""
        return self._time.skew

    @property
    def polled(self) -> Self:
        """Twilio can be asked for what came in."""
        return self

    @property
    def warmed(self) -> Self:
        """The SDK loads late."""
        return self

    async def start(self) -> None:
        """Load the SDK's message part, which it does late and slowly (0.2 to 0.8 s), away from the loop."""
        async with self._starting:
            if self._client is not None:
                return
            self._client = await open_client(self._login, self._account, self._api_url, self._time, self._fence)

    async def send(self, message: Message) -> Outcome:
        """Ask once for the message to be created. Cancelled before the request left, nothing is."""
        form: dict[str, Any] = {"To": message.address, "Body": message.content.text}
        form |= {FORM_NAMES[name]: value for name, value in self._sender_to(message.address).items()}
        if message.valid_for is not None:
            form["ValidityPeriod"] = min(max(1, int(message.valid_for.total_seconds())), VALID_MOST)
        if self._status_url and message.attempt:
            form["StatusCallback"] = f"{self._status_url}?try={message.attempt}"
        try:
            client = await self._opened()
        except asyncio.CancelledError:
            raise CutShortError(NOT_LEADING) from None
        TRY.set(message.attempt)
        try:
            created = await client.request_async("POST", self._creates_at, data=form)
        except AnswerError as answer:
            outcome = responses.to_create(answer.status, answer.text, answer.retry_after)
        except BarredError:
            outcome = NOT_LEADING
        except NoAnswerError as silence:
            outcome = Uncertain(silence.detail) if silence.written else Deferred(silence.detail)
        except (TwilioException, ValueError, TypeError, AttributeError) as trouble:
            outcome = Uncertain(f"Twilio's answer could not be read: {type(trouble).__name__}")
        else:
            outcome = responses.to_create(created.status_code, created.text)
        if isinstance(outcome, Accepted):
            self._remember(outcome.provider_id, message.reference)
        return outcome

    async def find(self, message: Message, since: datetime) -> Outcome:
        """Look for the message among those created for this number since then. The list is not filtered by date, which
        Twilio does by the day and by when it was sent, which it may not have been yet. Where more was sent since than
        is looked through, nobody can say that it is not there.
        """
        messages = await self._messages()
        try:
            page = await messages.page_async(to=message.address, page_size=PAGE, **self._only)
            oldest = since + self._ahead - CLOCKS_DIFFER
            for pages_left in reversed(range(PAGES)):
                listing = list(page)
                for listed in listing:
                    if self._is(listed, message, oldest):
                        self._remember(listed.sid, message.reference)
                        return Accepted(listed.sid)
                if not page.next_page_url or not (pages_left or any(_since(listed, oldest) for listed in listing)):
                    return Deferred("Twilio's list does not have it")
                page = await page.next_page_async() if pages_left else None
        except AnswerError as answer:
            return Uncertain(f"Twilio answered {answer.status} when asked for its list", str(answer.status))
        except NoAnswerError as silence:
            return Uncertain(silence.detail)
        except (TwilioException, ValueError, TypeError, AttributeError, KeyError) as trouble:
            return Uncertain(f"Twilio's list could not be read: {type(trouble).__name__}")
        return Uncertain("Twilio's list is too long to look through")

    async def fate(self, provider_id: str) -> Fate:
        """What Twilio says became of a message; UNKNOWN when it does not say."""
        messages = await self._messages()
        try:
            sms = await messages(provider_id).fetch_async()
        except (AnswerError, NoAnswerError, TwilioException, ValueError, TypeError, AttributeError):
            return Fate(Receipt.UNKNOWN)
        return responses.fate(sms.status, sms.error_code, provider_id)

    async def inbox(self, since: datetime) -> tuple[Arrival, ...] | Deferred:
        """The SMS that came in to our numbers since then, oldest first, or why they cannot be had. All instants are by
        our clock, whatever Twilio's says (rule 60).
        """
        arrivals: list[Arrival] = []
        try:
            page = await self._first_page(since)
            ahead = self._ahead
            for pages_left in reversed(range(INBOX_PAGES)):
                newer = [listed for listed in page if _since(listed, since + ahead)]
                to_us = filter(self._is_to_us, newer)
                arrivals += [arrival for listed in to_us if (arrival := _arrival(listed, ahead))]
                if not (newer and page.next_page_url and pages_left):
                    break
                page = await page.next_page_async()
        except AnswerError as answer:
            return responses.to_list(answer.status, answer.retry_after)
        except NoAnswerError as silence:
            return Deferred(silence.detail)
        except (TwilioException, ValueError, TypeError, AttributeError, KeyError) as trouble:
            return Deferred(f"Twilio's list of what came in could not be read: {type(trouble).__name__}")
        arrivals.reverse()  # Twilio tells seconds and lists the newest first: within one, the later line came first
        return tuple(sorted(arrivals, key=lambda arrival: arrival.at))

    async def answers(self) -> bool:
        """Ask for the newest message of the account."""
        try:
            await (await self._messages()).page_async(page_size=1)
        except (AnswerError, NoAnswerError, TwilioException, ValueError, TypeError, AttributeError):
            return False
        return True

    async def close(self) -> None:
        """Let go of the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.http_client.close()

    def _sender_to(self, number: str) -> dict[str, str]:
        """Who an SMS to this number comes from."""
        sender = by_prefix(number, self._senders)
        return {"from_": sender} if sender else self._from

    @property
    def _only(self) -> dict[str, str]:
        """The one number that all our messages bear, by which the account's list is asked; empty if there are more."""
        return self._from if len(self._numbers) == 1 else {}

    def _is_to_us(self, listed: Any) -> bool:
        """Whether a listed message came to one of our numbers; a messaging service has its own."""
        return not self._numbers or listed.to in self._numbers

    @property
    def _ahead(self) -> timedelta:
        """How far Twilio's clock is ahead, as far as that matters."""
        skew = self.skew or timedelta(0)
        return skew if abs(skew) > NO_SKEW else timedelta(0)

    async def _first_page(self, since: datetime) -> Any:
        """The newest of what came in. Twilio filters by its day; the day before is asked for too. Its answer tells how
        far its clock is from ours, and so whether that was the wrong day.
        """
        messages, ahead = await self._messages(), self._ahead
        number = {"to": self._only["from_"]} if self._only else {}

        async def ask() -> Any:
            after = since + self._ahead - timedelta(days=1)
            return await messages.page_async(page_size=PAGE, date_sent_after=after, **number)

        page = await ask()
        return page if abs(self._ahead - ahead) <= DAYS_DIFFER else await ask()

    async def _messages(self) -> Any:
        """The SDK's list of messages, started if it was not yet."""
        return (await self._opened()).messages

    async def _opened(self) -> Any:
        """The SDK's client."""
        if self._client is None:
            await self.start()
        return self._client

    def _is(self, listed: Any, message: Message, since: datetime) -> bool:
        """Whether a listed message is the one that a try of uncertain end created."""
        body = str(listed.body or "").removeprefix(TRIAL).strip()
        free = self._references.get(listed.sid, message.reference) == message.reference
        return _since(listed, since) and free and listed.direction != "inbound" and body == message.content.text.strip()

    def _remember(self, sid: str, reference: str) -> None:
        self._references[sid] = reference
        if len(self._references) > KNOWN_MOST:
            self._references.popitem(last=False)


async def open_client(
    login: tuple[str, str], account: str, api_url: str, time: ProviderTime, fence: Fence = NO_FENCE
) -> Any:
    """The SDK's client of an account, its message part loaded, away from the loop."""
    http = HttpClient(api_url, time, fence)
    environment = {"": ""}  # else the SDK takes settings from TWILIO_… variables
    client = Client(*login, account_sid=account, http_client=http, environment=environment)
    try:
        await asyncio.to_thread(lambda: client.messages)
    except asyncio.CancelledError:
        await http.close()
        raise
    return client


def _created_at(listed: Any) -> datetime | None:
    return listed.date_created if isinstance(listed.date_created, datetime) else None


def _since(listed: Any, at: datetime) -> bool:
    """Whether a listed message was created since an instant; one that does not say when counts."""
    return (_created_at(listed) or at) >= at


def _arrival(listed: Any, ahead: timedelta) -> Arrival | None:
    """A listed message as it came in to us, by our clock; None for one of ours."""
    at, sid, sender = _created_at(listed), listed.sid, listed.from_
    if listed.direction != "inbound" or not (at and sid and sender):
        return None
    return Arrival(ArrivalKind.SMS, str(sid), str(sender), str(listed.body or ""), at - ahead)
