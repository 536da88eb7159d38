"""Commands about proof: verify receipts, the ledger, and its signed head."""

from __future__ import annotations

import json
from pathlib import Path

import click

from acequia.cli.show import as_json, settings_now, show
from acequia.errors import OURS, AcequiaError

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
def verify(receipt: Path, key: Path | None, known: Path | None, language: str, as_json: bool) -> None:
    """Verify a receipt, the certificate of a release, or a folder of them, offline, with the public keys alone.

    What the receipt proves is said in plain words; --json prints its claims. Of a folder the chains are verified, and
    what is missing is named. Exit code 1 if anything is wrong.
    """
    from acequia.ledger.introductions import require_introduced

    jwks = key or settings_now().home / "keys" / "receipts.jwks.json"
    if known is not None:
        new = require_introduced(jwks, known)
        click.echo(f"{new} new public key(s), introduced by those that you know.", err=True)
    if receipt.is_dir():
        _verify_folder(receipt, jwks, as_json=as_json)
    else:
        _verify_one(receipt, jwks, language, as_json=as_json)


def _verify_one(path: Path, jwks: Path, language: str, *, as_json: bool) -> None:
    from acequia.ledger.certificates import is_certificate, verify_certificate
    from acequia.ledger.receipts import verify_receipt
    from acequia.ledger.words import in_words

    found = (verify_certificate if is_certificate(path) else verify_receipt)(path, jwks)
    said = found.claims
    if as_json:
        click.echo(json.dumps(said, indent=1))
        return
    what = f"{said['step']} {said['delivery']}" if "step" in said else f"release of {said['table']} {said['period']}"
    click.echo(f"valid: {what}, signed by {found.key_id}; {found.chain}")
    for line in in_words(said, "es" if language == "es" else "en") if "step" in said else ():
        click.echo(f"  {line}")


def _verify_folder(folder: Path, jwks: Path, *, as_json: bool) -> None:
    from acequia.ledger.folders import verify_folder

    found = verify_folder(folder, jwks)
    if not (found.receipts or found.certificates or found.findings):
        raise AcequiaError("usage", "no receipt and no certificate lies in this folder")
    findings = [{"where": where, "finding": what} for where, what in found.findings]
    if as_json:
        told = {"receipts": len(found.receipts), "certificates": found.certificates, "chains": found.chains}
        click.echo(json.dumps(told | {"findings": findings}, indent=1))
    elif findings:
        show(findings, as_json=False, empty="")
    else:
        show(found.chains, as_json=False, empty="No receipt here, but certificates.")
        certified = f" and {found.certificates} certificates" if found.certificates else ""
        click.echo(f"valid: {len(found.receipts)} receipts{certified}; every chain is whole.")
    if findings:
        raise click.exceptions.Exit(OURS)


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
