"""Floor 4: what the daemon, the commands and the web side do, a folder for each subject. asyncio lives here."""
