"""Templates: the words of a message, by Jinja2.

`renderer` is the port and decides which template speaks, `sources` reads a folder of them. What one may do, and cost:
`syntax` looks at it before it is compiled, `sandbox` carries it out, `filters` and `operations` are what it has to
work with, and all of it is paid for from a `budget`. `judging` finds what is wrong before a folder is used.
"""
