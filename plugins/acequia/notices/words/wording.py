"""What a language has to say: for each kind a subject, a subject for many, what happened, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from acequia.notices.notice import Kind
from acequia.words.figures import Language as Marks


@dataclass(frozen=True)
class Wording:
    """The templates of one kind. Blanks are facts of the kind (`$due_at`), as `facts.shown` writes them.

    `many` is the subject of a message that lists several; its blanks are `$count` and the facts that all share.
    """

    subject: str
    many: str
    says: str
    do: str

    def blanks(self) -> dict[str, set[str]]:
        """The blanks of each template."""
        return {
            name: set(Template(getattr(self, name)).get_identifiers()) for name in ("subject", "many", "says", "do")
        }


@dataclass(frozen=True)
class Language:
    """All the words of one language.

    `labels` stand before the parts of a message, `parts` are pieces of sentences, `people` name roles, `doing` says
    what to do about a code where the ledger's own words are in another language.
    """

    code: Marks
    kinds: Mapping[Kind, Wording]
    labels: Mapping[str, str]
    parts: Mapping[str, str]
    people: Mapping[str, str]
    doing: Mapping[str, str]
