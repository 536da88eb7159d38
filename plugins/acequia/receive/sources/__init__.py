"""Where deliveries come from: one module a kind of source, all of one shape (`source.py`)."""
