"""Moved to tests/builders."""

from tests.builders.policies import BOTH, WITHIN
from tests.builders.policies import paging_policy as policy

__all__ = ["BOTH", "WITHIN", "policy"]
