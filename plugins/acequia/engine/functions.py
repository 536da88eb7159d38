"""The functions of the agreements' expressions: numbers, texts, times, casts."""

from __future__ import annotations

import re
from collections.abc import Callable

from acequia.engine.writer import NAMES, Kind, Node, Part, Refused, Rule, Writer, rule, spelt, time_literal

NUMERIC, TIMES = ("integer", "number"), ("timestamp", "date")
UNITS = ("minute", "hour", "day", "week", "month", "quarter", "year")
PARTS = ("minute", "hour", "day", "weekday", "week", "month", "quarter", "year")
CASTS: dict[str, tuple[str, Kind]] = {
    "TINYINT": ("BIGINT", "integer"),
    "SMALLINT": ("BIGINT", "integer"),
    "INT": ("BIGINT", "integer"),
    "BIGINT": ("BIGINT", "integer"),
    "FLOAT": ("DOUBLE", "number"),
    "DOUBLE": ("DOUBLE", "number"),
    "TEXT": ("VARCHAR", "string"),
    "VARCHAR": ("VARCHAR", "string"),
    "BOOLEAN": ("BOOLEAN", "boolean"),
    "DATE": ("DATE", "date"),
    "TIMESTAMP": ("TIMESTAMP", "timestamp"),
    "TIMESTAMPNTZ": ("TIMESTAMP", "timestamp"),
}


def _of_alike(function: str) -> Callable[[Writer, Node], Part]:
    def write(writer: Writer, node: Node) -> Part:
        parts, kind = writer.alike([node.this, *node.expressions], f"`{function}`")
        return Part(f"{function}({', '.join(part.sql for part in parts)})", kind)

    return write


def _nullif(writer: Writer, node: Node) -> Part:
    parts, _ = writer.alike([node.this, node.expression], "`nullif`")
    return Part(f"nullif({parts[0].sql}, {parts[1].sql})", parts[0].kind)


def _numeric(function: str) -> Callable[[Writer, Node], Part]:
    def write(writer: Writer, node: Node) -> Part:
        part = writer.need(node.this, NUMERIC, f"`{function}`")
        if function == "abs" or part.kind == "integer":
            return Part(f"abs({part.sql})" if function == "abs" else part.sql, part.kind)
        return Part(f"{function}({part.sql})", "number")

    return write


def _round(writer: Writer, node: Node) -> Part:
    part = writer.need(node.this, NUMERIC, "`round`")
    digits = _small(node.args["decimals"], "`round`", 0, 9) if node.args.get("decimals") is not None else 0
    return Part(part.sql if part.kind == "integer" else f"round({part.sql}, {digits})", part.kind)


def _small(node: Node, what: str, lowest: int, highest: int) -> int:
    if type(node).__name__ == "Literal" and not node.is_string and re.fullmatch(r"\d{1,4}", node.this):
        number = int(node.this)
        if lowest <= number <= highest:
            return number
    raise Refused(f"{what} needs a whole number from {lowest} to {highest} as its second argument")


def _text(function: str, kind: Kind) -> Callable[[Writer, Node], Part]:
    def write(writer: Writer, node: Node) -> Part:
        part = writer.need(node.this, ("string",), f"`{function}`")
        return Part(f"{function}({part.sql})", kind)

    return write


def _left(writer: Writer, node: Node) -> Part:
    part = writer.need(node.this, ("string",), "`left`")
    return Part(f"left({part.sql}, {_small(node.expression, '`left`', 1, 1000)})", "string")


def _starts_with(writer: Writer, node: Node) -> Part:
    part, start = (writer.need(side, ("string",), "`starts_with`") for side in (node.this, node.expression))
    return Part(f"starts_with({part.sql}, {start.sql})", "boolean")


def _date_trunc(writer: Writer, node: Node) -> Part:
    unit = _word(node.args.get("unit"), UNITS, "`date_trunc`")
    return Part(f"date_trunc('{unit}', {writer.need(node.this, TIMES, '`date_trunc`').sql})", "timestamp")


def _extract(writer: Writer, node: Node) -> Part:
    return _time_part(writer, _word(node.this, PARTS, "`extract`"), node.expression)


def _part_function(part: str) -> Callable[[Writer, Node], Part]:
    return lambda writer, node: _time_part(writer, part, node.this)


