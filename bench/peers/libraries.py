"""What a user would write without tocsin: aiosmtplib, EmailMessage and Jinja2, for a mail as large as ours. And a loop
that parses files.
"""

import asyncio
import time
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import jinja2
import yaml

CONNECTIONS = 4


async def emails(port: int, count: int) -> float:
    """Mails a second of the plain libraries over four kept connections: rendered, built and sent one by one."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True)
    text, html = environment.get_template("update.txt.j2"), environment.get_template("update.html.j2")
    words = {
        "tag": "SEV1", "title": "Card payments fail", "status": "looking for the cause", "news": (), "group": "support",
        "standing": "We are investigating.", "since": "Fri 27 Nov, 02:43 UTC", "next": "Fri 27 Nov, 06:43 UTC",
    }  # fmt: skip
    numbers = iter(range(count))

    async def work() -> None:
        client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
        await client.connect()
        for number in numbers:
            mail = EmailMessage()
            mail["From"], mail["To"] = "Incidents <incidents@example.com>", f"reader{number}@example.com"
            mail["Subject"] = "[SEV1] Card payments fail: investigating"
            mail.set_content(text.render(words))
            mail.add_alternative(html.render(words), subtype="html")
            await client.send_message(mail)
        await client.quit()

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return count / (time.perf_counter() - begun)


def parse(folder: Path) -> float:
    """Seconds to open and parse every file of a folder with the C loader."""
    begun = time.perf_counter()
    for path in sorted(folder.glob("*.yaml")):
        yaml.load(path.read_bytes(), yaml.CSafeLoader)
    return time.perf_counter() - begun
