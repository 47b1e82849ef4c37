"""The domain of email.sender as receivers see it in DNS: does it exist, who may send for it, is its mail signed?

Decides which names are asked and what lacks. What a record says is read in `formats/mail_records`.
"""

import asyncio

from tocsin.app.doctor.check import Check, not_tried
from tocsin.app.doctor.spf import examine_spf
from tocsin.formats.mail_records.dkim import is_key, key_problem
from tocsin.formats.mail_records.dmarc import is_dmarc, read_dmarc
from tocsin.ports.dns import DnsAnswer, DnsError, DnsResolver

RESOLVER, BOUNCES, SPF, DKIM, DMARC = CODES = ("dns-resolver", "sender-domain", "spf", "dkim", "dmarc")
SELECTORS = (
    "default", "dkim", "mail", "email", "smtp", "key1", "k1", "k2", "k3", "s1", "s2", "selector1", "selector2",
    "google", "mandrill", "mxvault", "pm", "fm1", "fm2", "zoho", "sig1", "mta", "tocsin",
)  # fmt: skip
"""What mail providers call their keys by default; there is no way to list those that a domain has."""
EXAMPLES = frozenset({"example.com", "example.net", "example.org"})
EXAMPLE_ENDS = (".example", ".test", ".invalid", ".localhost", ".local", ".internal")
"""Domains that DNS does not serve (RFC 2606, RFC 6762)."""
HOW_TO_FIND = (
    "look for s= and d= in the DKIM-Signature of a mail that came from it, then: tocsin doctor --selector NAME"
)


def is_example(domain: str) -> bool:
    """Whether a domain is one for examples or for one's own network, which receivers do not find."""
    return f".{domain}".endswith(tuple(f".{example}" for example in EXAMPLES) + EXAMPLE_ENDS) or "." not in domain


async def examine_domain(domain: str, resolver: DnsResolver, selector: str = "") -> list[Check]:
    """What DNS says of the domain. One that is never answered for is told once."""
    answers = Check(RESOLVER, resolver.name, True, f"{resolver.name} answers")
    try:
        exchangers = await resolver.lookup(domain, "MX")
    except DnsError as fault:
        if fault.silent:
            cure = "see /etc/resolv.conf, or name another resolver: tocsin doctor --resolver 9.9.9.9"
            first = Check(RESOLVER, resolver.name, False, f"{resolver.name}: {fault}", cure)
            return [first, *not_tried(CODES[1:], domain, "the resolver does not answer")]
        cure = "have whoever runs the domain's name servers look at it: receivers cannot ask for it either"
        broken = Check(BOUNCES, domain, False, f"DNS does not work for {domain}: {fault}", cure)
        return [answers, broken, *not_tried(CODES[2:], domain, str(fault))]
    if not exchangers.exists:
        cure = "is email.sender right? Receivers turn away mail from a domain that does not exist"
        gone = Check(BOUNCES, domain, False, f"there is no domain {domain} in DNS", cure)
        return [answers, gone, *not_tried(CODES[2:], domain, "there is no such domain")]
    spf, dkim, dmarc, bounces = await asyncio.gather(
        examine_spf(domain, resolver),
        _dkim(domain, resolver, selector),
        _dmarc(domain, resolver),
        _bounces(domain, exchangers, resolver),
    )
    return [answers, bounces, spf, dkim, dmarc]


async def _bounces(domain: str, exchangers: DnsAnswer, resolver: DnsResolver) -> Check:
    """Whether mail to the sender's domain finds a server: receivers ask for that, and bounces go there."""
    hosts = [
        host.rstrip(".").lower()
        for _, host in sorted(
            (int(number), host) for number, _, host in (mx.partition(" ") for mx in exchangers.records)
        )
    ]
    if hosts == [""]:
        why = f"{domain} says that it takes no mail (a null MX), so receivers take none from it"
        return Check(BOUNCES, domain, False, why, "send from a domain with a mailbox, or take that MX out")
    try:
        addresses = [
            answer.records for kind in ("A", "AAAA") for answer in [await resolver.lookup((hosts or [domain])[0], kind)]
        ]
    except DnsError as fault:
        return Check(BOUNCES, domain, None, f"not tried: {(hosts or [domain])[0]} cannot be looked up ({fault})")
    if hosts and any(addresses):
        return Check(BOUNCES, domain, True, f"mail to {domain} goes to {hosts[0]}")
    if hosts:
        return Check(
            BOUNCES, domain, False, f"its mail server {hosts[0]} has no address", f"correct the MX of {domain}"
        )
    if any(addresses):
        cure = f"publish an MX for {domain}: some receivers want one, and bounces need it"
        return Check(BOUNCES, domain, True, f"{domain} has an address and no MX", cure)
    cure = f"publish an MX for {domain}: many receivers turn away a sender that cannot be answered"
    return Check(BOUNCES, domain, False, f"{domain} has neither an MX nor an address", cure)


