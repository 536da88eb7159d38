"""What datasets, jobs and runs are called in lineage: the same names for the same things, on every machine."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from acequia.agreement.load import Signed
from acequia.agreement.model import Feed
from acequia.flow import DeliveryId, Protected

NAMESPACE = "acequia"
_RUNS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:acequia:run")


@dataclass(frozen=True)
class Name:
    """A dataset's namespace and name."""

    namespace: str
    name: str

    def __str__(self) -> str:
        """As the tables beside the ledger hold it."""
        return f"{self.namespace}|{self.name}"


def source(partner: str, feed: Feed) -> Name:
    """Where the partner puts its extracts: by the connection's name and the agreed path, never an address."""
    found = feed.delivery.source
    connection = getattr(found, "connection", None) or partner
    bucket = getattr(found, "bucket", "")
    path = getattr(found, "path", "query")
    return Name(f"{found.type}://{connection}", f"{bucket}/{path}" if bucket else path)


def landing(partner: str, feed_name: str) -> Name:
    """The raw bytes of a feed."""
    return Name(NAMESPACE, f"landing/{partner}/{feed_name}")


def workspace(partner: str, feed_name: str) -> Name:
    """The protected rows of a feed."""
    return Name(NAMESPACE, f"workspace/{partner}/{feed_name}")


def table(partner: str, name: str) -> Name:
    """A curated table, as in the lake."""
    return Name(NAMESPACE, f"{partner}.{name}")


def protected_version(protected: Protected) -> str:
    """The version of protected rows: the delivery, read under one wording of the feed."""
    return f"{protected.delivery}/{protected.made_by[:16]}"


def run_id(step: str, *what: object) -> str:
    """The id of a run: the same step on the same thing is the same run, however often it is repeated."""
    return str(uuid.uuid5(_RUNS, "\n".join([step, *(str(part) for part in what)])))


def delivery_run(signed: Signed, delivery: DeliveryId) -> str:
    """The run that is the parent of all steps of a delivery under one text of the agreement."""
    return run_id("deliver", delivery, signed.sha256)
