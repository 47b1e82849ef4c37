"""The web side: a process of its own beside the daemon, on the same ledger, without anything that could send.

`server` holds what is true for every route: limits, errors in one plain sentence, security headers. Each group of
routes is one file with `routes(site)`. What comes in is left in the inbox; the daemon judges it.
"""
