"""A drift in words that a partner understands, English or Spanish. Names of columns are said; values never are."""

from __future__ import annotations

from collections.abc import Iterator

from acequia.drift.proposal import Change, Drift
from acequia.words.figures import Language, figure

EN: dict[str, str] = {
    "head": "The columns of this delivery differ from the agreed ones. What follows is a machine's proposal, from the "
    "first {rows} rows; a person decides.",
    "none": "The columns are those that are agreed.",
    "at": "Column {place}, “{found}”,",
    "somewhere": "The column “{found}”",
    "added": "{which} is new: no agreed column was found that it could be. Its values are {type}{empty}.",
    "missing": "The agreed column `{column}` did not arrive, and no other column seems to be it.",
    "renamed": "{which} seems to be the agreed `{column}` under another name ({sure}): {because}.",
    "retyped": "`{column}`{named} was agreed as another type of value: {fit} of its values can be read as agreed; they "
    "are {type} ({sure}).",
    "unfit": "`{column}`{named} holds values of the agreed type, but only {fit} of them keep to its range, set or "
    "pattern.",
    "header_missing": "The first line seems to be a row of data: the names of the columns are missing.",
    "header_repeated": "The names of the columns come again among the rows.",
    "named_twice": "More than one column is called `{column}`.",
    "reordered": "The columns came in another order, which does no harm.",
    "named": " (“{found}”)",
    "names_same": "the names are the same but for letters' case, accents or signs",
    "names_alike": "the names are alike to {alike}",
    "names_differ": "the names are hardly alike",
    "fit": "{fit} of its values keep to what is agreed",
    "fit_type": "its values are of that type, written in another way",
    "in_place": "it stands where that column would",
    "mix": "its values come as often as before, to {mix}",
    "high": "very likely",
    "medium": "likely",
    "low": "possible",
    "empty": ", and {empty} of the rows have none",
    "string": "texts",
    "integer": "whole numbers",
    "number": "numbers",
    "timestamp": "dates with a time",
    "date": "dates",
    "boolean": "yes or no",
    "parse": "{type}, written like `{parse}`",
}
ES: dict[str, str] = {
    "head": "Las columnas de esta entrega difieren de las acordadas. Lo que sigue es una propuesta de una máquina, a "
    "partir de las primeras {rows} filas; decide una persona.",
    "none": "Las columnas son las acordadas.",
    "at": "La columna {place}, «{found}»,",
    "somewhere": "La columna «{found}»",
    "added": "{which} es nueva: no se encontró ninguna columna acordada que pudiera ser. Sus "
    "valores son {type}{empty}.",
    "missing": "La columna acordada `{column}` no llegó, y ninguna otra parece ser ella.",
    "renamed": "{which} parece ser la acordada `{column}` con otro nombre ({sure}): {because}.",
    "retyped": "`{column}`{named} se acordó con otro tipo de valor: el {fit} de sus valores se puede leer como se "
    "acordó; son {type} ({sure}).",
    "unfit": "`{column}`{named} tiene valores del tipo acordado, pero solo el {fit} de ellos respeta su rango, su "
    "lista o su forma.",
    "header_missing": "La primera línea parece una fila de datos: faltan los nombres de las columnas.",
    "header_repeated": "Los nombres de las columnas se repiten entre las filas.",
    "named_twice": "Más de una columna se llama `{column}`.",
    "reordered": "Las columnas llegaron en otro orden, lo que no hace daño.",
    "named": " («{found}»)",
    "names_same": "los nombres son iguales salvo mayúsculas, tildes o signos",
    "names_alike": "los nombres se parecen en un {alike}",
    "names_differ": "los nombres apenas se parecen",
    "fit": "el {fit} de sus valores respeta lo acordado",
    "fit_type": "sus valores son de ese tipo, escritos de otra manera",
    "in_place": "está donde estaría esa columna",
    "mix": "sus valores aparecen tanto como antes, en un {mix}",
    "high": "muy probable",
    "medium": "probable",
    "low": "posible",
    "empty": ", y el {empty} de las filas no tiene ninguno",
    "string": "textos",
    "integer": "números enteros",
    "number": "números",
    "timestamp": "fechas con hora",
    "date": "fechas",
    "boolean": "sí o no",
    "parse": "{type}, escritas como `{parse}`",
}
# How `%d/%m/%Y` is shown to people, in letters that both languages read.
_PARTS = {"%d": "dd", "%m": "mm", "%Y": "yyyy", "%H": "hh", "%M": "mm", "%S": "ss", "%z": "+00:00"}
WORDS: dict[Language, dict[str, str]] = {"en": EN, "es": ES}


def told(drift: Drift, language: Language) -> list[str]:
    """One sentence or more for each difference, below one that says what they are."""
    words = WORDS[language]
    if not drift.changes:
        return [words["none"]]
    said = [words["head"].format(rows=figure(drift.rows, language))]
    said += [_change(change, words) for change in drift.changes]
    return [*said, words["reordered"]] if drift.reordered else said


def _change(change: Change, words: dict[str, str]) -> str:
    found = _safe(change.found)
    return words[change.kind].format(
        which=words["at" if change.place else "somewhere"].format(place=change.place, found=found),
        column=change.column,
        named=words["named"].format(found=found) if found else "",
        type=_type(change, words),
        empty=words["empty"].format(empty=_pct(change.empty)) if change.empty else "",
        fit=_pct(change.fit),
        sure=words["high" if change.confidence >= 0.75 else "medium" if change.confidence >= 0.6 else "low"],
        because="; ".join(_evidence(change, words)),
    )


def _evidence(change: Change, words: dict[str, str]) -> Iterator[str]:
    alike = change.alike or 0.0
    which = "names_same" if alike == 1 else "names_alike" if alike >= 0.4 else "names_differ"
    yield words[which].format(alike=_pct(alike))
    if change.fit is not None:
        yield words["fit" if change.fit >= 0.5 else "fit_type"].format(fit=_pct(change.fit))
    if change.in_place:
        yield words["in_place"]
    if change.mix is not None:
        yield words["mix"].format(mix=_pct(change.mix))


def _type(change: Change, words: dict[str, str]) -> str:
    kind = words[change.type] if change.type else ""
    if not change.parse:
        return kind
    shown = change.parse
    for sign, letters in _PARTS.items():
        shown = shown.replace(sign, letters)
    return words["parse"].format(type=kind, parse=shown)


def _pct(share: float | None) -> str:
    return f"{100 * (share or 0):.0f} %"


def _safe(name: str | None) -> str:
    """A partner's text on one line: what a terminal would obey is not passed on."""
    return "".join(letter if letter.isprintable() else "·" for letter in name or "")[:128]
