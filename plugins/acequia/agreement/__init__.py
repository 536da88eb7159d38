"""Room 1, what was agreed: the agreement file as closed, frozen values. Reads files; touches no data."""
