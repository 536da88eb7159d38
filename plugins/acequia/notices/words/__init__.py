"""The words of notices, by language."""

from acequia.notices.words import english, spanish
from acequia.notices.words.wording import Language, Wording

LANGUAGES: dict[str, Language] = {"en": english.LANGUAGE, "es": spanish.LANGUAGE}

__all__ = ["LANGUAGES", "Language", "Wording"]
