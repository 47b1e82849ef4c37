"""Who may see and do what: sessions, tokens, signed links, the origin of a form."""
