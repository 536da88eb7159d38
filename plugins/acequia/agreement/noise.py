"""For which parameters of cell keys there is a p-table: arithmetic, so that an agreement can be refused when read."""

from __future__ import annotations


def no_p_table(noise_at_most: int, variance: float, never: int) -> str:
    """Why there is no noise of mean zero with these properties; empty if there is.

    A count i of 1 to `never` must become 0 or at least never + 1, which takes a variance of i * (never + 1 - i) or
    more; a count of 1 can lose no more than 1 and gain no more than D, so that its variance is D or less. (For any
    distribution on [low, high] of mean zero the variance is at most -low * high, and at least that if nothing lies
    between the two.) Larger counts have wider bounds.
    """
    if never >= noise_at_most:
        return (
            f"has no noise that takes {never + 1} down to 0, past what is never published: `never` must be less than"
            " `noise_at_most`"
        )
    least, most = (never + 1) ** 2 // 4, noise_at_most
    if least > most:
        return f"has no noise of mean zero with `never: {never}` and `noise_at_most` below {least}"
    if not least <= variance <= most:
        low = f"at least {least} and " if least else ""
        return f"has no noise of mean zero for small counts: `variance` must be {low}at most {most} here"
    return ""
