"""What stands between values in the agreements' expressions: literals, arithmetic, comparison, logic, choice."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from acequia.engine.duck import literal
from acequia.engine.writer import Kind, Node, Part, Refused, Rule, Writer, rule

NUMERIC = ("integer", "number")


def _literal(_: Writer, node: Node) -> Part:
    if node.is_string:
        return Part(literal(node.this), "string", node.this)
    if re.fullmatch(r"\d+", node.this):
        if int(node.this) >= 2**63:
            raise Refused("a whole number is too large")
        return Part(f"CAST({int(node.this)} AS BIGINT)", "integer")
    number = float(node.this) if re.fullmatch(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", node.this) else math.inf
    if not math.isfinite(number):
        raise Refused("a number is too large, or none")
    return Part(f"CAST({number!r} AS DOUBLE)", "number")


def _negative(writer: Writer, node: Node) -> Part:
    part = writer.need(node.this, NUMERIC, "`-`")
    return Part(f"(-{part.sql})", part.kind)


def _arithmetic(sign: str) -> Callable[[Writer, Node], Part]:
    def write(writer: Writer, node: Node) -> Part:
        sides = [writer.write(side) for side in (node.this, node.expression)]
        if sign == "-" and all(side.kind in ("timestamp", "date") for side in sides):
            raise Refused("the time between two times is written date_diff('second', earlier, later)")
        if any(side.kind not in (*NUMERIC, "null") for side in sides):
            raise Refused(f"`{sign}` needs numbers")
        left, right = sides
        kind: Kind = "integer" if {left.kind, right.kind} <= {"integer", "null"} else "number"
        if sign == "/":
            return Part(f"(CAST({left.sql} AS DOUBLE) / nullif(CAST({right.sql} AS DOUBLE), 0))", "number")
        if sign == "%":
            return Part(f"({left.sql} % nullif({right.sql}, 0))", kind)
        return Part(f"({left.sql} {sign} {right.sql})", kind)

    return write


def _comparison(sign: str) -> Callable[[Writer, Node], Part]:
    def write(writer: Writer, node: Node) -> Part:
        (left, right), _ = writer.alike([node.this, node.expression], f"`{sign}`")
        return Part(f"({left.sql} {sign} {right.sql})", "boolean")

    return write


def _logical(word: str) -> Callable[[Writer, Node], Part]:
    def write(writer: Writer, node: Node) -> Part:
        left, right = (writer.need(side, ("boolean",), f"`{word}`") for side in (node.this, node.expression))
        return Part(f"({left.sql} {word} {right.sql})", "boolean")

    return write


def _not(writer: Writer, node: Node) -> Part:
    return Part(f"(NOT {writer.need(node.this, ('boolean',), '`not`').sql})", "boolean")


def _is(writer: Writer, node: Node) -> Part:
    wanted = writer.write(node.expression)
    if wanted.sql not in ("NULL", "TRUE", "FALSE"):
        raise Refused("`is` is followed by null, true or false")
    part = writer.write(node.this) if wanted.sql == "NULL" else writer.need(node.this, ("boolean",), "`is`")
    return Part(f"({part.sql} IS {wanted.sql})", "boolean")


def _in(writer: Writer, node: Node) -> Part:
    if not node.expressions:
        raise Refused("`in` needs at least one value")
    parts, _ = writer.alike([node.this, *node.expressions], "`in`")
    return Part(f"({parts[0].sql} IN ({', '.join(part.sql for part in parts[1:])}))", "boolean")


def _between(writer: Writer, node: Node) -> Part:
    (part, low, high), _ = writer.alike([node.this, node.args["low"], node.args["high"]], "`between`")
    return Part(f"({part.sql} BETWEEN {low.sql} AND {high.sql})", "boolean")


def _like(word: str) -> Callable[[Writer, Node], Part]:
    def write(writer: Writer, node: Node) -> Part:
        part, pattern = (writer.need(side, ("string",), f"`{word}`") for side in (node.this, node.expression))
        negation = "NOT " if node.args.get("negate") else ""
        return Part(f"({part.sql} {negation}{word} {pattern.sql})", "boolean")

    return write


def _case(writer: Writer, node: Node) -> Part:
    branches, default = node.args["ifs"], node.args.get("default")
    for branch in branches:
        if {key for key, value in branch.args.items() if value is not None} - {"this", "true"}:
            raise Refused("`case` is written in a way that the expression language does not hold")
    if node.this is None:
        conditions = [writer.need(branch.this, ("boolean",), "`when`").sql for branch in branches]
    else:
        subject, *values = writer.alike([node.this, *(branch.this for branch in branches)], "`case`")[0]
        conditions = [f"{subject.sql} = {value.sql}" for value in values]
    results = [branch.args["true"] for branch in branches] + ([] if default is None else [default])
    parts, kind = writer.alike(results, "`case`")
    whens = " ".join(f"WHEN {when} THEN {part.sql}" for when, part in zip(conditions, parts, strict=False))
    rest = "" if default is None else f" ELSE {parts[-1].sql}"
    return Part(f"(CASE {whens}{rest} END)", kind)


def _if(writer: Writer, node: Node) -> Part:
    condition = writer.need(node.this, ("boolean",), "`if`")
    results = [node.args["true"]] + ([node.args["false"]] if node.args.get("false") is not None else [])
    parts, kind = writer.alike(results, "`if`")
    rest = f" ELSE {parts[1].sql}" if len(parts) == 2 else ""
    return Part(f"(CASE WHEN {condition.sql} THEN {parts[0].sql}{rest} END)", kind)


def _paren(writer: Writer, node: Node) -> Part:
    return writer.write(node.this)


OPERATORS: dict[str, Rule] = {
    "Paren": rule(_paren, "this"),
    "Column": rule(Writer.column, "this"),
    "Literal": rule(_literal, "this", "is_string"),
    "Boolean": rule(lambda _, node: Part("TRUE" if node.this else "FALSE", "boolean"), "this"),
    "Null": rule(lambda _, node: Part("NULL", "null"), "this"),
    "Neg": rule(_negative, "this"),
    "Add": rule(_arithmetic("+")),
    "Sub": rule(_arithmetic("-")),
    "Mul": rule(_arithmetic("*")),
    "Div": rule(_arithmetic("/")),
    "Mod": rule(_arithmetic("%")),
    "EQ": rule(_comparison("=")),
    "NEQ": rule(_comparison("<>")),
    "LT": rule(_comparison("<")),
    "LTE": rule(_comparison("<=")),
    "GT": rule(_comparison(">")),
    "GTE": rule(_comparison(">=")),
    "And": rule(_logical("AND")),
    "Or": rule(_logical("OR")),
    "Not": rule(_not, "this"),
    "Is": rule(_is),
    "In": rule(_in, "this", "expressions"),
    "Between": rule(_between, "this", "low", "high"),
    "Like": rule(_like("LIKE"), "this", "expression", "negate"),
    "ILike": rule(_like("ILIKE"), "this", "expression", "negate"),
    "Case": rule(_case, "this", "ifs", "default"),
    "If": rule(_if, "this", "true", "false"),
}
