"""The sentences of `explain` on how a table is protected, in English and Spanish."""

from __future__ import annotations

EN: dict[str, str] = {
    "protection": "How people are protected:",
    "none_because": "The table is not protected, because: {reason}.",
    "min_contributors": "A row behind which fewer than {n} contributors stand is withheld. Contributors are told "
    "apart by `{column}`.",
    "min_rows": "A row behind which fewer than {n} records stand is withheld.",
    "dominance": "A row is withheld if its {n} largest contributors hold more than {k} percent of {of}.",
    "dominance_one": "A row is withheld if its largest contributor holds more than {k} percent of {of}.",
    "p_percent": "A row is withheld if its second largest contributor could work out from it, to within {p} percent, "
    "what the largest one contributed to {of}.",
    "pq": "A row is withheld if its second largest contributor could work out from it, to within {p} percent, what the "
    "largest one contributed to {of}; everybody is taken to know what others contribute to within {q} percent before.",
    "also": "A row behind which fewer than {n} different `{column}` stand is withheld too.",
    "also_rules": "For `{column}` as well: {rule}",
    "any_total": "a total",
    "round_counts": "Counts are rounded to multiples of {n}.",
    "round_controlled": "Counts are rounded to multiples of {n}, those of one table together, so that the parts still "
    "add up to the totals.",
    "zeros_withhold": "Combinations without any row are withheld too.",
    "secondary": "Further rows are withheld where a withheld one could otherwise be worked out from other rows, other "
    "tables or earlier releases: {least}.",
    "least_cells": "as few rows as serve",
    "least_contributors": "those with as few contributors as serve",
    "least_values": "those with as small totals as serve",
    "totals_cost": "Wider totals are withheld last: each level counts {n} times as much as the one below it.",
    "keep_open": "Withheld besides only where nothing else helps: {cells}.",
    "keep_open_one": "`{column}` {values}",
    "range": "Where too few contributors stand behind a row, each of its totals stays unknown by {pct} percent up and "
    "down.",
    "withheld": "A withheld row keeps its place, loses its numbers, and says why.",
    "cell_key": "No row is withheld, not even one with fewer than {n} contributors (told apart by `{column}`) behind "
    "it. Every count is published with noise instead, zero on average, and the same for the same group in every "
    "table, for ever: a count of contributors changes by at most {most}, one of records by less than {twice} times "
    "those of its largest contributor.",
    "cell_key_never": "Counts from 1 to {never} are never published: each becomes 0 or something larger.",
    "private": "Numbers are published with random noise, which limits how much more can be learned of one contributor "
    "than if it were not in the data at all, whatever else is known (differential privacy; one release costs epsilon "
    "{epsilon} and delta {delta} of the feed's budget).",
    "private_counts": "One contributor counts to {cells} rows of a release at most, with {rows} records in each; what "
    "is more is left out.",
    "private_bounds": "What one contributor adds to {measure} in a row counts as {low} at least and {high} at most.",
    "private_unknown": "Rows behind which too few contributors stand, with noise, are left out without a trace; {n} is "
    "the least that is ever enough.",
    "private_who": "No row is withheld. Contributors are told apart by `{column}`; records of nobody are left out.",
    "budget": "All releases with random noise together may cost epsilon {epsilon} and delta {delta} {per}; a release "
    "that would go beyond it is refused.",
    "budget_ever": "and no more, for ever",
    "budget_month": "for each month of data",
    "budget_quarter": "for each quarter of data",
    "budget_year": "for each year of data",
}

