"""The pipeline: words by plain rules, small hashed embeddings, one convolution, spaCy's transition parser.

Nothing of the vocabulary is kept: words are hashed on the way in, so the model holds no list of names.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acequia.training.sentences import Labelled

if TYPE_CHECKING:
    from spacy.language import Language

LABELS = {"name": "PERSON", "place": "LOCATION"}
WIDTH, DEPTH, WINDOW, ROWS, HIDDEN = 48, 1, 3, (4000, 400, 2000, 400), 32
ATTRIBUTES = ("NORM", "PREFIX", "SUFFIX", "SHAPE")
_BATCH = 96
_RATE = 0.003

Told = Callable[[str], None]


def empty() -> Language:
    """The pipeline before it has learned anything, for both languages."""
    import spacy

    nlp = spacy.blank("xx")
    _cut_at_signs(nlp)
    nlp.add_pipe("ner", config={"model": _architecture(), "incorrect_spans_key": None})
    return nlp


def train(texts: Iterable[Labelled], many: int, seed: int, told: Told) -> Language:
    """Learn from `many` texts, each seen once; the learning rate falls to nothing over them."""
    from thinc.api import Adam, fix_random_seed

    fix_random_seed(seed)
    nlp, source = empty(), iter(texts)
    first = _examples(nlp, itertools.islice(source, 500))
    nlp.initialize(lambda: first)
    steps = max(1, many // _BATCH)
    optimizer = Adam(learn_rate=_RATE, L2=0.01, grad_clip=1.0)
    losses: dict[str, float] = {}
    for step in range(steps):
        batch = _examples(nlp, itertools.islice(source, _BATCH))
        optimizer.learn_rate = _RATE * min(1.0, 2.0 * (1.0 - step / steps), (step + 1) / 30)
        nlp.update(batch, drop=0.1, sgd=optimizer, losses=losses)
        if step % max(1, steps // 20) == 0:
            told(f"  {100 * step // steps:3} %  loss {losses.get('ner', 0.0):10.0f}")
            losses = {}
    with nlp.use_params(optimizer.averages):
        return _copied(nlp)


def save(nlp: Language, folder: Path) -> int:
    """Write the pipeline without its vocabulary; return its size in bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    nlp.to_disk(folder, exclude=["vocab"])
    meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    meta |= {"name": "acequia_names", "version": "1", "spacy_version": ">=3.8,<3.9"}
    wanted = ("lang", "name", "version", "spacy_version", "pipeline", "labels", "components", "disabled")
    (folder / "meta.json").write_text(
        json.dumps({key: meta[key] for key in wanted if key in meta}, indent=1) + "\n", encoding="utf-8"
    )
    return size(folder)


def size(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def found(nlp: Language, texts: Sequence[str]) -> Iterator[frozenset[tuple[int, int, str]]]:
    """What the pipeline finds in each text: start, end, label."""
    for doc in nlp.pipe(texts, batch_size=512):
        yield frozenset((span.start_char, span.end_char, span.label_) for span in doc.ents)


def _cut_at_signs(nlp: Language) -> None:
    """Words are letters and digits; every other sign stands alone, `_` too ("first_name")."""
    from spacy.tokenizer import Tokenizer  # type: ignore[import-not-found]

    sign = re.compile(r"[^\w\s]|_")
    nlp.tokenizer = Tokenizer(
        nlp.vocab,
        prefix_search=re.compile(r"^(?:[^\w\s]|_)").search,
        suffix_search=re.compile(r"(?:[^\w\s]|_)$").search,
        infix_finditer=sign.finditer,
    )


def _architecture() -> dict[str, Any]:
    return {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": HIDDEN,
        "maxout_pieces": 2,
        "use_upper": True,
        "nO": None,
        "tok2vec": {
            "@architectures": "spacy.Tok2Vec.v2",
            "embed": {
                "@architectures": "spacy.MultiHashEmbed.v2",
                "width": WIDTH,
                "attrs": list(ATTRIBUTES),
                "rows": list(ROWS),
                "include_static_vectors": False,
            },
            "encode": {
                "@architectures": "spacy.MaxoutWindowEncoder.v2",
                "width": WIDTH,
                "depth": DEPTH,
                "window_size": WINDOW,
                "maxout_pieces": 2,
            },
        },
    }


def _examples(nlp: Language, texts: Iterable[Labelled]) -> list[Any]:
    from spacy.training import Example

    return [Example.from_dict(nlp.make_doc(text.text), {"entities": _entities(text)}) for text in texts]


def _entities(text: Labelled) -> list[tuple[int, int, str]]:
    return [(start, end, LABELS[kind]) for start, end, kind in text.spans if kind in LABELS]


def _copied(nlp: Language) -> Language:
    """The same weights in a pipeline that has seen no word."""
    import spacy

    bare = spacy.blank("xx")
    bare.add_pipe("ner", config={"model": _architecture(), "incorrect_spans_key": None})
    bare.from_bytes(nlp.to_bytes(exclude=["vocab"]), exclude=["vocab"])
    return bare
