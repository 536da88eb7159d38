"""Our own OpenLineage facets; their JSON schemas lie in `schemas/`. Imports the OpenLineage client: import late."""

from __future__ import annotations

import attr
from openlineage.client.generated.base import DatasetFacet, RunFacet

_SCHEMAS = "urn:acequia:lineage:1-0-0"


@attr.define
class AgreementRunFacet(RunFacet):
    """The agreement under which a run worked, by version and by the SHA-256 of its text."""

    partner: str
    version: str
    sha256: str
    legalBasis: str  # noqa: N815 - OpenLineage spells names so
    purposes: list[str]
    signedOn: str  # noqa: N815
    expiresOn: str  # noqa: N815

    @staticmethod
    def _get_schema() -> str:
        return f"{_SCHEMAS}:AgreementRunFacet#/$defs/AgreementRunFacet"


@attr.define
class DeliveryRunFacet(RunFacet):
    """What a run was about: a step of one delivery, or a table made of several."""

    step: str
    delivery: str
    deliveries: list[str]
    partner: str
    feed: str
    period: str
    contentSha256: str | None = None  # noqa: N815
    madeBy: str | None = None  # noqa: N815
    rowsIn: int | None = None  # noqa: N815
    rowsOut: int | None = None  # noqa: N815
    setAside: dict[str, int] | None = None  # noqa: N815

    @staticmethod
    def _get_schema() -> str:
        return f"{_SCHEMAS}:DeliveryRunFacet#/$defs/DeliveryRunFacet"


@attr.define
class DisclosureDatasetFacet(DatasetFacet):
    """What disclosure control did to a table: cells, those withheld by reason, and the rules' names."""

    cells: int
    withheld: dict[str, int]
    provisional: bool
    rules: list[str]

    @staticmethod
    def _get_schema() -> str:
        return f"{_SCHEMAS}:DisclosureDatasetFacet#/$defs/DisclosureDatasetFacet"
