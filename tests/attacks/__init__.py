"""Attacks on the installed program: shifted clocks, full disks, stuck logs, hung folders, edited ledgers."""
