"""What the running daemon knows, made before everything that works on it: the config in force, the incidents, when each
is looked at next, and what operators are to hear.

It is shared, and changed only by its own methods. All but the notices can be made again from the config folder and the
ledger.
"""
