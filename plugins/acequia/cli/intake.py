"""Commands of the upload server: serve, token, tokens, revoke."""

from __future__ import annotations

from pathlib import Path

import click

from acequia.cli.keys import _who
from acequia.cli.show import as_json, settings_now, show

LISTED = ("partner", "id", "state", "issued_at", "expires_at", "who")


@click.group(short_help="Uploads by partners over HTTPS: the server and its tokens.")
def intake() -> None:
    """Take in what partners upload, each with a token of its own: `source: {type: upload}` in the agreement."""


@intake.command("serve", short_help="Serve uploads until stopped.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8443, show_default=True, help="The port.")
@click.option("--certificate", type=click.Path(path_type=Path), help="A certificate chain in PEM.")
@click.option("--key", type=click.Path(path_type=Path), help="Its private key in PEM.")
@click.option("--behind-proxy", metavar="ADDRESSES", help="Proxies that hold the TLS, comma-separated, or *.")
def intake_serve(host: str, port: int, certificate: Path | None, key: Path | None, behind_proxy: str | None) -> None:
    """Serve the tus protocol under /v1/PARTNER/FEED/PERIOD, with TLS, behind a proxy, or on this machine alone."""
    from acequia.intake.serve import Binding, serve

    serve(settings_now(), Binding(host, port, certificate, key, behind_proxy))


@intake.command("token", short_help="Make a token for a partner; it is printed once.")
@click.argument("partner")
@click.option("--days", default=365, show_default=True, help="For how many days it is valid.")
def intake_token(partner: str, days: int) -> None:
    """Make a token with which PARTNER uploads. It is printed once; the ledger keeps only its hash."""
    from acequia.agreement.load import find
    from acequia.intake.tokens import issue
    from acequia.opening import ledger_of

    settings = settings_now()
    find(settings.partners, partner)
    text, token = issue(ledger_of(settings), partner, days=days, who=_who())
    click.echo(text)
    click.echo(f"Token {token.id} of {partner}, until {token.expires_at[:10]}. It is not shown again.", err=True)


@intake.command("tokens", short_help="List the tokens that were given.")
@as_json
def intake_tokens(as_json: bool) -> None:
    """List the tokens by partner, with their states. The tokens themselves are known to partners alone."""
    from acequia.intake.tokens import listed
    from acequia.opening import ledger_of

    rows = [token.as_row() for token in listed(ledger_of(settings_now()))]
    if not as_json:
        rows = [row | {name: row[name][:16].replace("T", " ") for name in ("issued_at", "expires_at")} for row in rows]
    show(rows, as_json=as_json, columns=LISTED, empty="No token yet: acequia intake token PARTNER makes one.")


@intake.command("revoke", short_help="Make a token worthless at once.")
@click.argument("partner")
@click.argument("token_id")
def intake_revoke(partner: str, token_id: str) -> None:
    """Revoke the token TOKEN_ID of PARTNER. A running server refuses it from the next request on."""
    from acequia.intake.tokens import revoke
    from acequia.opening import ledger_of

    revoke(ledger_of(settings_now()), partner, token_id, who=_who())
    click.echo(f"Token {token_id} of {partner} is revoked.")
