"""What providers' answers mean: whose fault it is, what is wrong, and what helps."""
