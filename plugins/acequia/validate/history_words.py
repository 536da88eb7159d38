"""What is said of a delivery beside its likes, in English and Spanish. The partner and the steward read it."""

from __future__ import annotations

from acequia.words.figures import Language

EN: dict[str, str] = {
    "volume_ok": "as many rows as the deliveries before it",
    "volume": "{rows} rows, where {usual} are usual ({size}{likes} earlier deliveries)",
    "more": "{pct} % more; ",
    "fewer": "{pct} % fewer; ",
    "mix_ok": "made of the same values as the deliveries before it",
    "share": "{named} {share} of the rows, where {usual} is usual ({likes} earlier deliveries)",
    "gone": "{named} no row, where {usual} is usual ({likes} earlier deliveries)",
    "empty": "empty in",
    "value": "“{value}” in",
}
ES: dict[str, str] = {
    "volume_ok": "tantas filas como las entregas anteriores",
    "volume": "{rows} filas, cuando lo habitual son {usual} ({size}{likes} entregas anteriores)",
    "more": "un {pct} % más; ",
    "fewer": "un {pct} % menos; ",
    "mix_ok": "compuesta de los mismos valores que las entregas anteriores",
    "share": "{named} el {share} de las filas, cuando lo habitual es el {usual} ({likes} entregas anteriores)",
    "gone": "{named} ninguna fila, cuando lo habitual es el {usual} ({likes} entregas anteriores)",
    "empty": "vacía en",
    "value": "«{value}» en",
}
WORDS: dict[Language, dict[str, str]] = {"en": EN, "es": ES}
