"""How a message may be answered: codes and signed links."""