async def _dkim(domain: str, resolver: DnsResolver, selector: str) -> Check:
    """A key under the selector that was named, else under a usual one. That none is found there says nothing."""
    domains = _upwards(domain)[:2]
    if selector:
        return await _dkim_named(selector, domains, resolver)
    names = [f"{name}._domainkey.{above}" for above in domains for name in SELECTORS]
    for name, texts in zip(names, await asyncio.gather(*(_texts(name, resolver) for name in names)), strict=True):
        if any(is_key(text) and not key_problem(text) for text in texts):
            return Check(DKIM, domain, True, f"DKIM: there is a key {name}")
    looked = f"not tried: the selector is not known, and none of {len(SELECTORS)} usual ones has a key"
    return Check(DKIM, domain, None, looked, HOW_TO_FIND)


async def _texts(name: str, resolver: DnsResolver) -> tuple[str, ...]:
    """The texts at a name that was guessed; none where DNS does not say."""
    try:
        return (await resolver.lookup(name, "TXT")).records
    except DnsError:
        return ()


async def _dkim_named(selector: str, domains: list[str], resolver: DnsResolver) -> Check:
    """The key under a selector that somebody named."""
    for domain in domains:
        name = f"{selector}._domainkey.{domain}"
        try:
            texts = (await resolver.lookup(name, "TXT")).records
        except DnsError as fault:
            return Check(DKIM, domains[0], None, f"not tried: {name} cannot be looked up ({fault})")
        if not texts:
            continue
        problem = key_problem(texts[0]) if len(texts) == 1 else f"there are {len(texts)} records"
        if problem:
            cure = "publish the key anew, as the mail server's operator gives it"
            return Check(DKIM, domains[0], False, f"{name}: {problem}", cure)
        return Check(DKIM, domains[0], True, f"DKIM: there is a key {name}")
    cure = f"publish the mail server's key as a TXT at {selector}._domainkey.{domains[0]}, or name another selector"
    return Check(DKIM, domains[0], False, f"there is no key {selector}._domainkey.{domains[0]}", cure)


async def _dmarc(domain: str, resolver: DnsResolver) -> Check:
    """The record of the domain, else of the nearest one above that has one (RFC 9989 walks so)."""
    cure = f'publish a TXT at _dmarc.{_upwards(domain)[-1]}: "v=DMARC1; p=none; rua=mailto:YOU", later p=quarantine'
    for above in _upwards(domain):
        name = f"_dmarc.{above}"
        try:
            texts = [text for text in (await resolver.lookup(name, "TXT")).records if is_dmarc(text)]
        except DnsError as fault:
            return Check(DMARC, domain, None, f"not tried: {name} cannot be looked up ({fault})")
        if not texts:
            continue
        if len(texts) > 1:
            why = f"there are {len(texts)} records at {name}, so none counts"
            return Check(DMARC, domain, False, why, "make one of them")
        record = read_dmarc(texts[0])
        if record.problem:
            why = f"{name} cannot be read: {record.problem}"
            return Check(DMARC, domain, False, why, "put it right; until then it counts as none")
        if record.public_suffix:
            continue
        policy = record.policy if above == domain else record.below
        inherited = "" if above == domain else f", for what lies below {above}"
        return Check(DMARC, domain, True, f"{name} says p={policy}{inherited}")
    why = f"there is no DMARC record for {domain}; Gmail, Yahoo and Outlook want one of whoever sends much"
    return Check(DMARC, domain, False, why, cure)


def _upwards(domain: str) -> list[str]:
    """The domain and those above it, down to two labels."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]
