"""One handler per spec: which steps of the engine, in which order. A module is imported when one of its specs first runs."""