ES: dict[str, str] = {
    "protection": "Cómo se protege a las personas:",
    "none_because": "La tabla no está protegida, porque: {reason}.",
    "min_contributors": "Una fila con menos de {n} contribuyentes detrás se retiene. Los contribuyentes se "
    "distinguen por `{column}`.",
    "min_rows": "Una fila con menos de {n} registros detrás se retiene.",
    "dominance": "Una fila se retiene si sus {n} mayores contribuyentes tienen más del {k} por ciento de {of}.",
    "dominance_one": "Una fila se retiene si su mayor contribuyente tiene más del {k} por ciento de {of}.",
    "p_percent": "Una fila se retiene si su segundo mayor contribuyente podría deducir de ella, con un error menor del "
    "{p} por ciento, cuánto aportó el mayor a {of}.",
    "pq": "Una fila se retiene si su segundo mayor contribuyente podría deducir de ella, con un error menor del {p} "
    "por ciento, cuánto aportó el mayor a {of}; se supone que todos conocen de antemano lo que aportan los demás con "
    "un error del {q} por ciento.",
    "also": "También se retiene una fila con menos de {n} `{column}` distintos detrás.",
    "also_rules": "También para `{column}`: {rule}",
    "any_total": "un total",
    "round_counts": "Los recuentos se redondean a múltiplos de {n}.",
    "round_controlled": "Los recuentos se redondean a múltiplos de {n}, todos los de una tabla a la vez, de modo que "
    "las partes siguen sumando los totales.",
    "zeros_withhold": "Las combinaciones sin ninguna fila también se retienen.",
    "secondary": "Se retienen además otras filas cuando una retenida podría deducirse de otras filas, de otras tablas "
    "o de publicaciones anteriores: {least}.",
    "least_cells": "las menos posibles",
    "least_contributors": "aquellas con los menos contribuyentes posibles",
    "least_values": "aquellas con los totales más pequeños posibles",
    "totals_cost": "Los totales más amplios se retienen al final: cada nivel cuenta {n} veces lo que el inferior.",
    "keep_open": "Se retienen además solo si nada más sirve: {cells}.",
    "keep_open_one": "`{column}` {values}",
    "range": "Cuando hay demasiado pocos contribuyentes detrás de una fila, cada uno de sus totales queda incierto en "
    "un {pct} por ciento hacia arriba y hacia abajo.",
    "withheld": "Una fila retenida conserva su lugar, pierde sus números y dice por qué.",
    "cell_key": "No se retiene ninguna fila, ni siquiera con menos de {n} contribuyentes (distinguidos por `{column}`) "
    "detrás. En su lugar, cada recuento se publica con ruido, cero en promedio y el mismo para el mismo grupo en todas "
    "las tablas, para siempre: uno de contribuyentes cambia en {most} como máximo; uno de registros, en menos de "
    "{twice} veces los de su mayor contribuyente.",
    "cell_key_never": "Nunca se publican recuentos de 1 a {never}: cada uno pasa a ser 0 o algo mayor.",
    "private": "Los números se publican con ruido aleatorio, que limita cuánto más puede aprenderse de un "
    "contribuyente que si no estuviera en los datos, sepa quien lea lo que sepa (privacidad diferencial; una "
    "publicación gasta épsilon {epsilon} y delta {delta} del presupuesto del flujo).",
    "private_counts": "Un contribuyente cuenta en {cells} filas de una publicación como máximo, con {rows} registros "
    "en cada una; lo demás se deja fuera.",
    "private_bounds": "Lo que un contribuyente aporta a {measure} en una fila cuenta como {low} por lo menos y {high} "
    "como máximo.",
    "private_unknown": "Las filas con muy pocos contribuyentes detrás, contados con ruido, se omiten sin dejar rastro; "
    "nunca bastan menos de {n}.",
    "private_who": "Ninguna fila se retiene. Los contribuyentes se distinguen por `{column}`; los registros de nadie "
    "se omiten.",
    "budget": "Todas las publicaciones con ruido aleatorio juntas pueden gastar épsilon {epsilon} y delta {delta} "
    "{per}; se rechaza la publicación que gastaría más.",
    "budget_ever": "y no más, para siempre",
    "budget_month": "por cada mes de datos",
    "budget_quarter": "por cada trimestre de datos",
    "budget_year": "por cada año de datos",
}
