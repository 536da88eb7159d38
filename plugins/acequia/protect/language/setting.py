"""The words of ACEQUIA_NLP: `own`, `words`, `spacy`, `spacy:<model>`, `spacy:en=<model>,es=<model>`,
`transformers:<model>`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from acequia.errors import AcequiaError

SETTING = "ACEQUIA_NLP"
SPACY = {"en": "en_core_web_lg", "es": "es_core_news_md"}
"""spaCy's own models that `spacy` alone means."""
_UNDER_TRANSFORMERS = {"en": "en_core_web_sm", "es": "es_core_news_sm"}

Kind = Literal["own", "words", "spacy", "transformers"]


class _Models(dict[str, str]):
    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self.items())))


@dataclass(frozen=True)
class Chosen:
    """An engine: its kind, the spaCy model of each language, and the transformer's name where it is one."""

    kind: Kind
    models: _Models
    transformers: str = ""

    def named(self, language: str) -> str:
        """The model's name for messages and for what was measured with it."""
        if self.kind in ("own", "words"):
            return self.kind
        return self.transformers or self.models[language]

    def key(self, language: str) -> str:
        """Under what its measured recall is kept."""
        if self.kind in ("own", "words"):
            return self.kind
        return f"{self.kind}:{self.named(language)}"


@cache
def read_setting(text: str) -> Chosen:
    """Read the setting; nothing means `own`.

    Raises:
        AcequiaError: `usage`, where it is none of these.
    """
    kind, _, rest = text.strip().partition(":")
    kind, rest = kind.strip() or "own", rest.strip()
    if kind in ("own", "words") and not rest:
        return Chosen(kind, _Models())  # type: ignore[arg-type]
    if kind == "spacy":
        return Chosen("spacy", _by_language(rest))
    if kind == "transformers" and rest:
        return Chosen("transformers", _Models(_UNDER_TRANSFORMERS), rest)
    raise AcequiaError(
        "usage",
        f"{SETTING} is none of own, words, spacy, spacy:<model>, spacy:en=<model>,es=<model>, transformers:<model>",
    )


def _by_language(rest: str) -> _Models:
    """`en=…,es=…`, or one name, which is for the language that it begins with (`es_core_news_md`), or for both."""
    models = dict(SPACY)
    for part in filter(None, map(str.strip, rest.split(","))):
        language, equals, name = part.partition("=")
        if equals:
            models[language.strip()] = name.strip()
        elif part[:3] in ("en_", "es_"):
            models[part[:2]] = part
        else:
            models = dict.fromkeys(models, part)
    return _Models(models)
