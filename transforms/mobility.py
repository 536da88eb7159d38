"""Events of a mobile network."""

EVENTS_PER_HOUR_OF_A_PERSON = 300
"""One every twelve seconds for a whole hour. A convention, not a measurement: look at your network's distribution."""


def active_subscribers(rows: str) -> str:
    """One row per event of a person: subscribers that behave like machines are left out with all their events.

    A subscriber with more than 300 events in any one hour is taken for a device (a tracker, a meter, a modem): counts
    of people would count it, and its events would dominate small cells. Events without a subscriber stay.

    Needs `msisdn` and `started_hour`. Where an agreement sends other times than hours, the bound is wrong.
    """
    return f"""
        SELECT * FROM {rows}
        WHERE msisdn IS NULL OR msisdn NOT IN (
            SELECT msisdn FROM {rows} WHERE msisdn IS NOT NULL
            GROUP BY msisdn, started_hour HAVING count(*) > {EVENTS_PER_HOUR_OF_A_PERSON}
        )"""


def home_district(rows: str) -> str:
    """One row per subscriber: `msisdn`, `district` where it probably lives, `nights_count` seen there.

    The home is the district with the most distinct nights of activity, a night being 19:00 to 9:00; ties go to the one
    with more events at night, then to the first by name. Subscribers never seen at night, and events in unknown
    districts (`_U`), count to none. This joins the "distinct days" and "time constraints" criteria that Vanhoof, Reis,
    Ploetz and Smoreda compare in "Assessing the Quality of Home Detection from Mobile Phone Data for Official
    Statistics", Journal of Official Statistics 34 (2018) 4. Meant for tables over a month: a week holds few nights.

    Needs `msisdn`, `started_hour` (a time) and `district`.
    """
    return f"""
        WITH nights AS (
            SELECT msisdn, district, CAST(started_hour - INTERVAL 9 HOUR AS DATE) AS night FROM {rows}
            WHERE msisdn IS NOT NULL AND district IS NOT NULL AND district <> '_U'
              AND (hour(started_hour) >= 19 OR hour(started_hour) < 9)
        ), seen AS (
            SELECT msisdn, district, count(DISTINCT night) AS nights_count, count(*) AS events_count
            FROM nights GROUP BY msisdn, district
        )
        SELECT msisdn, district, nights_count FROM seen
        QUALIFY row_number() OVER (
            PARTITION BY msisdn ORDER BY nights_count DESC, events_count DESC, district
        ) = 1"""
