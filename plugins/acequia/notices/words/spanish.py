"""The words of notices in Spanish."""

from __future__ import annotations

from acequia.notices.words.spanish_doing import DOING
from acequia.notices.words.wording import Language, Wording

LANGUAGE = Language(
    code="es",
    kinds={
        "before_due": Wording(
            subject="$feed $period vence pronto",
            many="$count entregas vencen pronto",
            says="La entrega de $feed para $period vence el $due_at. Todavía no llegó nada.",
            do="Enviarla a tiempo. Si no hay nada que enviar, avisar al responsable de los datos.",
        ),
        "late": Wording(
            subject="$feed $period está atrasada",
            many="$count entregas están atrasadas",
            says="La entrega de $feed para $period vencía el $due_at. Todavía no llegó nada.",
            do="Enviarla. Después del $missing_from cuenta como ausente.",
        ),
        "missing": Wording(
            subject="falta $feed $period (recordatorio $time)",
            many="faltan $count entregas",
            says="La entrega de $feed para $period vencía el $due_at y cuenta como ausente desde el $missing_from.",
            do="Enviarla. Se la busca hasta el $watched_until.",
        ),
        "delayed": Wording(
            subject="$feed $period se publicará con atraso",
            many="$count períodos se publicarán con atraso",
            says="Los datos de $feed para $period vencían el $due_at y no llegaron. Hasta que lleguen, ese período "
            "falta en estas tablas: $tables.",
            do="Nada. Se avisará cuando se publiquen.",
        ),
        "accepted": Wording(
            subject="$feed $period fue aceptada",
            many="$count entregas fueron aceptadas",
            says="La versión $version de la entrega de $feed para $period pasó todos los controles: $rows_in filas, de "
            "las cuales se apartaron $rows_set_aside.$differences$warnings",
            do="Nada. Los detalles están en el recibo.",
        ),
        "refused": Wording(
            subject="$feed $period fue rechazada: $code",
            many="$count entregas fueron rechazadas",
            says="La versión $version de la entrega de $feed para $period fue rechazada. Motivo ($code): "
            "$reason$checks",
            do="$what_to_do",
        ),
        "repeated": Wording(
            subject="$feed $period llegó otra vez, sin cambios",
            many="$count entregas llegaron otra vez, sin cambios",
            says="La entrega de $feed para $period llegó otra vez con los mismos bytes que la versión $version. No se "
            "hizo nada. $stands",
            do="Nada, salvo que se quisiera enviar otra cosa.",
        ),
        "published": Wording(
            subject="$table $period está publicada",
            many="$count períodos están publicados",
            says="$table para $period está publicada: $cells celdas, de las cuales $withheld no se muestran."
            "$provisional",
            do="Nada.",
        ),
        "restated": Wording(
            subject="$table $period fue corregida",
            many="$count períodos fueron corregidos",
            says="$table para $period se publicó de nuevo y difiere de lo que era. $changes",
            do="Usar las cifras nuevas. La versión anterior sigue siendo legible, salvo que un retiro la haya borrado.",
        ),
        "removed": Wording(
            subject="$table $period fue retirada",
            many="$count períodos fueron retirados",
            says="$table ya no tiene nada para $period: se retiró la entrega de la que se hizo.",
            do="No usar las cifras anteriores.",
        ),
        "withdrawn": Wording(
            subject="$feed $period fue retirada",
            many="$count entregas fueron retiradas",
            says="La entrega de $feed para $period (hasta la versión $version) fue retirada y ya no cuenta en ninguna "
            "tabla. Motivo: $because",
            do="Nada. Las tablas en las que contaba se publican sin ella.",
        ),
        "paused": Wording(
            subject="en pausa: $feed",
            many="$count flujos están en pausa",
            says="Hasta que se reanude, de $feed no se recibe ni se publica nada. Motivo: $because",
            do="Reanudar cuando desaparezca el motivo.",
        ),
        "resumed": Wording(
            subject="en marcha de nuevo: $feed",
            many="$count flujos continúan",
            says="De $feed se vuelve a recibir y a publicar. Motivo: $because",
            do="Nada. De lo vencido se avisa por sí solo.",
        ),
        "ending": Wording(
            subject="el convenio termina el $ends_on",
            many="$count convenios terminan pronto",
            says="El convenio con $name, versión $agreement_version, termina el $ends_on, dentro de $within_days días "
            "o menos. Los períodos posteriores se rechazan.",
            do="Acordar una versión nueva, o dejar que los flujos terminen.",
        ),
        "ended": Wording(
            subject="el convenio terminó",
            many="$count convenios terminaron",
            says="El convenio con $name, versión $agreement_version, terminó el $ends_on. Los períodos posteriores se "
            "rechazan: no se busca ni se publica nada.",
            do="Acordar una versión nueva, o dejar los flujos detenidos.",
        ),
        "test": Wording(
            subject="una prueba",
            many="$count pruebas",
            says="Esto es una prueba: aquí llegan los avisos de $name para $to.",
            do="Nada.",
        ),
    },
    labels={
        "what": "Qué pasó",
        "where": "Dónde",
        "who": "Quién debe actuar",
        "do": "Qué hacer",
        "until": "Hasta",
        "more": "… y $count más; `acequia notices list` las tiene todas.",
        "sent": "Enviado por Acequia según el convenio $partner, versión $agreement_version. Preguntas: $questions",
    },
    parts={
        "every_feed": "todos los flujos",
        "drift": " Qué parece haber cambiado en las columnas, y por qué: `acequia drift $partner $feed $period`, "
        "en la oficina.",
        "provisional": " Las cifras son provisorias.",
        "checks": "; en palabras: $checks.",
        "warnings": " Se aparta de las anteriores: $warnings.",
        "stands": "Vale la versión $version.",
        "stands_none": "No vale ninguna versión del período.",
        "differences": " Reemplaza a la versión $against: $added filas nuevas, $removed menos, $changed cambiadas.",
        "differences_unknown": " Reemplaza a la versión $against.",
        "changes": "De $before celdas cambiaron $changed, se quitaron $removed, $newly_withheld ya no se muestran y "
        "$opened vuelven a mostrarse; se agregaron $added.",
        "changes_unknown": "No se puede decir cuánto: la publicación anterior está borrada.",
        "by_how_much": "Cuánto:",
        "total": "total",
        "largest": "una celda a lo sumo",
    },
    people={
        "partner": "el socio",
        "steward": "el responsable de los datos",
        "dpo": "el delegado de protección de datos",
        "consumers": "los destinatarios",
        "nobody": "nadie",
        "you": "ustedes",
    },
    doing=DOING,
)
