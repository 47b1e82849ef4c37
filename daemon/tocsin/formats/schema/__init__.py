"""What the formats share: fields with places, patterns, and the JSON Schema that editors know."""
