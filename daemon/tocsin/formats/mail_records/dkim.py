"""The public key of a DKIM signature as DNS has it (RFC 6376, section 3.6.1)."""

import base64
import binascii

from tocsin.formats.mail_records.tags import read_tags

RSA_LEAST = 1024
"""Bits below which receivers refuse an RSA key (RFC 8301)."""


def key_problem(text: str) -> str:
    """Why receivers could not use this key; empty if they can."""
    tags, problem = read_tags(text)
    if problem:
        return problem
    if tags.get("v", "DKIM1") != "DKIM1":
        return f"its version is {tags['v']}, not DKIM1"
    key = "".join(tags.get("p", "").split())
    if "p" not in tags:
        return "it holds no key (p=)"
    if not key:
        return "the key was revoked (p= is empty)"
    try:
        data = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return "its key (p=) is not base64: was it cut when it was published?"
    kind = tags.get("k", "rsa")
    if kind not in ("rsa", "ed25519"):
        return f"its kind of key is {kind}; receivers know rsa and ed25519"
    if kind == "rsa" and len(data) < RSA_LEAST // 8:
        return f"its key is shorter than {RSA_LEAST} bits, or was cut when it was published"
    return ""


def is_key(text: str) -> bool:
    """Whether a TXT record is meant as a key at all."""
    tags, _ = read_tags(text)
    return "p" in tags or tags.get("v", "").upper() == "DKIM1"
