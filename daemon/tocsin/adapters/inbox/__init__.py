"""The inbox folder (P8): who leaves entries, and how the daemon reads them."""
