"""Refusals: what operators hear of them, and when they are the provider's own fault and are taken back."""
