"""Attacks on the installed daemon by a provider of SMS that answers with every code: to the create, and as a receipt that
is early, late, out of order, or told twice. Each person gets one code; between any two a message goes well.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.fakes.orders import written
from tests.fakes.pager import ROOMY, Pager
from tests.fakes.providers import MAIN_ACCOUNT, OURS, StandInProcess

ABOUT_THE_NUMBER = frozenset({"21211", "21214", "21610", "21614", "30005", "30006"})
CREATES = (
    *("21211", "21214", "21610", "21614", "21617", "21606", "21612", "21408", "21659", "21660", "21603", "21611"),
    *("20003", "20005", "20429", "30001", "30002", "30034", "30032", "63038", "99999"),
)
STATUS = {"20003": "401", "20005": "401", "20429": "429", "63038": "429"}
PASSING = frozenset({"20429", "21611", "30001"})
RECEIPTS = ("30001", "30002", "30003", "30005", "30006", "30007", "30008", "30032", "30034", "63038", "")
COURSES: Mapping[str, Sequence[tuple[float, str]]] = {
    "early": [(0, "undelivered")],
    "late": [(0, "sent"), (5, "failed")],
    "reordered": [(0.3, "undelivered"), (3, "sent")],
    "repeated": [(0.5, "failed"), (0.5, "failed"), (4, "failed")],
}
SETTINGS = f"""
operators: [olga]
last_resort: [olga]
replies: {{{{by: poll, every: 1s}}}}
email: {{{{transport: smtp, host: 127.0.0.1, port: {{port}}, security: none, sender: "Incidents <incidents@example.com>"}}}}
sms: {{{{transport: twilio, account_sid: {MAIN_ACCOUNT}, api_url: '{{url}}', sender: "{OURS}"}}}}
"""
GOOD = "+14155550190"


class World:
    """A pager with a service, and a person, for each code; and one person whose SMS always arrive."""

    def __init__(self, folder: Path, codes: Sequence[str]) -> None:
        self.codes = codes
        self.relay = StandInProcess(folder / "relay.truth", "smtp")
        account = ("--account", MAIN_ACCOUNT, "--token", "first", "--number", OURS)
        self.twilio = StandInProcess(folder / "twilio.truth", "twilio", *account)
        self.pager = Pager(folder, TOCSIN_SMS__AUTH_TOKEN="first", **ROOMY)
        people = {
            name: {"name": name, "email": f"{name}@example.com", "phone": number} for name, number in self.numbers
        }
        config = {
            "people": {**people, "olga": {"email": "olga@example.com"}},
            "roles": {"technical_lead": {"chain": ["good"]}},
            "services": {name: {"roles": {"technical_lead": [name]}} for name in people},
            "severities": {
                "sev1": {"page": {"roles": ["technical_lead"], "via": ["sms"], "acknowledge_within": "30m"}}
            },
        }
        (folder / "config" / "all.yaml").write_text(json.dumps(config))
        settings = SETTINGS.format(port=self.relay.place["port"], url=self.twilio.place["url"])
        (folder / "config" / "tocsin.yaml").write_text(settings)

    @property
    def numbers(self) -> list[tuple[str, str]]:
        """Whom each code is for, and the number."""
        named = [(f"code{code or 'none'}", f"+14155550{100 + place}") for place, code in enumerate(self.codes)]
        return [*named, ("good", GOOD)]

    def declare(self, name: str, service: str) -> float:
        """A new incident of somebody's service; when it was declared."""
        self.pager.write(f"{name}.yaml", f"title: Trouble {name}\nseverity: sev1\nservices: [{service}]\n")
        return time.time()

    def mailed(self, name: str) -> list[float]:
        """When pages came to somebody by mail."""
        mails = self.relay.arrived(f"{name}@example.com")
        return [mail["at"] for mail in mails if "X-Tocsin-Kind: page" in mail["data"]]

    def marked(self) -> set[str]:
        """The codes whose person was told to the operators as refused for good."""
        lines = written(self.pager.log)
        causes = {line.get("cause", "") for line in lines if line["event"] == "trouble"}
        return {code for code in self.codes if any(f"code{code or 'none'}" in cause for cause in causes)}

    def run(self, code: str) -> float:
        """One page to the person of that code, and one that goes well; the seconds until the first was out by mail."""
        name = f"code{code or 'none'}"
        began = self.declare(name, name)
        limit = 34 if code in PASSING else 12
        self.pager.until(lambda: self.mailed(name), limit)
        before = len(self.twilio.arrived(GOOD))
        self.declare(f"well{name}", "good")
        self.pager.until(lambda: len(self.twilio.arrived(GOOD)) > before, 5)
        return self.mailed(name)[0] - began

    def close(self) -> None:
        """End everything."""
        if self.pager.process is not None:
            self.pager.stop()
        self.relay.close()
        self.twilio.close()


@pytest.fixture
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(tmp_path, request.param)
    yield made
    made.close()


@pytest.mark.attack
@pytest.mark.parametrize("world", [CREATES], indirect=True, ids=["all codes"])
def test_every_code_to_the_create(world: World) -> None:
    """Rules 37, 38, D7: the page is out by mail, at once unless the code is a passing one; only a code about the number
    marks it.
    """
    for (_, number), code in zip(world.numbers, world.codes, strict=False):
        world.twilio.wrong("create", f"code {code} {STATUS.get(code, '400')}", to=number)
    world.pager.start()
    for code in world.codes:
        taken = world.run(code)
        assert code in PASSING or taken < 3, (code, taken)
    time.sleep(3)
    assert world.marked() == ABOUT_THE_NUMBER & set(CREATES)


@pytest.mark.attack
@pytest.mark.parametrize("order", [*COURSES])
@pytest.mark.parametrize("world", [RECEIPTS], indirect=True, ids=["all codes"])
def test_every_code_as_a_receipt(world: World, order: str) -> None:
    """Rules 37, 38, D9, D10: whenever the word comes, the page is out by mail then, once; only 30005 and 30006 mark."""
    for (_, number), code in zip(world.numbers, world.codes, strict=False):
        steps = [(after, status, code if status != "sent" else "") for after, status in COURSES[order]]
        world.twilio.order(course={"to": number, "steps": steps})
    world.pager.start()
    for code in world.codes:
        taken = world.run(code)
        assert taken < (9 if order == "late" else 5), (code, taken)
    time.sleep(4)
    assert world.marked() == ABOUT_THE_NUMBER & set(RECEIPTS)
    assert all(len(world.mailed(f"code{code or 'none'}")) == 1 for code in world.codes)
