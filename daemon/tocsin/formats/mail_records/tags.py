"""Records of the kind `tag=value; tag=value`, as DKIM and DMARC have them (RFC 6376, section 3.2)."""


def read_tags(text: str) -> tuple[dict[str, str], str]:
    """The tags by name, and what is wrong with how they are written (empty: nothing)."""
    tags: dict[str, str] = {}
    for part in text.split(";"):
        if not part.strip():
            continue
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            return tags, f'"{part.strip()[:40]}" is no tag; write tag=value, with ; between'
        if name in tags:
            return tags, f"the tag {name} stands there twice"
        tags[name] = value.strip()
    return tags, ""
