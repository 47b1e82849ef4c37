"""Several machines have a folder and an inbox each: what is new there reaches the one that leads, which judges it."""
