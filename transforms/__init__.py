"""Statistical transforms that agreements name: `trips.valid_trips` is the function `valid_trips` in trips.py.

Each takes the name of a view of protected rows and returns one SELECT (DuckDB's SQL) over it, which takes the place of
the rows for every table of the feed. It keeps the columns that the tables group by and the contributor's. The docstring
names the columns that it needs; an agreement gives its columns these names with `as`.
"""
