"""The pages of incidents: what insiders see, what outsiders were told, and who of a request's readers is which."""