def _function(writer: Writer, node: Node) -> Part:
    # the parser knows no `weekday`; every other function that it does not know ends here too
    if str(node.this).lower() != "weekday" or len(node.expressions) != 1:
        raise Refused(f"`{spelt(node)}` is not part of the expression language")
    return _time_part(writer, "weekday", node.expressions[0])


def _time_part(writer: Writer, part: str, node: Node) -> Part:
    # weekday is ISO's everywhere: 1 is Monday, as in the treatment `part: weekday`
    field = "isodow" if part == "weekday" else part
    of = writer.need(node, TIMES, f"`{part}`")
    if of.kind == "date" and part in ("minute", "hour"):
        raise Refused(f"a date has no {part}")
    return Part(f"extract({field} FROM {of.sql})", "integer")


def _date_diff(writer: Writer, node: Node) -> Part:
    unit = _word(node.args.get("unit"), ("second", "day"), "`date_diff`")
    (later, earlier), kind = writer.alike([node.this, node.expression], "`date_diff`")
    if kind not in (*TIMES, "null"):
        raise Refused("`date_diff` needs times")
    return Part(f"date_diff('{unit}', {earlier.sql}, {later.sql})", "integer")


def _cast(writer: Writer, node: Node) -> Part:
    target = CASTS.get(node.args["to"].this.name)
    if target is None or node.args["to"].expressions:
        raise Refused("`cast` is to integer, double, varchar, boolean, date or timestamp")
    part, (sql_type, kind) = writer.write(node.this), target
    if part.text is not None and kind in ("date", "timestamp"):
        return time_literal(part.text, kind)
    if part.kind in ("timestamp", "date") and kind in ("integer", "number", "boolean"):
        raise Refused(f"a time cannot be cast to {NAMES[kind]}")
    if kind in ("date", "timestamp") and part.kind in ("integer", "number", "boolean"):
        raise Refused(f"{NAMES[part.kind]} cannot be cast to a time")
    if part.kind == "string" and kind == "number":
        # the engine reads "nan" and "inf" as numbers; no agreement means them
        return Part(
            f"(CASE WHEN isfinite(TRY_CAST({part.sql} AS DOUBLE)) THEN TRY_CAST({part.sql} AS DOUBLE) END)", kind
        )
    inner = f"round({part.sql})" if part.kind == "number" and kind == "integer" else part.sql
    return Part(f"TRY_CAST({inner} AS {sql_type})", kind)


def _word(node: Node, words: tuple[str, ...], what: str) -> str:
    word = "" if node is None else str(node.name).lower()
    word = "weekday" if word == "isodow" else word
    if word not in words:
        raise Refused(f"{what} knows {', '.join(words)}")
    return word


FUNCTIONS: dict[str, Rule] = {
    "Coalesce": rule(_of_alike("coalesce"), "this", "expressions"),
    "Greatest": rule(_of_alike("greatest"), "this", "expressions", "ignore_nulls"),
    "Least": rule(_of_alike("least"), "this", "expressions", "ignore_nulls"),
    "Nullif": rule(_nullif),
    "Abs": rule(_numeric("abs"), "this"),
    "Floor": rule(_numeric("floor"), "this"),
    "Ceil": rule(_numeric("ceil"), "this"),
    "Round": rule(_round, "this", "decimals"),
    "Lower": rule(_text("lower", "string"), "this"),
    "Upper": rule(_text("upper", "string"), "this"),
    "Trim": rule(_text("trim", "string"), "this"),
    "Length": rule(_text("length", "integer"), "this"),
    "Left": rule(_left),
    "StartsWith": rule(_starts_with),
    "TimestampTrunc": rule(_date_trunc, "this", "unit"),
    "DateTrunc": rule(_date_trunc, "this", "unit"),
    "Extract": rule(_extract),
    "DayOfWeekIso": rule(_part_function("weekday"), "this"),
    "DayOfMonth": rule(_part_function("day"), "this"),
    "DateDiff": rule(_date_diff, "this", "expression", "unit", "date_part_boundary"),
    "Cast": rule(_cast, "this", "to"),
    "TryCast": rule(_cast, "this", "to", "safe"),
    "Anonymous": rule(_function, "this", "expressions"),
    **{part.title(): rule(_part_function(part), "this") for part in PARTS if part != "weekday"},
}
