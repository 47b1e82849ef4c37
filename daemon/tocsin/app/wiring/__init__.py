"""The one place where adapters are made and the parts put together: `build` makes the daemon, `transports` its
transports, `renderer` its renderer. Whoever needs but one of them does not wait for the libraries of the others.
"""
