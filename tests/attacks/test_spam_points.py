"""What SpamAssassin thinks of every kind of mail, in English and in another language: less than half a point.

Skipped, saying so, where there is no `spamassassin`.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tocsin.wording.message.email import Letterhead

from tests.builders.mail_bodies import mails

SPAMASSASSIN = shutil.which("spamassassin")
MOST = 0.5
WITHIN = 300.0
LANGUAGES = ("en", "de")
BAIT = b"Message-ID: <bait>\r\n\r\nXJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
"""What every such program takes for spam."""

pytestmark = [
    pytest.mark.attack,
    pytest.mark.skipif(SPAMASSASSIN is None, reason="there is no spamassassin here; apt-get install spamassassin"),
]


def test_no_mail_looks_like_spam(tmp_path: Path) -> None:
    """By its rules that need no network, without what it has learnt of anybody's mail; the bait shows that it looks."""
    house = Letterhead("Acme incidents <incidents@example.com>")
    sent = [message for message in mails() if message.content.language in LANGUAGES]
    names = {house.id_for(message.reference): message.reference for message in sent} | {"<bait>": "bait"}
    letters = [*map(house.compose, sent), BAIT]
    mailbox = b"".join(
        b"From incidents@example.com Mon Nov 23 10:00:00 2026\n"
        + re.sub(rb"(?m)^From ", b">From ", letter.replace(b"\r\n", b"\n"))
        + b"\n\n"
        for letter in letters
    )
    assert SPAMASSASSIN is not None
    judged = subprocess.run(
        [SPAMASSASSIN, "--local", "--test-mode", "--nocreate-prefs", "--mbox"],
        input=mailbox,
        capture_output=True,
        check=True,
        timeout=WITHIN,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    points = {}
    for judgement in judged.stdout.decode(errors="replace").split("\nFrom incidents@example.com "):
        (score, rules), (name, _) = (
            re.findall(pattern, judgement, re.MULTILINE)[0]
            for pattern in (r"^X-Spam-Status: \w+, score=(-?[\d.]+)[^\n]*tests=(\S*)", r"^Message-ID: (<\S+)()")
        )
        points[names[name]] = (float(score), rules)
    assert len(points) == len(letters)
    assert points.pop("bait")[0] > MOST
    assert {name: verdict for name, verdict in points.items() if verdict[0] >= MOST} == {}
