"""SPF of a domain as a receiver reads it: one record, its includes and redirects followed, ten look-ups at most."""

from dataclasses import dataclass, field

from tocsin.app.doctor.check import Check
from tocsin.formats.mail_records.spf import ASKING, LOOKUPS_MOST, SpfRecord, is_spf, read_spf
from tocsin.ports.dns import DnsError, DnsResolver

CODE = "spf"
EXAMPLE = 'publish a TXT at {domain}: "v=spf1 include:… -all"; the mail server\'s operator says what to include'


class SpfError(Exception):
    """Receivers cannot use it: they take that for an error of the whole record."""

    def __init__(self, why: str, cure: str) -> None:
        super().__init__(why)
        self.cure = cure


@dataclass(slots=True)
class _Walk:
    """Which domains were read, and how many look-ups that took."""

    resolver: DnsResolver
    lookups: int = 0
    domains: list[str] = field(default_factory=list)

    def count(self, at: str) -> None:
        self.lookups += 1
        if self.lookups > LOOKUPS_MOST:
            raise SpfError(
                f"it takes more than {LOOKUPS_MOST} look-ups (passed in {at}), so receivers give up",
                "take out what does not send for you, or name addresses (ip4:, ip6:) instead",
            )

    async def read(self, domain: str) -> SpfRecord:
        """The record of a domain, with all that it includes read as well; the last of its redirects."""
        if domain in self.domains:
            raise SpfError(f"it includes {domain} in a circle", f"take one include:{domain} out")
        self.domains.append(domain)
        record = await self._one(domain)
        for term in record.terms:
            if term.name in ASKING:
                self.count(domain)
            if term.name == "include" and "%" not in term.value:
                await self.read(term.value.lower().rstrip("."))
        if record.redirect and not record.others:
            self.count(domain)
            if "%" not in record.redirect:
                record = await self.read(record.redirect.lower().rstrip("."))
        self.domains.remove(domain)
        return record

    async def _one(self, domain: str) -> SpfRecord:
        texts = [text for text in (await self.resolver.lookup(domain, "TXT")).records if is_spf(text)]
        where = f"at {domain}"
        if not texts:
            cure = EXAMPLE.format(domain=domain) if len(self.domains) == 1 else f"correct {domain}, or take it out"
            raise SpfError(f"there is no SPF record {where}", cure)
        if len(texts) > 1:
            raise SpfError(f"there are {len(texts)} SPF records {where}, so receivers use none", "make one of them")
        record = read_spf(texts[0])
        if record.problem:
            raise SpfError(f"the SPF record {where} cannot be read: {record.problem}", "put that term right")
        return record


async def examine_spf(domain: str, resolver: DnsResolver) -> Check:
    """Whether receivers can tell by SPF who sends for the domain."""
    walk = _Walk(resolver)
    try:
        record = await walk.read(domain)
    except SpfError as fault:
        inside = f" (in what {domain} includes)" if len(walk.domains) > 1 else ""
        return Check(CODE, domain, False, f"{fault}{inside}", fault.cure)
    except DnsError as fault:
        asked = walk.domains[-1] if walk.domains else domain
        return Check(CODE, domain, None, f"not tried: the TXT of {asked} cannot be had ({fault})")
    looked = f"{walk.lookups} look-up{'s' * (walk.lookups != 1)}"
    if record.others == "+":
        return Check(CODE, domain, False, "it lets everybody send (+all), so receivers take it for spam", "write -all")
    if record.others in ("-", "~"):
        return Check(CODE, domain, True, f"SPF: one record, {looked}, ends in {record.others}all")
    said = "?all" if record.others else "no all"
    cure = "write -all (or ~all) at its end: until then it says nothing of strangers"
    return Check(CODE, domain, True, f"SPF: one record, {looked}, ends in {said}", cure)
