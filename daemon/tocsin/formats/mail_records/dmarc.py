"""A DMARC record: what receivers do with mail that passes neither SPF nor DKIM (RFC 7489, section 6.3)."""

import re
from dataclasses import dataclass

from tocsin.formats.mail_records.tags import read_tags

POLICIES = ("none", "quarantine", "reject")


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """`policy` is for the domain that it stands at, `below` for those beneath. `problem`: why receivers cannot use it.
    `public_suffix`: it speaks for a registry, not for an organisation.
    """

    policy: str = ""
    below: str = ""
    reports: str = ""
    public_suffix: bool = False
    problem: str = ""


def is_dmarc(text: str) -> bool:
    """Whether a TXT record is meant as one."""
    return re.match(r"\s*v\s*=\s*dmarc", text, re.IGNORECASE) is not None


def read_dmarc(text: str) -> DmarcRecord:
    """The record, or what is wrong with it."""
    tags, problem = read_tags(text)
    if problem:
        return DmarcRecord(problem=problem)
    if next(iter(tags), "") != "v" or tags["v"] != "DMARC1":
        return DmarcRecord(problem="it must begin with v=DMARC1, written so")
    policy, below = tags.get("p", "").lower(), tags.get("sp", tags.get("p", "")).lower()
    for tag, value in (("p", policy), ("sp", below)):
        if value not in POLICIES:
            said = f"{tag}={value} is none of" if value else f"{tag}= lacks; it is one of"
            return DmarcRecord(problem=f"{said} none, quarantine, reject")
    for tag in ("rua", "ruf"):
        for address in filter(None, tags.get(tag, "").split(",")):
            if not re.fullmatch(r"\s*mailto:[^@\s]+@[^@\s]+\s*", address):
                return DmarcRecord(problem=f"{tag}={address.strip()} is no mailto: address")
    for tag in ("adkim", "aspf"):
        if tags.get(tag, "r").lower() not in ("r", "s"):
            return DmarcRecord(problem=f"{tag}={tags[tag]} is neither r nor s")
    return DmarcRecord(policy, below, tags.get("rua", ""), public_suffix=tags.get("psd", "").lower() == "y")
