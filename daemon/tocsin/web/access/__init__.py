"""Who may: sessions, tokens, signed links, the origin of a form."""
