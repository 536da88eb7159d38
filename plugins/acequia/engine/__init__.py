"""The engine under the rooms: one way to open DuckDB, and the small language of the agreements' expressions."""
