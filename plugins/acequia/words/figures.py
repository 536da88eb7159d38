"""Numbers as people read them, in one way per language: `12,345.6` in English, `12.345,6` in Spanish."""

from __future__ import annotations

from string import Formatter
from typing import Any, Literal, get_args

Language = Literal["en", "es"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

# The marks between thousands and before decimals.
MARKS: dict[Language, tuple[str, str]] = {"en": (",", "."), "es": (".", ",")}


def figure(value: float, language: Language, form: str = ",") -> str:
    """A number in the language's marks; `form` is a format of Python's, such as `,.1f`, which has the English ones."""
    thousands, decimal = MARKS[language]
    return format(value, form).translate(str.maketrans(",.", thousands + decimal))


def percent(value: float, language: Language, form: str = ",.1f") -> str:
    """`12.5 %`; `value` is in hundredths."""
    return f"{figure(value, language, form)} %"


class Figures(Formatter):
    """`format` of texts where `{rows:,}` gives the number in the marks of a language."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        """A number with a format in the language's marks; all else as ever."""
        if format_spec and isinstance(value, (int, float)):
            return figure(value, self.language, format_spec)
        return str(format(value, format_spec))
