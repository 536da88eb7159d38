"""Transactions of mobile money and payment cards."""


def completed_only(rows: str) -> str:
    """One row per transaction that moved money for good: failed, pending and reversed ones are left out.

    A transaction counts if its `status` is `completed`, in any case. A reversal is expected as the status of the
    payment that it undoes; where a partner sends it as a row of its own, subtract it in the measure instead.

    Needs `status`.
    """
    return f"SELECT * FROM {rows} WHERE lower(status) = 'completed'"
