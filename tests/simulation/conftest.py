"""Simulations are quiet: a seed tells more than a thousand lines."""

import logging

import pytest
import structlog


@pytest.fixture(autouse=True)
def quiet(plain_log: None) -> None:
    """No log lines."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
