"""What `tocsin check` says of addresses that the ledger knows something of: refused, stopped, unsubscribed."""
