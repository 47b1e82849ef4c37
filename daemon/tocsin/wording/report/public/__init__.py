"""What of an incident outsiders may see: what they were told, and when."""
