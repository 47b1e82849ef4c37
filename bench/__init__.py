"""Speed, measured on the installed command: `make bench`. Ratios against peers of the same run.

Everything runs on loopback, each side in processes of its own, in turn. Absolute figures belong to the machine; quote
ratios. `measures` is what is measured, one module a subject; `peers` what it stands beside; `targets` what is asked.
"""
