"""Addresses that want nothing more: what they mean for a policy, and how `check` tells of them."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tocsin.app.configuration.address_advice.opt_outs import problems
from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.opt_outs import OptOuts
from tocsin.domain.arrival import OptOut
from tocsin.domain.people import Channel
from tocsin.domain.problem import ProblemLevel
from tocsin.formats.settings.reply_routes import NO_REPLY_ROUTES
from tocsin.formats.settings.settings import reply_routes

from tests.builders.active_config import polled
from tests.builders.loading import load
from tests.builders.policies import paging_policy
from tests.fakes.pager import CONFIG, SETTINGS

AT = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
STOP = OptOut(Channel.SMS, "+14155550101", AT, "SM1")
ROUTES = reply_routes(polled())
CLICK = OptOut(Channel.EMAIL, "Press@Example.com", AT, "click")


def told(tmp_path: Path, *opt_outs: OptOut, heard: bool = True) -> list[str]:
    press = "stakeholders:\n  press: {emails: [desk@example.com, press@example.com], external: true}"
    (tmp_path / "all.yaml").write_text(CONFIG.replace("stakeholders:", press))
    sms = f"sms: {{transport: twilio, account_sid: AC{'0' * 32}, " if heard else "sms: {"
    (tmp_path / "tocsin.yaml").write_text(SETTINGS.replace("sms: {", sms))
    loaded = load(tmp_path, AT, {"TOCSIN_SMS__AUTH_TOKEN": "secret"} if heard else {})
    warnings = list(problems(loaded, tmp_path, opt_outs))
    assert all(warning.level is ProblemLevel.WARNING for warning in warnings)
    return [str(warning).replace(f"{tmp_path}/", "") for warning in warnings]


def test_check_tells_where_since_when_and_what_lifts_it(tmp_path: Path) -> None:
    """Rule 51: at the person's number; an unsubscribed address at its own place in its group."""
    assert told(tmp_path, STOP, CLICK) == [
        "all.yaml:3:57: warning: people.ana.phone: +14155550101 answered STOP on 2026-11-23 23:59 UTC: no SMS goes there "
        "until START is sent from it",
        "all.yaml:9:38: warning: stakeholders.press.emails.1: press@example.com unsubscribed on 2026-11-23 23:59 UTC and "
        "is told nothing; tocsin resubscribe press@example.com undoes it",
    ]


def test_where_no_start_could_come_in(tmp_path: Path) -> None:
    """It is said that each incident tries the number again."""
    (line,) = told(tmp_path, STOP, heard=False)
    assert line.endswith("no START from it could come in here, so each incident tries whether it still holds")


def test_check_tells_of_nothing_that_the_config_lacks(tmp_path: Path) -> None:
    """Another number; an insider's address, which is told all the same."""
    insider = replace(CLICK, address="support@example.com")
    assert (
        told(tmp_path, replace(STOP, address="+14155550199"), insider, replace(CLICK, address="ana@example.com")) == []
    )


def test_a_stopped_number_is_no_channel() -> None:
    """It is still the person's number, by which their answers are known; everybody else stays as they are."""
    policy = paging_policy()
    heeded = OptOuts([STOP]).heeded_by(policy, ROUTES)
    ana = heeded.people["ana"]
    assert (ana.channels, ana.address(Channel.SMS)) == ((Channel.EMAIL,), "+14155550101")
    assert {name: person for name, person in heeded.people.items() if name != "ana"} == {
        name: person for name, person in policy.people.items() if name != "ana"
    }
    assert OptOuts().heeded_by(policy, ROUTES) is policy
    assert OptOuts([STOP]).heeded_by(policy, NO_REPLY_ROUTES) == policy


def test_the_config_in_force_heeds_what_comes_and_goes() -> None:
    """At once, and after a reload as well; whoever said so first stands."""
    opt_outs = OptOuts()
    config = ActiveConfig(paging_policy(), polled(), opt_outs)
    opt_outs.add(STOP)
    opt_outs.add(replace(STOP, ref="SM2"))
    assert opt_outs.all() == (STOP,)
    assert config.policy.people["ana"].stopped == (Channel.SMS,)
    config.replace(replace(paging_policy(), revision="anew"), polled())
    assert config.policy.people["ana"].stopped == (Channel.SMS,)
    opt_outs.remove(Channel.SMS, "+14155550101")
    assert config.policy.people["ana"].stopped == ()
    assert config.policy.revision == "anew"
