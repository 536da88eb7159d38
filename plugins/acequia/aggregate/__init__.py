"""Room 5, from rows to cells: the agreement's tables compiled to SQL, exact and independent of the order of rows."""
