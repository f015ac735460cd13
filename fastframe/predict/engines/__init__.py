"""How a forest is packed for each engine: the planes that they read, and which engine runs it."""
