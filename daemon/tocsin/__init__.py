"""tocsin: an email-and-SMS notification daemon for incident response, with its config as code.

A folder of incident files goes in, pages and updates go out, and one pure function in between
(`tocsin.planning.plan`) decides who is told what, when and why. `ARCHITECTURE.md` is the map.
"""

__version__ = "0.5.0"
