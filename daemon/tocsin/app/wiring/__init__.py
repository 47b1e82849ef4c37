"""Wiring: the one room where adapters are made and the parts put together: `daemon` for `tocsin run`, `ways` the
transports, `words` the renderer. Whoever needs but one of them waits for no other's libraries.
"""
