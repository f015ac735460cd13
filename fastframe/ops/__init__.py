"""What verbs mean: specs, expressions, and the tables of functions, aggregations and window functions. Never data."""
