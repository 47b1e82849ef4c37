"""An SPF record: who may send mail for a domain (RFC 7208). Text in, terms out; asks no network."""

import re
from dataclasses import dataclass
from ipaddress import ip_network

ASKING = frozenset({"include", "a", "mx", "ptr", "exists"})
"""Mechanisms for which the receiver asks DNS; so does `redirect`. Ten of all are allowed (section 4.6.4)."""
LOOKUPS_MOST = 10
_MECHANISM = re.compile(r"([+\-~?]?)([A-Za-z][A-Za-z0-9]*)(?::([^/]\S*?))?((?:/\d{1,3})?(?://\d{1,3})?)")
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.\-]*)=(\S*)")
_ADDRESS = re.compile(r"([+\-~?]?)(ip4|ip6):(\S+)", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9_.\-%{}+/=,]{1,253}")


@dataclass(frozen=True, slots=True)
class SpfTerm:
    """One mechanism: how it judges (`+ - ~ ?`), its name in small letters, and the domain or address it is about."""

    judges: str
    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class SpfRecord:
    """`redirect` is the domain whose record goes on where nothing matched. `problem`: why receivers cannot use it."""

    terms: tuple[SpfTerm, ...] = ()
    redirect: str = ""
    problem: str = ""

    @property
    def others(self) -> str:
        """How it judges whoever is not named: `- ~ ? +`, or empty where it does not say."""
        return next((term.judges for term in self.terms if term.name == "all"), "")


def is_spf(text: str) -> bool:
    """Whether a TXT record counts as one for receivers."""
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def read_spf(text: str) -> SpfRecord:
    """The record, or what is wrong with it."""
    terms: list[SpfTerm] = []
    modifiers: dict[str, str] = {}
    for word in text.split()[1:]:
        term = _term(word)
        if isinstance(term, SpfTerm):
            terms.append(term)
            continue
        modifier = _MODIFIER.fullmatch(word)
        if term or modifier is None:
            return SpfRecord(problem=term or f'"{word[:40]}" is no term of SPF')
        name = modifier[1].lower()
        if name in ("redirect", "exp") and name in modifiers:
            return SpfRecord(problem=f"{name}= stands there twice")
        if name == "redirect" and not _NAME.fullmatch(modifier[2]):
            return SpfRecord(problem="redirect= names no domain")
        modifiers[name] = modifier[2]
    return SpfRecord(tuple(terms), modifiers.get("redirect", ""))


def _term(word: str) -> SpfTerm | str:
    """A mechanism, or what is wrong with it; empty where it may be a modifier."""
    address = _ADDRESS.fullmatch(word)
    if address:
        judges, kind, written = address[1] or "+", address[2].lower(), address[3]
        try:
            network = ip_network(written, strict=False)
        except ValueError:
            return f"{word} names no address"
        return SpfTerm(judges, kind, written) if f"ip{network.version}" == kind else f"{word} is not an {kind} address"
    if _MODIFIER.fullmatch(word):
        return ""
    match = _MECHANISM.fullmatch(word)
    if match is None:
        return ""
    judges, name, value, length = match[1] or "+", match[2].lower(), match[3] or "", match[4]
    if name not in ASKING | {"all"}:
        return f'"{word[:40]}" is no term of SPF'
    if name in ("include", "exists") and not _NAME.fullmatch(value):
        return f"{name}: names no domain"
    if (name == "all" and (value or length)) or (length and name not in ("a", "mx")):
        return f'"{word[:40]}" says more than {name} can'
    return SpfTerm(judges, name, value)
