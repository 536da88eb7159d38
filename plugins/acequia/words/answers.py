"""What the upload server answers, in English and Spanish: what is wrong, by template, and what to do, by code."""

from __future__ import annotations

from typing import Literal

Who = Literal["partner", "steward", "operator"]

ANSWERS: tuple[tuple[str, str], ...] = (
    ("the bytes that arrived have another checksum", "los bytes que llegaron tienen otra suma de control"),
    ("Tus-Resumable: {version} is needed", "hace falta Tus-Resumable: {version}"),
    ("{header} is not a number of bytes", "{header} no es una cantidad de bytes"),
    (
        "Upload-Defer-Length is not supported: the size must be known",
        "Upload-Defer-Length no se admite: hay que decir el tamaño",
    ),
    (
        "Upload-Metadata does not name the file: filename and its name in Base64",
        "Upload-Metadata no nombra el archivo: filename y su nombre en Base64",
    ),
    ("Upload-Checksum knows {one} and {other}", "Upload-Checksum admite {one} y {other}"),
    ("Content-Digest is sha-256=: the digest in Base64 :", "Content-Digest es sha-256=: el resumen en Base64 :"),
    ("{header} is not a digest in Base64", "{header} no es un resumen en Base64"),
    ("another request writes to this upload", "otro pedido está escribiendo en esta subida"),
    ("there are more bytes than Upload-Length says", "hay más bytes de los que dice Upload-Length"),
    ("the feed is paused", "el flujo está en pausa"),
    ("{many:d} uploads are under way: end or delete one", "hay {many:d} subidas en curso: termine o borre una"),
    (
        "the upload was left alone for too long: begin again",
        "la subida quedó abandonada demasiado tiempo: hay que empezar de nuevo",
    ),
    ("the upload has {offset:d} bytes: go on from there", "la subida tiene {offset:d} bytes: hay que seguir desde ahí"),
    (
        "the agreed manifest completes the delivery: upload it last",
        "el manifiesto acordado completa la entrega: hay que subirlo al final",
    ),
    (
        "use a plain file name, without folders or '..'",
        "hay que usar un nombre simple de archivo, sin carpetas ni '..'",
    ),
    (
        "the agreement has files named {pattern}, and no other",
        "el convenio admite archivos con nombre {pattern}, y ningún otro",
    ),
    (
        "encrypt the file with age, and send it as NAME.age",
        "hay que cifrar el archivo con age y enviarlo como NOMBRE.age",
    ),
    ("no manifest is agreed", "no se acordó ningún manifiesto"),
    ("no signature is agreed: send {name}", "no se acordó ninguna firma: hay que enviar {name}"),
    ("a signature is agreed: send {name}", "se acordó una firma: hay que enviar {name}"),
    ("a manifest has at most {most:d} bytes", "un manifiesto tiene {most:d} bytes como máximo"),
    ("a delivery has at most {most:d} files", "una entrega tiene {most:d} archivos como máximo"),
    ("the delivery would exceed what is agreed ({most:d} bytes)", "la entrega pasaría de lo acordado ({most:d} bytes)"),
    ("there is no such place", "ese lugar no existe"),
    ("there is no such way to use this place", "ese lugar no se usa de ese modo"),
    ("a valid token is needed", "hace falta una credencial válida"),
    ("too many requests; try again later", "demasiados pedidos; hay que probar más tarde"),
    ("Content-Type: {type} is needed", "hace falta Content-Type: {type}"),
    ("the server cannot do this now", "el servidor no puede hacerlo ahora"),
    ("the server cannot store this now", "el servidor no puede guardarlo ahora"),
    ("the agreement ended on {day}, before this period did", "el convenio terminó el {day}, antes que este período"),
    ("the agreement starts on {day}", "el convenio empieza el {day}"),
)

