"""What an open release is made of: pure functions from rows and ids to the bytes of its files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from acequia.agreement.load import Signed
from acequia.flow import Disclosed
from acequia.publish.content import REASONS, STATUSES, joined, written
from acequia.publish.shape import ColumnInfo

if TYPE_CHECKING:
    import pyarrow as pa

COMPLETE = "SHA256SUMS"  # written last: without it a release in S3 is not there


@dataclass(frozen=True)
class Release:
    """What a release says of itself. `lineage` holds ids only: delivery, agreement, snapshot, content."""

    partner: str
    partner_name: str
    table: str
    period: str
    describe: str
    columns: tuple[ColumnInfo, ...]
    recipients: tuple[str, ...]
    legal_basis: str
    provisional: bool
    lineage: Mapping[str, Any]
    structure: Mapping[str, Any] = field(default_factory=dict)
    certificate: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The table's name in the lake."""
        return f"{self.partner}.{self.table}"

    @property
    def content_sha256(self) -> str:
        """The hash that names the rows."""
        return str(self.lineage["content_sha256"])

    @property
    def period_folder(self) -> str:
        """Where the releases of this table and period lie, below the lake."""
        return period_folder(self.partner, self.table, self.period)

    @property
    def folder(self) -> str:
        """Where this release lies, below the lake."""
        return f"{self.period_folder}/{release_name(self.content_sha256)}"


def period_folder(partner: str, table: str, period: str) -> str:
    """Where the releases of a table and period lie, below the lake."""
    return f"open/{partner}/{table}/{period}"


def release_name(content_sha256: str) -> str:
    """The folder of a release."""
    return f"release-{content_sha256[:12]}"


def named(disclosed: Disclosed) -> list[str]:
    """What a release says that it was made from: its delivery, or the window where there are several.

    Who reported for a window, and how often, is confidential; lineage, which stays inside, knows.
    """
    if len(disclosed.deliveries) == 1 and disclosed.deliveries[0].period == disclosed.period:
        return [str(disclosed.deliveries[0])]
    return [disclosed.period]


def lineage(disclosed: Disclosed, signed: Signed, content_sha256: str, snapshot_id: int) -> dict[str, Any]:
    """The ids behind a release: nothing of the data itself."""
    return {
        "deliveries": named(disclosed),
        "agreement": signed.agreement.terms.version,
        "agreement_sha256": signed.sha256,
        "content_sha256": content_sha256,
        "snapshot_id": str(snapshot_id),  # 63 bits: more than many readers of JSON keep
    }


def contents(release: Release, rows: pa.Table) -> dict[str, bytes]:
    """The files of a release by name, the checksums last. Pure: the same rows and ids give the same bytes."""
    data = {"data.parquet": as_parquet(release, rows), "data.csv": as_csv(rows)}
    told = {
        "README.txt": as_text(release, rows),
        "datapackage.json": as_json(as_package(release, rows, data)),
    }
    if release.certificate:
        told["certificate.json"] = as_json({**release.certificate, "content_sha256": release.content_sha256})
    made = {**data, **told}
    sums = "".join(f"{hashlib.sha256(part).hexdigest()}  {name}\n" for name, part in sorted(made.items()))
    return {**made, COMPLETE: sums.encode()}


