"""The verdict in plain words, English or Spanish, for whoever makes the file. Names and places, never values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from acequia.drift.words import told as drift_told
from acequia.errors import CODES
from acequia.preflight.judged import Columns, Forecast, Judged, Reason, Unjudged
from acequia.words import reasons
from acequia.words.doing import DOING
from acequia.words.figures import Figures, Language, figure


def told(judged: Judged, language: Language) -> str:
    """The verdict as lines of text."""
    return "\n".join(_lines(judged, _WORDS[language], language))


def _lines(judged: Judged, words: Mapping[str, str], language: Language) -> Iterator[str]:
    say, about = Figures(language).format, f"{judged.partner}.{judged.feed} {judged.period}"
    if judged.code is None:
        yield say(words["accepted"], about=about, version=judged.agreement)
    else:
        yield say(words["refused"], about=about, version=judged.agreement, code=judged.code)
        yield from (f"  {reasons.told(line, language)}" for line in judged.failed or [judged.what])
        yield f"  {words['do']}: {_do(judged.code, language)}"
    for differ in judged.columns:
        yield from _columns(differ, words, len(judged.files), language)
    if judged.count:
        yield say(words["rows"], read=judged.count.rows_in, kept=judged.count.rows_out)
        yield from (f"  {_reason(reason, words, language)}" for reason in judged.reasons)
    for table in judged.tables:
        yield f"  {_table(table, words, language)}"
    if judged.not_judged:
        yield words["not_judged"]
        yield from (f"  - {_UNJUDGED[language][one]}" for one in judged.not_judged)


def _do(code: str, language: Language) -> str:
    own = DOING.get(code) if language == "es" else None
    return _DO[language].get(code) or own or CODES[code].what_to_do


def _columns(differ: Columns, words: Mapping[str, str], of: int, language: Language) -> Iterator[str]:
    yield words["file"].format(file=differ.file, of=of)
    yield from (f"  {line}" for line in drift_told(differ.drift, language))


def _reason(reason: Reason, words: Mapping[str, str], language: Language) -> str:
    rule = words.get(f"rule_{reason.rule}", reason.rule)
    said = rule.format(column=f"`{reason.column}`") if reason.column else rule.format(column="")
    numbers: dict[int, list[str]] = {}
    for file, row in reason.first:
        numbers.setdefault(file, []).append(str(row))
    places = "; ".join(
        words["row" if len(rows) == 1 else "rows_of"].format(row=", ".join(rows), file=file)
        for file, rows in numbers.items()
    )
    rest = reason.rows - len(reason.first)
    more = Figures(language).format(words["more"], count=rest) if rest > 0 else ""
    return f"{figure(reason.rows, language)}: {said}: {places}{more}"


def _table(table: Forecast, words: Mapping[str, str], language: Language) -> str:
    why = ", ".join(
        f"{words.get(f'withheld_{reason}', reason)} {figure(count, language)}"
        for reason, count in table.withheld.items()
    )
    withheld = sum(table.withheld.values())
    said = Figures(language).format(
        words["table"], table=table.table, published=table.published, cells=table.cells, withheld=withheld
    )
    return f"{said} ({why})" if why else said


_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "accepted": "{about}: would be accepted under agreement {version}.",
        "refused": "{about}: would be refused under agreement {version}: {code}.",
        "do": "what to do",
        "rows": "{read:,} rows read, {kept:,} kept. Set aside:",
        "row": "row {row} of file {file}",
        "rows_of": "rows {row} of file {file}",
        "more": "; and {count:,} more",
        "file": "File {file} of {of}:",
        "rule_type": "{column} cannot be read as agreed",
        "rule_null": "{column} is empty",
        "rule_range": "{column} is outside the agreed range",
        "rule_set": "{column} is none of the agreed values",
        "rule_pattern": "{column} is not of the agreed form",
        "rule_outside_period": "the row is of another period",
        "rule_duplicate": "the row repeats an earlier one",
        "table": "table {table}: {published:,} of {cells:,} cells would be published, {withheld:,} withheld",
        "withheld_min_contributors": "too few contributors",
        "withheld_dominance": "one dominates",
        "withheld_p_percent": "one could work out another's part",
        "withheld_zeros": "zeros",
        "withheld_difference": "would tell by comparison with an earlier release",
        "withheld_secondary": "would give another away",
        "not_judged": "Not judged here:",
    },
    "es": {
        "accepted": "{about}: se aceptaría según el convenio {version}.",
        "refused": "{about}: se rechazaría según el convenio {version}: {code}.",
        "do": "qué hacer",
        "rows": "{read:,} filas leídas, {kept:,} conservadas. Apartadas:",
        "row": "fila {row} del archivo {file}",
        "rows_of": "filas {row} del archivo {file}",
        "more": "; y {count:,} más",
        "file": "Archivo {file} de {of}:",
        "rule_type": "{column} no puede leerse como se acordó",
        "rule_null": "{column} está vacía",
        "rule_range": "{column} está fuera del rango acordado",
        "rule_set": "{column} no es ninguno de los valores acordados",
        "rule_pattern": "{column} no tiene la forma acordada",
        "rule_outside_period": "la fila es de otro período",
        "rule_duplicate": "la fila repite una anterior",
        "table": "tabla {table}: se publicarían {published:,} de {cells:,} celdas; {withheld:,} quedarían ocultas",
        "withheld_min_contributors": "muy pocos contribuyentes",
        "withheld_dominance": "uno domina",
        "withheld_p_percent": "uno podría deducir lo de otro",
        "withheld_zeros": "ceros",
        "withheld_difference": "hablaría al compararla con una publicación anterior",
        "withheld_secondary": "revelaría otra",
        "not_judged": "No se juzga aquí:",
    },
}
_UNJUDGED: Mapping[Language, Mapping[Unjudged, str]] = {
    "en": {
        "look_back": "how it compares with earlier deliveries (volume, mix): only the office has them",
        "repetition": "whether these very files arrived before, for this period or another",
        "planted_people": "the search for planted people, which the office makes before it publishes",
        "longer_windows": "tables over several deliveries",
        "noise": "tables with differential privacy: their noise is drawn once, by the office",
        "manifest": "the manifest: write it, then run preflight again with --manifest",
        "encryption": "the encryption of the files, which comes after this",
        "written_checks": "the office's own checks beside the agreement: ask for its folder `expectations`",
    },
    "es": {
        "look_back": "la comparación con entregas anteriores (volumen, composición): solo la oficina las tiene",
        "repetition": "si estos mismos archivos ya llegaron antes, para este período o para otro",
        "planted_people": "la búsqueda de personas plantadas, que la oficina hace antes de publicar",
        "longer_windows": "las tablas de varias entregas",
        "noise": "las tablas con privacidad diferencial: la oficina sortea su ruido una sola vez",
        "manifest": "el manifiesto: escríbalo y vuelva a correr preflight con --manifest",
        "encryption": "el cifrado de los archivos, que viene después",
        "written_checks": "los controles propios de la oficina junto al convenio: pida su carpeta `expectations`",
    },
}
_DO: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "checks_failed": "Correct the data; the checks that failed are above.",
        "delivery_missing": "Name the files as agreed: the office would not find these.",
        "rows_invalid": "Correct the rows; their numbers are below.",
    },
    "es": {
        "checks_failed": "Corregir los datos; los controles que fallaron están arriba.",
        "delivery_missing": "Nombrar los archivos como dice el convenio: la oficina no encontraría estos.",
        "rows_invalid": "Corregir las filas; sus números están abajo.",
    },
}