# By code: who must act, what to do in English and in Spanish.
ACTS: dict[str, tuple[Who, str, str]] = {
    "not_found": (
        "partner",
        "Compare the address with docs/partners.md: /v1/PARTNER/FEED/PERIOD/NAME.",
        "Comparar la dirección con docs/partners.md: /v1/SOCIO/FLUJO/PERÍODO/NOMBRE.",
    ),
    "method_not_allowed": (
        "partner",
        "Use a method that the Allow header names.",
        "Usar un método que nombre el encabezado Allow.",
    ),
    "token_invalid": (
        "partner",
        "Send the token as `Authorization: Bearer …`; ask the office for one if yours has ended.",
        "Enviar la credencial como `Authorization: Bearer …`; si venció, pedir otra a la oficina.",
    ),
    "too_many_requests": (
        "partner",
        "Wait as long as Retry-After says, then go on.",
        "Esperar lo que dice Retry-After y seguir.",
    ),
    "too_many_uploads": (
        "partner",
        "End the uploads that are under way, or delete them.",
        "Terminar las subidas en curso, o borrarlas.",
    ),
    "upload_locked": (
        "partner",
        "Wait until the other request has ended, ask for the offset by HEAD, and go on.",
        "Esperar a que termine el otro pedido, preguntar la posición con HEAD y seguir.",
    ),
    "upload_expired": ("partner", "Begin the upload again.", "Empezar la subida de nuevo."),
    "offset_differs": (
        "partner",
        "Ask for the offset by HEAD, and go on from there.",
        "Preguntar la posición con HEAD y seguir desde ahí.",
    ),
    "checksum_differs": ("partner", "Send these bytes again.", "Enviar estos bytes otra vez."),
    "tus_version": ("partner", "Use a client of tus 1.0.0.", "Usar un cliente de tus 1.0.0."),
    "header_invalid": (
        "partner",
        "Correct the header as docs/partners.md shows.",
        "Corregir el encabezado como muestra docs/partners.md.",
    ),
    "name_missing": ("partner", "Name the file in Upload-Metadata.", "Nombrar el archivo en Upload-Metadata."),
    "content_type": ("partner", "Set the Content-Type that is named.", "Usar el Content-Type que se nombra."),
    "name_escapes": (
        "partner",
        "Name the file as agreed, without folders.",
        "Nombrar el archivo como se acordó, sin carpetas.",
    ),
    "name_not_agreed": ("partner", "Name the file as agreed.", "Nombrar el archivo como se acordó."),
    "encryption_missing": (
        "partner",
        "Encrypt it to the recipients that the office gave you.",
        "Cifrarlo para los destinatarios que dio la oficina.",
    ),
    "manifest_invalid": (
        "partner",
        "Send the manifest in the agreed form.",
        "Enviar el manifiesto en la forma acordada.",
    ),
    "manifest_missing": (
        "partner",
        "Upload the manifest; it completes the delivery.",
        "Subir el manifiesto; con él se completa la entrega.",
    ),
    "signature_missing": (
        "partner",
        "Sign the manifest and send manifest.jws.",
        "Firmar el manifiesto y enviar manifest.jws.",
    ),
    "file_too_large": (
        "partner",
        "Send what the agreement covers, or agree on a larger size.",
        "Enviar lo que cubre el convenio, o acordar un tamaño mayor.",
    ),
    "feed_paused": (
        "steward",
        "Nothing is lost: send it again once the office has resumed the feed.",
        "No se pierde nada: enviarlo otra vez cuando la oficina reanude el flujo.",
    ),
    "agreement_expired": (
        "steward",
        "Agree on a new version with the office.",
        "Acordar una versión nueva con la oficina.",
    ),
    "period_outside_agreement": (
        "steward",
        "Send a period that the agreement covers, or agree on another beginning.",
        "Enviar un período que cubra el convenio, o acordar otro comienzo.",
    ),
    "internal": (
        "operator",
        "Try again later; if it goes on, tell the office.",
        "Probar más tarde; si sigue igual, avisar a la oficina.",
    ),
}
