"""What a template of a user may do, and what that costs: the sandbox asks here before anything is done."""
