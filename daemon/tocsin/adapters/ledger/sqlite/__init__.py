"""The ledger as one file of SQLite: `opening` makes it, checks it or sets it aside, `lock` keeps a second daemon out,
`keeping` looks after it, `shared` reads it beside the daemon, and `reading` for people's commands; the room beside it,
and what is done when the disk takes either away (rule 64).
"""
