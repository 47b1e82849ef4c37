"""Operators hear of a provider whose clock is not ours."""

from datetime import timedelta

import pytest
from tocsin.adapters.clock import SystemClock
from tocsin.adapters.server_clock import ServerClock
from tocsin.app.lifecycle.clock_watch import ProviderClocks
from tocsin.domain.operator_notice import Trouble

from tests.builders.daemon_parts import DaemonParts
from tests.fakes.clock import StillClock


@pytest.mark.parametrize(
    ("skew", "said"),
    [
        (timedelta(minutes=-15), "this machine's clock is 15m ahead of that of the SMS provider"),
        (timedelta(hours=1), "this machine's clock is 1h behind that of the SMS provider"),
        (timedelta(seconds=60), ""),
        (None, ""),
    ],
)
def test_a_difference_over_a_minute_is_told(skew: timedelta | None, said: str) -> None:
    """Rule 60: once, with what it means; and that it is over."""
    parts = DaemonParts(StillClock())
    parts.sms.skew = skew
    clocks = ProviderClocks(SystemClock(), parts.transports, parts.notices)
    for _ in range(2):
        clocks.look()
    told = parts.notices.take()
    assert [notice.trouble for notice in told] == ([Trouble.PROVIDER_CLOCK] if said else [])
    assert all(notice.text.startswith(said) for notice in told)
    parts.sms.skew = timedelta(0)
    clocks.look()
    assert all(over.trouble is Trouble.PROVIDER_CLOCK for over in parts.notices.take_recovered())


def test_each_provider_has_a_clock_of_its_own() -> None:
    """Rules 49, 60: the fallback's is compared as well, and named."""
    parts = DaemonParts(StillClock(), with_fallbacks=True)
    parts.sms_backup.skew = timedelta(hours=1)
    ProviderClocks(SystemClock(), parts.transports, parts.notices).look()
    (notice,) = parts.notices.take()
    assert notice.text.startswith('this machine\'s clock is 1h behind that of the SMS provider "backup"')


def test_with_several_machines_it_is_the_databases_clock() -> None:
    """R60: that is the one that is compared, so that is the one to be put right."""
    parts = DaemonParts(StillClock())
    clocks = ProviderClocks(ServerClock(), parts.transports, parts.notices)
    parts.sms.skew = timedelta(hours=1)
    clocks.look()
    assert parts.notices.take()[0].text.startswith("the database's clock is 1h behind that of the SMS provider")
    parts.sms.skew = timedelta(0)
    clocks.look()
    assert parts.notices.take_recovered()[0].text == "the database's clock and its agree"
