"""What a receipt proves, in plain words, English or Spanish."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from acequia.words.doing import DOING
from acequia.words.figures import Figures, Language, figure
from acequia.words.reasons import rule, told

Claims = Mapping[str, Any]

_PHRASES: dict[str, tuple[str, str]] = {
    "what": (
        "delivery {delivery}: {partner}, {feed}, period {period}, version {version}",
        "entrega {delivery}: {partner}, {feed}, período {period}, versión {version}",
    ),
    "agreement": (
        "under the agreement, version {version} (SHA-256 {sha256})",
        "según el convenio, versión {version} (SHA-256 {sha256})",
    ),
    "content": ("content SHA-256 {content}", "SHA-256 del contenido {content}"),
    "file": ("file {number}: {bytes:,} bytes, SHA-256 {sha256}", "archivo {number}: {bytes:,} bytes, SHA-256 {sha256}"),
    "sent": ("sent at {at}, by the source's clock", "enviado el {at}, según el reloj del origen"),
    "signed": ("its manifest was signed with your key {kid}", "su manifiesto fue firmado con su clave {kid}"),
    "landing_key": (
        "encrypted in landing with a key of its own, fingerprint {print}",
        "cifrado en la recepción con una clave propia, huella {print}",
    ),
    "corrects": (
        "it is {delivery} with {rows} of its rows corrected",
        "es {delivery} con {rows} de sus filas corregidas",
    ),
    "rows": (
        "{rows_in:,} rows arrived: {rows_out:,} keep every rule, {aside:,} were set aside",
        "llegaron {rows_in:,} filas: {rows_out:,} cumplen cada regla, se apartaron {aside:,}",
    ),
    "aside": ("set aside, {reason}: {rows:,}", "apartadas, {reason}: {rows:,}"),
    "scanned": (
        "column {column}: {rows:,} of {of:,} values look like {kind}; the agreement tolerates it",
        "columna {column}: {rows:,} de {of:,} valores parecen {kind}; el convenio lo tolera",
    ),
    "warning": ("warning: {text}", "aviso: {text}"),
    "differences": ("compared with {than}: {counts}", "comparada con {than}: {counts}"),
    "refused": ("REFUSED, {code}: {reason}", "RECHAZADA, {code}: {reason}"),
    "check": ("failed: {says}", "falló: {says}"),
    "to_do": ("who acts: {who_acts}; what to do: {what_to_do}", "quién actúa: {who_acts}; qué hacer: {what_to_do}"),
    "table": (
        "published: {table} {period}: {cells:,} cells, {cells_withheld:,} withheld{provisional}, "
        "content SHA-256 {content}",
        "publicado: {table} {period}: {cells:,} celdas, {cells_withheld:,} reservadas{provisional}, "
        "SHA-256 del contenido {content}",
    ),
    "provisional": (", provisional", ", provisorias"),
    "release": ("open release: {release}", "publicación abierta: {release}"),
    "repeated": (
        "the same content came again: nothing was done; {stands} stands",
        "llegó otra vez el mismo contenido: no se hizo nada; vale {stands}",
    ),
    "nothing": ("no delivery of the period", "ninguna entrega del período"),
    "withdrawn": ("WITHDRAWN, because: {because}", "RETIRADA, porque: {because}"),
    "erase": ("and is to be erased from history, too", "y se borrará también de la historia"),
    "taken_back": ("taken back: {table} {period}, {done}", "retirado de: {table} {period}, {done}"),
    "withdrawal_done": ("nothing of it is left in any table", "no queda nada de ella en ninguna tabla"),
    "deleted": ("deleted at {at}: {files:,} files", "borrado el {at}: {files:,} archivos"),
    "print": ("key {print} was destroyed at {at}", "la clave {print} fue destruida el {at}"),
    "raw": ("raw files", "archivos originales"),
    "protected": ("protected rows", "filas protegidas"),
    "will_go": (
        "{what}: kept for {days} days, to be deleted on {on}",
        "{what}: se guardan {days} días, se borrarán el {on}",
    ),
    "went": ("{what}: deleted at {at}", "{what}: borrado el {at}"),
}


_WHO = {
    "partner": "el socio",
    "engineer": "el ingeniero de datos",
    "steward": "el responsable de los datos",
    "operator": "quien opera la instalación",
}
_COUNTED = {"added": "agregadas", "removed": "quitadas", "changed": "cambiadas", "unchanged": "iguales",
            "cells": "celdas", "rows": "filas"}  # fmt: skip


def in_words(claims: Claims, language: Language = "en") -> list[str]:
    """The lines that say what a receipt proves."""
    return list(_Speaker(language).lines(claims))


class _Speaker:
    def __init__(self, language: Language) -> None:
        self.index, self.language, self.figures = 0 if language == "en" else 1, language, Figures(language)

    def say(self, phrase: str, **values: Any) -> str:
        return self.figures.format(_PHRASES[phrase][self.index], **values)

    def told(self, text: object) -> str:
        """What the ledger says, in the reader's language."""
        return told(str(text), self.language)

    def lines(self, claims: Claims) -> Iterator[str]:
        yield self.say("what", **{name: claims[name] for name in ("delivery", "partner", "feed", "period", "version")})
        yield self.say("agreement", **claims["agreement"])
        for part in (
            self._came,
            self._refused,
            self._rows,
            self._published,
            self._withdrawn,
            self._deleted,
            self._kept,
        ):
            yield from part(claims)

    def _came(self, claims: Claims) -> Iterator[str]:
        if "repetition" in claims:
            yield self.say("repeated", stands=claims["repetition"]["stands"] or self.say("nothing"))
        if "files" not in claims:
            return
        yield self.say("content", content=claims["content_sha256"])
        for file in claims["files"]:
            yield self.say("file", **file)
        if "corrects" in claims:
            yield self.say("corrects", **claims["corrects"])
        if "sent_at" in claims:
            yield self.say("sent", at=_minute(claims["sent_at"]))
        if "signed_by" in claims:
            yield self.say("signed", kid=claims["signed_by"])
        if "landing_key" in claims:
            yield self.say("landing_key", print=claims["landing_key"])

    def _refused(self, claims: Claims) -> Iterator[str]:
        if "refusal" in claims:
            said = claims["refusal"]
            yield self.say("refused", code=said["code"], reason=self.told(said["reason"]))
            for check in said.get("checks", ()):
                yield self.say("check", says=self.told(check["says"]))
            do = DOING.get(said["code"]) if self.language == "es" else None
            who = _WHO.get(said["who_acts"]) if self.language == "es" else None
            yield self.say("to_do", who_acts=who or said["who_acts"], what_to_do=do or said["what_to_do"])

    def _rows(self, claims: Claims) -> Iterator[str]:
        if claims.get("rows"):
            rows = claims["rows"]
            yield self.say("rows", **rows, aside=rows["rows_in"] - rows["rows_out"])
            for reason, count in sorted(rows["set_aside"].items()):
                yield self.say("aside", reason=rule(reason, self.language), rows=count)
        for found in claims.get("scanned", ()):
            yield self.say("scanned", **found)
        for text in claims.get("warnings", ()):
            yield self.say("warning", text=self.told(text))
        if "differences" in claims:
            said = claims["differences"]
            counted = {name: count for name, count in said.items() if isinstance(count, int)}
            counts = ", ".join(self._counted(name, count) for name, count in counted.items())
            counts = counts or str(said.get("unknown", ""))
            yield self.say("differences", than=said.get("against", ""), counts=counts)

    def _counted(self, name: str, count: int) -> str:
        return f"{_COUNTED.get(name, name) if self.language == 'es' else name} {figure(count, self.language)}"

    def _published(self, claims: Claims) -> Iterator[str]:
        for table in claims.get("tables", ()) if claims["step"] == "published" else ():
            provisional = self.say("provisional") if table["provisional"] else ""
            yield self.say("table", **table | {"provisional": provisional, "content": table["content_sha256"]})
            if "release" in table:
                yield self.say("release", release=table["release"])

    def _withdrawn(self, claims: Claims) -> Iterator[str]:
        said = claims.get("withdrawal", {})
        if "because" in said:
            yield self.say("withdrawn", because=said["because"])
            if said["erase"]:
                yield self.say("erase")
        if "tables" in said:
            yield self.say("withdrawal_done")
            for part in said["tables"]:
                yield self.say("taken_back", **part)

    def _deleted(self, claims: Claims) -> Iterator[str]:
        if "deleted" not in claims:
            return
        said = claims["deleted"]
        yield self.say("deleted", at=_minute(said["at"]), files=said["files"])
        if "says" in said["proof"]:
            yield self.told(said["proof"]["says"])
        for one in said["proof"].get("key_fingerprints", ()) if "key_destroyed_at" in said["proof"] else ():
            yield self.say("print", print=one, at=_minute(said["proof"]["key_destroyed_at"]))

    def _kept(self, claims: Claims) -> Iterator[str]:
        for what, kept in sorted(claims.get("kept", {}).items(), reverse=True):
            if kept["deleted_at"]:
                yield self.say("went", what=self.say(what), at=_minute(kept["deleted_at"]))
            else:
                yield self.say("will_go", what=self.say(what), days=kept["days"], on=kept["delete_on"])


def _minute(moment: str) -> str:
    return f"{moment[:16].replace('T', ' ')} UTC"
