"""Where people act: on their own page of an incident behind the signed link, and signed in."""
