"""The ledger in a file as people's commands read it, by SQL as it stands here: SQLAlchemy takes longer to import than a
command to do the rest. `incidents` knows the few questions of `ports.ledger.reading.RecordedIncidents`, `addresses`
those of `AddressRecords`. None knows what the answers are for.
"""
