"""Trips of taxis and ride hailing."""

LONGEST_TRIP_S = 3 * 3600


def valid_trips(rows: str) -> str:
    """One row per trip that was driven and paid: no clock jumps, no meters left running, no refunds.

    Kept are 0 < duration <= 3 hours, distance > 0 and fare > 0. The speed of a cell is then its space-mean speed,
    `{ratio: {of: distance, to: duration_s / 3600}}`: the sum of distances over the sum of times (Edie 1963), not the
    mean of the trips' speeds, in which short trips weigh too much.

    Needs `duration_s` (seconds), `distance` and `fare`, in the partner's units.
    """
    return f"""
        SELECT * FROM {rows}
        WHERE duration_s > 0 AND duration_s <= {LONGEST_TRIP_S} AND distance > 0 AND fare > 0"""
