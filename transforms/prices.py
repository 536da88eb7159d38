"""Scanner data of shops."""


def unit_values(rows: str) -> str:
    """One row per line that sold something, with its `turnover`: what a unit value is made of.

    Returns, voids and gifts (quantity or price not above zero) are left out, since a unit value is what was paid for
    what was sold. The unit value of a cell is then `{ratio: {of: turnover, to: quantity}}`: the sum of turnover over
    the sum of quantities (Consumer Price Index Manual: Concepts and Methods, 2020, chapter 10 on scanner data).
    It means something only for cells of one product, or of products so alike that quantities can be added.

    Needs `quantity` and `price` (of one unit). Adds `turnover` = price * quantity.
    """
    return f"SELECT *, price * quantity AS turnover FROM {rows} WHERE quantity > 0 AND price > 0"
