"""What every reader needs, held against every message of generated incidents."""
