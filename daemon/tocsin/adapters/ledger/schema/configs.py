"""A config as one value of the ledger: its files, and the templates that were in force with it."""

import json
import zlib
from collections.abc import Mapping

TEMPLATES = "\0templates"
"""Under this name stands that templates were kept, and each under it and its path. No file's name can have a NUL."""


def pack_config(files: Mapping[str, bytes], templates: Mapping[str, str] | None) -> bytes:
    """The value of files and templates; None: none are kept."""
    texts = {name: data.decode("latin-1") for name, data in files.items()}
    if templates is not None:
        texts[TEMPLATES] = ""
        texts |= {f"{TEMPLATES}/{name}": text for name, text in templates.items()}
    return zlib.compress(json.dumps(texts).encode())


def unpack_config(value: bytes) -> tuple[dict[str, bytes], dict[str, str] | None]:
    """Files and templates of a value. Raises whatever a value that is none does."""
    texts: dict[str, str] = json.loads(zlib.decompress(value))
    files = {name: text.encode("latin-1") for name, text in texts.items() if not name.startswith(TEMPLATES)}
    templates = {name.removeprefix(f"{TEMPLATES}/"): text for name, text in texts.items() if f"{TEMPLATES}/" in name}
    if not all(isinstance(text, str) for text in templates.values()):
        raise ValueError("a template is no text")
    return files, templates if TEMPLATES in texts else None
