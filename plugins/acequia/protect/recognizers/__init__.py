"""What finds personal data in a text: all of Presidio's own recognizers that need no model and no network, and ours.

A score orders findings that overlap; nothing is dropped for a low one. Presidio raises it where a context word stands
near the finding. Only the text tells what is personal here, so what looks like a number of a person is taken for one.
"""

from __future__ import annotations

from presidio_analyzer import EntityRecognizer

from acequia.protect.recognizers.addresses import addresses
from acequia.protect.recognizers.documents import documents
from acequia.protect.recognizers.people import PersonRecognizer
from acequia.protect.recognizers.phones import phones
from acequia.protect.recognizers.plates import plates
from acequia.protect.recognizers.stock import stock


def recognizers(language: str, country: str) -> list[EntityRecognizer]:
    """All recognizers for a language, always in the same order.

    Args:
        language: `en` or `es`: the language of the texts. Presidio's recognizers for other languages are active, too:
            a German number in an English text is a German number.
        country: ISO 3166-1 alpha-2 of the agreement, whose numbers weigh more than those of others.
    """
    return [
        *documents(language, country),
        *plates(language, country),
        *phones(language, country),
        *addresses(language),
        PersonRecognizer(language),
        *stock(language),
    ]


__all__ = ["recognizers"]
