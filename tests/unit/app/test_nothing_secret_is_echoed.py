"""Whatever is wrong with a setting that may be a secret, nothing of it is told: `check` runs in pipelines (F4)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.builders.loading import load

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
CANARY = "c4n4ry"
PEOPLE = """
people: {ana: {name: Ana, email: ana@example.com, phone: "+14155550101"}}
roles: {technical_lead: {chain: [ana]}}
severities: {sev1: {page: {roles: [technical_lead], via: [sms], acknowledge_within: 5m}}}
"""
SETTINGS = {
    "operators": "[ana]", "last_resort": "[ana]", "email": "{sender: i@example.com}", "sms": '{sender: "+15005550006"}'
}  # fmt: skip
ACCOUNT = "sms: {sender: '+15005550006', transport: twilio, "
ADDRESSES = (
    f"hc.example.com/{CANARY}", f"https:/hc.example.com/{CANARY}", f"https://{CANARY}:x@", f"https://u:{CANARY}",
    f"ftp://x/{CANARY}", f"https://x.example.com/{CANARY} b", f"https://x:99999/{CANARY}", f"https://[::1/{CANARY}",
    CANARY, f"https://u:{CANARY}@x.example.com:0/", f"//{CANARY}", f"https://u:{CANARY}@[x/",
)  # fmt: skip
PLACES = (
    "heartbeat: {{url: '{}'}}",
    "public_url: '{}'",
    "sms: {{sender: '+15005550006', transport: twilio, account_sid: AC1, api_url: '{}'}}",
    "ledger: '{}'",
)
VARIABLES = ("TOCSIN_HEARTBEAT__URL", "TOCSIN_PUBLIC_URL", "TOCSIN_LEDGER")
IN_FILES = [place.format(address) for place in PLACES for address in ADDRESSES] + [
    f"ledger: postgresql://u:{CANARY}@h/db", f"heartbeat: {{url: [https://x/{CANARY}]}}",
    f"heartbeat: {{url: {{a: {CANARY}}}}}", f"heartbeat: https://x/{CANARY}", f"heartbeat: {{https://x/{CANARY}}}",
    f"heartbeat:\n  url: 'https://x/{CANARY}\n", f"heartbeat: {{url: https://x/{CANARY}",
    f"heartbeat:\n  url: https://x/{CANARY}\n  url: https://x/{CANARY}2\n", f"heartbeat:\n\turl: https://x/{CANARY}\n",
    f"heartbeat:\n  url: &a https://x/{CANARY}\nother: *a\n", f"heartbeat:\n  url: !x https://x/{CANARY}\n",
    f"heartbeat: url: https://x/{CANARY}\n", f"heartbeat: {{urls: https://x/{CANARY}}}", f"https://x/{CANARY}: y",
    f"{ACCOUNT}account_sid: {CANARY}}}", f"{ACCOUNT}account_sid: AC-{CANARY}}}",
    f"sms: {{messaging_service_sid: {CANARY}}}", f"{ACCOUNT}account_sid: AC1, auth_token: {CANARY}}}",
    f"{ACCOUNT}account_sid: AC1, auth_token: {{a: {CANARY}}}}}", f"{ACCOUNT}account_sid: AC1, api_secret: [{CANARY}]}}",
    f"email: {{sender: i@example.com, password: {CANARY}}}", f"email: {{sender: i@example.com, passwd: {CANARY}}}",
    f"email: {{sender: i@example.com, host: 'u:{CANARY}@h', port: x}}", f"web: {{token: {CANARY}}}",
    f"web: {{signing_key: [{CANARY}]}}", f"web: {CANARY}", f"slack: https://hooks.example.com/{CANARY}", CANARY,
    f"email: {{sender: i@example.com, password:{CANARY}}}", f"email: {{sender: i@example.com, passwort:{CANARY}: x}}",
    f"email:\n  password:{CANARY}\n  sender: i@example.com\n", f"web:\n  tokens:{CANARY}:\n",
]  # fmt: skip
OF_VARIABLES = [(name, address) for name in VARIABLES for address in ADDRESSES] + [
    ("TOCSIN_LEDGER", f"postgresql://u:{CANARY}@h/db"), ("TOCSIN_LEDGER", f"sqlite:///x?{CANARY}"),
    ("TOCSIN_WEB__SIGNING_KEY", f'["{CANARY}'), ("TOCSIN_WEB__SIGNING_KEY", f'["{CANARY}", 3]'),
    ("TOCSIN_WEB__SIGNING_KEY", f'{{"{CANARY}": 3}}'), ("TOCSIN_SMS__AUTH_TOKEN", f'[["{CANARY}"]]'),
    ("TOCSIN_SMS", f'{{"auth_token": "{CANARY}"'), ("TOCSIN_EMAIL__PASSWORD__X", CANARY), ("TOCSIN_WEB", CANARY),
    ("TOCSIN_WEB__TOKENS", CANARY), ("TOCSIN_EMAIL__FALLBACKS", CANARY), ("TOCSIN_EMAIL__PASSWORD", f"\ud800{CANARY}"),
    ("TOCSIN_EMAIL__FALLBACKS__X__PASSWORD", CANARY),
]  # fmt: skip


def told(folder: Path, extra: str, **environ: str) -> list[str]:
    """What is said of a config with this in its settings."""
    config = folder / "config"
    config.mkdir()
    (config / "all.yaml").write_text(PEOPLE)
    lines = (f"{key}: {value}\n" for key, value in SETTINGS.items() if key != extra.partition(":")[0])
    (config / "tocsin.yaml").write_text("".join(lines) + extra + "\n")
    return [str(problem) for problem in load(config, T0, environ).problems]


@pytest.mark.parametrize("extra", IN_FILES, ids=range(len(IN_FILES)))
def test_of_a_file(tmp_path: Path, extra: str) -> None:
    """There is a complaint, with its place, and the secret is not in it."""
    problems = told(tmp_path, extra)
    assert problems
    assert any("tocsin.yaml:" in problem for problem in problems)
    assert not [problem for problem in problems if CANARY in problem]


@pytest.mark.parametrize(("name", "value"), OF_VARIABLES, ids=range(len(OF_VARIABLES)))
@pytest.mark.parametrize("layer", ["environment", "credentials"])
def test_of_the_environment_and_of_credentials(tmp_path: Path, name: str, value: str, layer: str) -> None:
    """The variable is named, or nothing is wrong with it."""
    if layer == "environment":
        problems = told(tmp_path, "", **{name: value})
    else:
        (tmp_path / "credentials").mkdir()
        (tmp_path / "credentials" / name.lower()).write_bytes(value.encode("utf-8", "surrogatepass"))
        problems = told(tmp_path, "", CREDENTIALS_DIRECTORY=str(tmp_path / "credentials"))
    assert not [problem for problem in problems if CANARY in problem]
