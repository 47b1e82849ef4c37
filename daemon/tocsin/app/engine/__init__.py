"""Facts in, decisions recorded: one incident planned at a time, and a heap of next looks."""
