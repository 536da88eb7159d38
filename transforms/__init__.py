"""Statistical transforms that agreements name: `trips.valid_trips` is the function `valid_trips` in trips.py.

Each takes the name of a view of protected rows and returns one SELECT (DuckDB's SQL) over it, which takes the place of
the rows for every table of the feed. It keeps the columns that the tables group by and the contributor's. The docstring
names the columns that it needs; an agreement gives its columns these names with `as`.
"""

ALONE: dict[str, str | None] = {
    "energy.complete_days": "meter",
    "mobility.active_subscribers": "msisdn",
    "mobility.home_district": "msisdn",
    "payments.completed_only": None,
    "prices.unit_values": None,
    "trips.valid_trips": None,
}
"""Of which column a transform looks at each value's rows alone; None: at each row alone. Tables with differential
privacy take only a transform that looks at each contributor alone: one that is not here is refused there.
"""