def as_parquet(release: Release, rows: pa.Table) -> bytes:
    """Parquet that every reader takes (Snappy, format 2.6). Its footer carries ids and nothing else of ours; not the
    snapshot's, which differs between lakes that hold the same rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    ids = {f"acequia.{key}": str(value) for key, value in sorted(release.lineage.items()) if key != "snapshot_id"}
    sink = pa.BufferOutputStream()
    pq.write_table(
        rows.replace_schema_metadata({"acequia.table": release.name, "acequia.period": release.period, **ids}),
        sink,
        compression="snappy",
        version="2.6",
        row_group_size=1 << 20,
    )
    return bytes(sink.getvalue())


def as_csv(rows: pa.Table) -> bytes:
    """CSV as RFC 4180 has it: UTF-8, a header, commas, lines ended by CR LF. A null is empty, an empty text is `""`;
    numbers in their shortest exact form, times as ISO 8601, booleans true and false.
    """
    header = ",".join(_field(name) for name in rows.column_names)
    lines = joined([written(rows[name], _field) for name in rows.column_names], skip_nulls=False)
    return "\r\n".join([header, *lines.to_pylist(), ""]).encode()


def _field(value: Any) -> str:
    if isinstance(value, str):
        plain = value and value == value.strip() and not any(sign in value for sign in ',"\r\n')
        return value if plain else '"' + value.replace('"', '""') + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return repr(value)


def as_package(release: Release, rows: pa.Table, data: Mapping[str, bytes]) -> dict[str, Any]:
    """The Data Package (version 2) of a release. Sizes are left out for Parquet, where validators cannot take them."""
    keys = [column.name for column in release.columns if column.role in ("period", "key")]
    schema: dict[str, Any] = {
        "fields": [_described(column) for column in release.columns],
        "missingValues": [""],
    }
    if not any(rows[key].null_count for key in keys):
        schema["primaryKey"] = keys
    stem = release.table.replace("_", "-")
    common = {"profile": "tabular-data-resource", "schema": schema}
    digests = {name: f"sha256:{hashlib.sha256(part).hexdigest()}" for name, part in data.items()}
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"{release.partner}-{stem}-{release.period.lower()}".replace("_", "-"),
        "id": f"{release.name}/{release.period}/{release_name(release.content_sha256)}",
        "title": f"{release.name}, {release.period}",
        "description": release.describe,
        "version": release_name(release.content_sha256),
        "contributors": [{"title": release.partner_name, "roles": ["source"]}],
        "resources": [
            {
                "name": f"{stem}-csv",
                "type": "table",
                "path": "data.csv",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "header": True},
                "bytes": len(data["data.csv"]),
                "hash": digests["data.csv"],
                **common,
            },
            {
                "name": f"{stem}-parquet",
                "type": "table",
                "path": "data.parquet",
                "format": "parquet",
                "mediatype": "application/vnd.apache.parquet",
                "hash": digests["data.parquet"],
                **common,
            },
        ],
        "acequia": {
            "table": release.name,
            "period": release.period,
            "rows": rows.num_rows,
            "provisional": release.provisional,
            "recipients": list(release.recipients),
            "legal_basis": release.legal_basis,
            "lineage": dict(release.lineage),
            **({"structure": dict(release.structure)} if release.structure else {}),
        },
    }


def _described(column: ColumnInfo) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "type": column.type, "description": column.describe}
    if column.type == "datetime":
        field["format"] = "any"
    if column.unit:
        field["unit"] = column.unit
    codes = {"cell_status": STATUSES, "withheld_because": REASONS}.get(column.name)
    if codes:
        field["categories"] = [{"value": code, "label": told} for code, told in codes.items()]
    if column.name == "cell_status":
        field["constraints"] = {"required": True, "enum": list(STATUSES)}
    return field


NOTHING_TOLD = (
    "No number of it may be told: behind every row stand so few people or companies, or so unequal ones, that numbers "
    "would single them out. The rows say so, and nothing is missing by mistake."
)


def nothing_told(statuses: Iterable[str | None]) -> bool:
    """Whether a release has rows, and all of them are withheld."""
    return set(statuses) == {"withheld"}


def as_text(release: Release, rows: pa.Table) -> bytes:
    """The release in plain words, for whoever opens the folder."""
    provisional = " Provisional: more deliveries of this period are expected." if release.provisional else ""
    lines = [
        f"{release.name}, {release.period}",
        "",
        release.describe,
        f"Source: {release.partner_name}. Basis: {release.legal_basis}.",
        f"For: {', '.join(release.recipients)}.",
        f"{rows.num_rows} rows.{provisional}",
        *([NOTHING_TOLD] if nothing_told(rows.column("cell_status").to_pylist()) else []),
        "",
        "Columns",
        *(f"  {c.name} ({c.type}{', ' + c.unit if c.unit else ''}): {c.describe}" for c in release.columns),
        "",
        "cell_status says how to read a row",
        *(f"  {code}: {told}" for code, told in STATUSES.items()),
        "",
        "withheld_because says why numbers are kept back",
        *(f"  {code}: {told}" for code, told in REASONS.items()),
        "",
        "Files",
        "  data.parquet and data.csv hold the same rows. The CSV is UTF-8; in Excel open it by Data, From Text/CSV.",
        "  An empty number means that there is none: it is never a zero. Do not add up rows that hold the total _T.",
        "  datapackage.json describes the columns for programs, and says which delivery the rows come from.",
        *(
            ["  certificate.json says what is withheld, by which rules, and how closely it can be known at most."]
            if release.certificate
            else []
        ),
        "  SHA256SUMS lets you check that the files are whole: sha256sum -c SHA256SUMS",
        "  This folder never changes. A correction is another release; ../latest.json names the one that counts.",
    ]
    return ("\n".join(lines) + "\n").encode()


def as_json(content: Mapping[str, Any]) -> bytes:
    """Readable JSON, ended by a newline."""
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode()
