"""How a try ended that did not succeed."""

from __future__ import annotations

from typing import Literal


class UnsentError(Exception):
    """A message did not go out: `what` in our own words.

    `scope`: "address" where it is about this address or message alone, "server" where the next one to the same server
    would fare no better. `unknown`: it may have been taken after all.
    """

    def __init__(
        self,
        what: str,
        *,
        scope: Literal["address", "server"] = "address",
        unknown: bool = False,
    ) -> None:
        super().__init__(what)
        self.what, self.scope, self.unknown = what, scope, unknown
