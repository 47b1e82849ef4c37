"""The contract's second reader: timelines worked out by hand from the rules, then played as `simulate` plays them."""
