"""What holds for every request: limits, connections, caches, plain answers."""
