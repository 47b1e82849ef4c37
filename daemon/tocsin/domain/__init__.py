"""Floor 0: frozen values and the words of the field. No I/O, no clock, no logging, stdlib only."""
