"""Who leads: a daemon stands by until it does, lives as a daemon lives, and stands by again when it does not any more.

With SQLite it is alone, and always leads. Everything else of a daemon knows nothing of this but the `lead` it is given.
"""
