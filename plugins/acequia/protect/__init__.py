"""Room 3, people leave: every row is judged, every column treated; only protected rows go on."""
