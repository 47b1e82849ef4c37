"""Moved to tests/builders."""

from tests.builders.policies import small_policy

__all__ = ["small_policy"]
