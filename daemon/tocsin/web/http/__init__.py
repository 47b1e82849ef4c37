"""What holds for every request: limits, connections, caches, plain answers."""

from pathlib import Path

FOLDER = Path(__file__).parents[1]
"""Where the pages and the stylesheet are."""
