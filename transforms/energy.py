"""Readings of electricity and gas meters."""

READINGS_OF_A_DAY = 46
"""Half-hourly readings of the shortest day, the one on which clocks go forward; other days have 48 local half hours."""


def complete_days(rows: str) -> str:
    """One row per reading of a meter on a day that it reported whole; days with gaps are left out, meter by meter.

    Sums over incomplete days would be too low, and lower where the network is worse. Whole is a day with at least 46
    different half hours, so one or two gaps of an ordinary day pass too. Readings without a value do not count.

    Needs `meter`, `read_at` (a time, the start of the half hour) and `consumption_kwh`.
    """
    return f"""
        SELECT readings.* FROM {rows} AS readings
        SEMI JOIN (
            SELECT meter, CAST(read_at AS DATE) AS day FROM {rows} WHERE consumption_kwh IS NOT NULL
            GROUP BY ALL HAVING count(DISTINCT read_at) >= {READINGS_OF_A_DAY}
        ) AS whole ON readings.meter = whole.meter AND CAST(readings.read_at AS DATE) = whole.day"""
