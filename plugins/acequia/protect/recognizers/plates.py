"""Number plates of the countries served."""

from __future__ import annotations

from functools import partial

from acequia.protect.recognizers.numbers import NumberRecognizer, weight

PLATE_WORDS = ("plate", "plates", "registration", "reg", "vehicle", "car", "truck", "taxi", "combi", "matrícula",
               "matricula", "patente", "chapa", "vehículo", "vehiculo", "auto", "coche", "camión", "camion",
               "moto")  # fmt: skip
_START, _END = r"(?<![^\W_])", r"(?![^\W_])"
_BOTSWANA = (
    rf"{_START}B[ \-]?\d{{3}}[ \-]?[A-Z]{{3}}{_END}",
    rf"{_START}(?:BX|CD|CC|BDF)[ \-]?\d{{2,4}}[ \-]?[A-Z]{{0,3}}{_END}",  # government, diplomats, the defence force
)
_URUGUAY = (
    rf"{_START}[A-S][A-Z]{{2}}[\-]?\d{{4}}{_END}",
    rf"{_START}(?-i:[A-S][A-Z]{{2}}) \d{{4}}{_END}",  # "con 1500" is no plate
    rf"{_START}(?-i:[A-S][A-Z]{{2}})[ \-]?\d{{3}}{_END}",  # motorcycles, and cars until 2001
)


def plates(language: str, country: str) -> list[NumberRecognizer]:
    """One recognizer per country."""
    plate = partial(NumberRecognizer, context=PLATE_WORDS, language=language)
    return [
        plate("BotswanaPlate", "BW_PLATE", _BOTSWANA, score=weight("BW", country)),
        plate("UruguayPlate", "UY_PLATE", _URUGUAY, score=weight("UY", country) - 0.1),
    ]
