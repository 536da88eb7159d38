"""When a cron schedule fires, as far as it can be said in one sentence."""

from __future__ import annotations

from dataclasses import dataclass

_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True)
class Fires:
    """Once on each of the days: of the month, of the ISO week (1 is Monday), of some months; nothing stands for all."""

    time: str
    days: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    months: tuple[int, ...] = ()


def fires(cron: str) -> Fires | None:
    """The days and the time of a valid schedule; None where it takes more than a sentence."""
    minute, hour, day, month, weekday = cron.lower().split()
    if not (minute.isdigit() and hour.isdigit()):
        return None
    days, months, weekdays = _numbers(day), _numbers(month, _MONTHS), _numbers(weekday, _WEEKDAYS)
    if days is None or months is None or weekdays is None or (weekdays and (days or months)) or (months and not days):
        return None
    iso = tuple(sorted({(number - 1) % 7 + 1 for number in weekdays}))
    return Fires(f"{int(hour):02d}:{int(minute):02d}", days, iso if len(iso) < 7 else (), months)


def _numbers(text: str, names: tuple[str, ...] = ()) -> tuple[int, ...] | None:
    """The numbers of a field; none for `*`, None where it is more than numbers, names and ranges."""
    if text == "*":
        return ()
    found: list[int] = []
    for part in text.split(","):
        ends = [names.index(end) if end in names else int(end) if end.isdigit() else None for end in part.split("-")]
        first, last = ends[0], ends[-1]
        if len(ends) > 2 or first is None or last is None or first > last:
            return None
        found += range(first, last + 1)
    return tuple(sorted(set(found)))
