"""The public certificate of a release: what was withheld, by which rules, and how closely it can be known at most.

Whoever holds the public files can work it out again (`acequia audit --certificate FOLDER`, or the program in
docs/disclosure.md). The parameters of rules of concentration are never in it. The office's own certificate of a release
(docs/risk.md) is another: it is signed, and speaks of what stands behind the cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from acequia.disclose.audit import NOT_SENSITIVE, Audited, smallest
from acequia.disclose.public import Told

VERSION = 1
RECOMPUTED = ("cells", "cells_withheld", "smallest_relative_interval", "rules", "findings")


def facts(audited: Audited, known: Sequence[Told], release: Told, *, method: str) -> dict[str, Any]:
    """What a certificate says besides the content's hash. The same public files give the same facts.

    Args:
        audited: what the auditor saw of the release with every earlier one that it is linked with.
        known: those releases.
        release: the release.
        method: by name, how the cells that are withheld besides were chosen.
    """
    reasons = Counter(reason for reason in release.because if reason is not None)
    primary = {reason: number for reason, number in sorted(reasons.items()) if reason not in NOT_SENSITIVE}
    return {
        "version": VERSION,
        "table": release.table,
        "period": str(release.period),
        "rules": list(release.rules),
        "method": method,
        "cells": len(release.keys),
        "cells_withheld": {"primary": primary, "secondary": reasons["secondary"]},
        "smallest_relative_interval": smallest(audited, release.id),
        "findings": sum(getattr(one, "release", "") == release.id for one in audited.findings),
        "considered": [
            {"release": one.id, "standing": one.current}
            for one in sorted(known, key=lambda each: each.id)
            if one.id != release.id
        ],
    }


def differs(said: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The names of what a certificate says otherwise than the public files do."""
    return [name for name in RECOMPUTED if said.get(name) != found.get(name)]
