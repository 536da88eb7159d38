"""What reads a text's language: which engine cuts it into words and finds names and places, by the setting ACEQUIA_NLP.

Four kinds: `own`, the small model that this project trained (the default); `words`, no model; `spacy[:<models>]` and
`transformers:<model>`, what others trained and whoever runs this has installed. Nothing is ever downloaded.
"""

from acequia.protect.language.engines import chosen, engine, recognizer
from acequia.protect.language.measured import identity, recall, too_low

__all__ = ["chosen", "engine", "identity", "recall", "recognizer", "too_low"]
