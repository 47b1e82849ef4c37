"""Hosts found as the daemon finds them: by the machine's own means (/etc/hosts, DNS and whatever else it asks)."""

import socket


def addresses_of(host: str) -> tuple[str, ...] | str:
    """The addresses of a host, or why there are none, as what is said of it. It may take long."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except socket.gaierror as fault:
        return f"is not found ({fault.strerror})"
    except (OSError, UnicodeError) as fault:
        return f"is not found ({fault})"
    return tuple(dict.fromkeys(str(address[4][0]) for address in found))
