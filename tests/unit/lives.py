"""Moved to tests/builders."""

from tests.builders.instants import T0
from tests.builders.policies import SHIPPED_CONFIG as CONFIG
from tests.builders.policies import shipped_policy
from tests.builders.stories import happen, on_duty, pass_time
from tests.builders.stories import see as seen

__all__ = ["CONFIG", "T0", "happen", "on_duty", "pass_time", "seen", "shipped_policy"]
