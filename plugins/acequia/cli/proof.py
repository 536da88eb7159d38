"""Commands about proof: verify receipts, the ledger, and its signed head."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from acequia.cli.show import as_json, settings_now, show
from acequia.errors import OURS, AcequiaError
from acequia.words.figures import Language
from acequia.words.reasons import told

_HEADS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "new": "{new} new public key(s), introduced by those that you know.",
        "release": "release of {table} {period}",
        "one": "valid: {what}, signed by {key}; {chain}",
        "none": "No receipt here, but certificates.",
        "certified": " and {many} certificates",
        "many": "valid: {receipts} receipts{certified}; every chain is whole.",
    },
    "es": {
        "new": "{new} clave(s) pública(s) nueva(s), presentada(s) por las que se conocen.",
        "release": "publicación de {table} {period}",
        "one": "válido: {what}, firmado con {key}; {chain}",
        "none": "Aquí no hay recibos, pero sí certificados.",
        "certified": " y {many} certificados",
        "many": "válido: {receipts} recibos{certified}; cada cadena está entera.",
        "chain": "cadena", "versions": "versiones", "receipts": "recibos", "whole": "entera",
        "where": "dónde", "finding": "hallazgo", "True": "sí", "False": "no",
        "received": "recepción de", "accepted": "aceptación de", "refused": "rechazo de",
        "published": "publicación de",
        "repeated": "repetición de", "withdrawn": "retiro de", "withdrawal_done": "retiro cumplido de",
        "raw_deleted": "borrado de archivos originales de", "protected_deleted": "borrado de filas protegidas de",
    },
}  # fmt: skip
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(short_help="Verify receipts and certificates with the public keys.")
@click.argument("receipt", type=click.Path(exists=True, path_type=Path))
@click.option("--key", type=_FILE,
              help="The office's public keys (receipts.jwks.json); default: those of this installation.")  # fmt: skip
@click.option(
    "--known", type=_FILE, help="An earlier file of public keys, that you trust: see that it introduces --key."
)
@click.option("--language", type=click.Choice(["en", "es"]), default="en", show_default=True, help="Of what it says.")
@as_json
def verify(receipt: Path, key: Path | None, known: Path | None, language: Language, as_json: bool) -> None:
    """Verify a receipt, the certificate of a release, or a folder of them, offline, with the public keys alone.

    What the receipt proves is said in plain words; --json prints its claims. Of a folder the chains are verified, and
    what is missing is named. Exit code 1 if anything is wrong.
    """
    from acequia.ledger.introductions import require_introduced

    jwks = key or settings_now().home / "keys" / "receipts.jwks.json"
    try:
        if known is not None:
            new = require_introduced(jwks, known)
            click.echo(_HEADS[language]["new"].format(new=new), err=True)
        if receipt.is_dir():
            _verify_folder(receipt, jwks, language, as_json=as_json)
        else:
            _verify_one(receipt, jwks, language, as_json=as_json)
    except AcequiaError as error:
        what, do = told(error.what, language), told(error.what_to_do, language)
        raise AcequiaError(error.code, what, where=error.where, do=do) from None


def _verify_one(path: Path, jwks: Path, language: Language, *, as_json: bool) -> None:
    from acequia.ledger.certificates import is_certificate, verify_certificate
    from acequia.ledger.receipts import verify_receipt
    from acequia.ledger.words import in_words

    found = (verify_certificate if is_certificate(path) else verify_receipt)(path, jwks)
    said = found.claims
    if as_json:
        click.echo(json.dumps(said, indent=1))
        return
    heads = _HEADS[language]
    step = heads.get(str(said.get("step")), said.get("step"))
    what = f"{step} {said['delivery']}" if "step" in said else heads["release"].format_map(said)
    click.echo(heads["one"].format(what=what, key=found.key_id, chain=told(found.chain, language)))
    for line in in_words(said, language) if "step" in said else ():
        click.echo(f"  {line}")


def _verify_folder(folder: Path, jwks: Path, language: Language, *, as_json: bool) -> None:
    from acequia.ledger.folders import verify_folder

    found = verify_folder(folder, jwks)
    if not (found.receipts or found.certificates or found.findings):
        raise AcequiaError("usage", "no receipt and no certificate lies in this folder")
    findings = [{"where": where, "finding": told(what, language)} for where, what in found.findings]
    heads = _HEADS[language]
    if as_json:
        said = {"receipts": len(found.receipts), "certificates": found.certificates, "chains": found.chains}
        click.echo(json.dumps(said | {"findings": findings}, indent=1))
    elif findings:
        show([_named(row, heads) for row in findings], as_json=False, empty="")
    else:
        show([_named(row, heads) for row in found.chains], as_json=False, empty=heads["none"])
        certified = heads["certified"].format(many=found.certificates) if found.certificates else ""
        click.echo(heads["many"].format(receipts=len(found.receipts), certified=certified))
    if findings:
        raise click.exceptions.Exit(OURS)


def _named(row: Mapping[str, Any], heads: Mapping[str, str]) -> dict[str, Any]:
    said = {heads.get(name, name): value for name, value in row.items()}
    return {name: heads.get(str(value), value) if isinstance(value, bool) else value for name, value in said.items()}


@click.group(short_help="Verify the record of everything that happened.")
def ledger() -> None:
    """Look after the ledger, the append-only record of everything that happened."""


@ledger.command("verify", short_help="Check every entry and the chain between them.")
@click.option("--against", "against", type=_FILE, multiple=True,
              help="A head, receipt or certificate that was kept elsewhere; can be given several times.")  # fmt: skip
@as_json
def ledger_verify(against: tuple[Path, ...], as_json: bool) -> None:
    """Check every entry, the chain between them, what was derived from them, and every receipt. Exit code 1 if wrong.

    That everything was put back to an earlier state shows only against what was kept elsewhere: see `ledger head`.
    """
    from acequia.opening import ledger_of

    book = ledger_of(settings_now())
    findings = book.verify(against, whole=True)
    show(
        [{"seq": finding.seq, "finding": finding.what} for finding in findings],
        as_json=as_json,
        empty=f"{book.length():,} entries verified: the chain is whole.",
    )
    if findings:
        raise click.exceptions.Exit(OURS)


@ledger.command("head", short_help="Print the signed head, to be kept elsewhere.")
def ledger_head() -> None:
    """Print the signed number and hash of the last entry: proof, kept elsewhere, of everything until then.

    Keep it where nobody who can write to this installation can: with an auditor, on paper, in a mailbox. `ledger verify
    --against FILE` finds whether the ledger is still the same up to there.
    """
    from acequia.opening import ledger_of

    click.echo(ledger_of(settings_now()).head())
