"""How many SMS segments a text costs, and how it is made to cost fewer (3GPP TS 23.038).

Decides which letters are rewritten: quotes, dashes and accents become their plain cousins, Cyrillic and Greek are
written in Latin letters as their readers do themselves in SMS, emoji go. Scripts for which that loses the sense (Han,
Arabic, Hebrew, Thai and the like) stay as they are, and then so does the whole text, because one such letter makes all
of it 16 bits wide. Must not know what a text is about, nor where it may be shortened with sense.
"""

import re
import unicodedata

from tocsin.text.cleaning import clean

_LETTERS = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_DOUBLE = "\f^{}\\[~]|€"
_GSM = re.compile(f"[{re.escape(_LETTERS + _DOUBLE)}]*")
_TWO_SEPTETS = re.compile(f"[{re.escape(_DOUBLE)}]")
_GREEK = re.compile("[\u0370-\u03ff\u1f00-\u1fff]+")
_SEPTETS = (160, 153)
_UNITS = (70, 67)
"""What one segment holds: alone, and as part of several (each then carries a header)."""


def _table(pairs: str) -> dict[str, str]:
    """Each word is a letter, followed by what stands for it (perhaps nothing)."""
    return {pair[0]: pair[1:] for pair in pairs.split()}


_PLAIN = {
    **dict.fromkeys("“”„‟«»″〝〞＂", '"'),
    **dict.fromkeys("‘’‚‛‹›′`´ʼ＇", "'"),
    **dict.fromkeys("‐‑‒–—―−⁃•·", "-"),
    **dict.fromkeys("✓✔✅☑", "OK"),
    **dict.fromkeys("✗✘❌✖×", "x"),
    **_table("…... →-> ←<- ⇒=> ≤<= ≥>= ≠!= ≈~ ⚠! ÷/ ⁄/ ° №No. ©(c) ®(R) ¦| ¢c ªa ºo µu"),
    **_table("łl ŁL đd ĐD ðd ÐD þth ÞTh œoe ŒOE ıi ħh ĦH ŧt ŦT ŋng ŊNg ĸk ſs ẞSS əe ƏE"),
}
_CYRILLIC = _table(
    "аa бb вv гg дd еe ёyo жzh зz иi йy кk лl мm нn оo пp рr сs тt уu фf хkh цts чch шsh щshch ъ ыy"
    " ь эe юyu яya іi їyi єye ґg ўu ђdj ћc јj љlj њnj џdz ѓgj ќkj ѕdz қq ңn өo үu ұu һh әa ғg"
)
_HELLENIC = _table("αa βv γg δd εe ζz ηi θth ιi κk λl μm νn ξx οo πp ρr σs ςs τt υy φf χch ψps ωo")


def segments(text: str) -> int:
    """How many segments this text is sent (and paid) as; at least 1. A pair of units is never split over two."""
    costs, (alone, joined) = _costs(text)
    if sum(costs) <= alone:
        return 1
    count, room = 1, joined
    for cost in costs:
        if cost > room:
            count, room = count + 1, joined
        room -= cost
    return count


def is_narrow(text: str) -> bool:
    """Whether each letter is in the GSM alphabet, so that 160 septets fit a segment."""
    return _GSM.fullmatch(text) is not None


def cut(text: str, most: int) -> str:
    """The text in at most `most` segments; one that is cut ends in three dots, at a whole letter."""
    if segments(text) <= most:
        return text
    costs, (alone, joined) = _costs(text)
    room, length = (alone if most == 1 else joined * most) - 2 - most, 0
    while length < len(costs) and costs[length] <= room:
        room -= costs[length]
        length += 1
    while length and (
        unicodedata.combining(text[length]) or text[length] in "\u200d\ufe0f" or text[length - 1] == "\u200d"
    ):
        length -= 1
    return text[:length].rstrip() + "..."


def fold(text: str) -> str:
    """The text in letters of the GSM alphabet where that keeps its sense, else as it is; controls are gone."""
    cleaned = clean(text)
    if _GSM.fullmatch(cleaned):
        return cleaned
    latin = _GREEK.sub(_greek, unicodedata.normalize("NFC", cleaned))
    folded = "".join(letter if _GSM.fullmatch(letter) else _fold(letter) for letter in latin)
    folded = re.sub(r"(?<=[ \n]) +", "", folded).strip()
    return folded if folded and _GSM.fullmatch(folded) else cleaned


def _costs(text: str) -> tuple[list[int], tuple[int, int]]:
    """What each letter costs, and what segments hold, in the narrowest alphabet that has them all."""
    if not _GSM.fullmatch(text):
        return [2 if letter > "\uffff" else 1 for letter in text], _UNITS
    if _TWO_SEPTETS.search(text):
        return [2 if letter in _DOUBLE else 1 for letter in text], _SEPTETS
    return [1] * len(text), _SEPTETS


def _greek(run: re.Match[str]) -> str:
    """A Greek word in Latin letters; single capitals that the alphabet has (10 Ω) stay."""
    if _GSM.fullmatch(run[0]):
        return run[0]
    bare = "".join(letter for letter in unicodedata.normalize("NFD", run[0]) if not unicodedata.combining(letter))
    for pair, latin in (("ου", "ou"), ("Ου", "Ou"), ("ΟΥ", "OU")):
        bare = bare.replace(pair, latin)
    return "".join(_in_case(letter, _HELLENIC.get(letter.lower(), letter)) for letter in bare)


def _fold(letter: str) -> str:
    """One letter that the alphabet lacks, in letters that it has; itself where there are none."""
    if letter in _PLAIN:
        return _PLAIN[letter]
    if letter.lower() in _CYRILLIC:
        return _in_case(letter, _CYRILLIC[letter.lower()])
    if unicodedata.category(letter) in ("So", "Sk", "Cf", "Mn") or letter == "\u200d":
        return "" if unicodedata.category(letter) != "So" or letter > "\u20ff" else letter
    if letter.isspace():
        return " "
    bare = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return "".join(part if _GSM.fullmatch(part) else _PLAIN.get(part, part) for part in bare)


def _in_case(letter: str, latin: str) -> str:
    return latin.capitalize() if letter.isupper() else latin
