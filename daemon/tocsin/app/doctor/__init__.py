"""Will it arrive? Live checks, each with its cure (`tocsin doctor`)."""
