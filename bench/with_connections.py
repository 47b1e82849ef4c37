"""The command with another number of connections to the mail server than the built-in four: `python -m
bench.with_connections N run`. Only for the measure of what more would bring; there is no such setting.
"""

import sys

from tocsin.adapters.smtp import transport
from tocsin.cli import main
from tocsin.domain.people import Channel

if __name__ == "__main__":
    connections = int(sys.argv.pop(1))
    transport.CONNECTIONS = connections
    object.__setattr__(Channel.EMAIL.traits, "at_once", connections)
    main()
