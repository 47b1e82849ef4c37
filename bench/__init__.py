"""Speed, measured on the installed command: `make bench`. Ratios against a baseline of the same run.

Everything runs on loopback with a raw SMTP sink in its own process. Absolute figures belong to the
machine; quote ratios.
"""
