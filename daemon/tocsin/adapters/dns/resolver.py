"""A resolver asked by dnspython: the machine's own, or one that is named. It must not know what records mean."""

import asyncio

import dns.asyncresolver
import dns.exception
import dns.rdata
import dns.resolver
from dns.rdtypes.ANY.TXT import TXT

from tocsin.ports.dns import DnsAnswer, DnsError

ANSWERS_WITHIN = 4.0
"""Seconds for one question, repeated meanwhile as the resolver's settings have it."""
AT_ONCE = 16
"""Questions under way at the same time."""


class Resolver:
    """A port DnsResolver. Without an address the machine's own settings say who is asked."""

    def __init__(self, address: str = "", port: int = 53) -> None:
        self._address, self._port = address, port
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._resolver: dns.asyncresolver.Resolver | None = None

    @property
    def name(self) -> str:
        """The address that was given, or who else is asked."""
        if not self._address:
            return "this machine's resolver"
        host = f"[{self._address}]" if ":" in self._address else self._address
        return host if self._port == 53 else f"{host}:{self._port}"

    async def lookup(self, name: str, kind: str) -> DnsAnswer:
        """The records of a kind at a name. Raises DnsError."""
        try:
            async with self._slots:
                answer = await self._opened().resolve(name, kind, search=False, raise_on_no_answer=False)
        except dns.resolver.NXDOMAIN:
            return DnsAnswer(exists=False)
        except dns.resolver.NoResolverConfiguration:
            raise DnsError("this machine has none (/etc/resolv.conf)", silent=True) from None
        except dns.exception.Timeout:
            raise DnsError(f"no answer within {ANSWERS_WITHIN:.0f} s", silent=True) from None
        except dns.resolver.NoNameservers as fault:
            raise DnsError(_complaint(fault), silent=False) from None
        except (dns.exception.DNSException, OSError, ValueError) as fault:  # a name no question can hold
            raise DnsError(str(fault) or type(fault).__name__, silent=False) from None
        return DnsAnswer(tuple(_text(record) for record in answer.rrset or ()))

    def _opened(self) -> dns.asyncresolver.Resolver:
        if self._resolver is None:
            self._resolver = dns.asyncresolver.Resolver(configure=not self._address)
            if self._address:
                self._resolver.nameservers = [self._address]
                self._resolver.port = self._port
            self._resolver.lifetime = ANSWERS_WITHIN
        return self._resolver


def _complaint(fault: dns.resolver.NoNameservers) -> str:
    """What the servers said in place of an answer: "SERVFAIL"."""
    errors = fault.kwargs.get("errors") or ()
    words = {str(error[3]) for error in errors}
    return "the answer is " + " and ".join(sorted(words)) if words else "no server would answer"


def _text(record: dns.rdata.Rdata) -> str:
    if isinstance(record, TXT):
        return b"".join(record.strings).decode("utf-8", "replace")
    return record.to_text()
