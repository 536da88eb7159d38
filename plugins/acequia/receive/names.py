"""File names and paths at a source: which are ours to take, which climb, which are uploads still under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from acequia.agreement.delivery import PathTemplate
from acequia.errors import AcequiaError
from acequia.period import Period

_UNFINISHED = (".part", ".partial", ".tmp", ".filepart", ".crdownload", "~")
_WILD = frozenset("*?[")
_SPECIAL = frozenset('/\\"<>|*?[]')
NAME_BYTES_AT_MOST = 150
ENCRYPTED = ".age"


def is_plain(name: str) -> bool:
    """Whether a file name is one that can be kept anywhere: no folder, no leading dot, printable, not too long.

    Names that begin with `_set_aside` are ours, in landing.
    """
    return (
        name.isprintable()
        and not _SPECIAL & set(name)
        and not name.startswith((".", "_set_aside"))
        and name == name.strip()
        and 0 < len(name.encode(errors="replace")) <= NAME_BYTES_AT_MOST
    )


def is_unfinished(name: str) -> bool:
    """Whether a name is one that upload programs give while they write. Such files are not looked at."""
    return name.startswith(".") or name.lower().endswith(_UNFINISHED)


def plain_name(name: str) -> str:
    """The name that an encrypted file has once it is opened."""
    return name.removesuffix(ENCRYPTED)


@dataclass(frozen=True)
class Pattern:
    """The path of a feed's files for one period, by segments; `*`, `?` and `[…]` match within a segment.

    `fixed` are the folders before the first wildcard, `varying` those from there on, `name` the file's own segment.
    """

    fixed: tuple[str, ...]
    varying: tuple[str, ...]
    name: str
    absolute: bool = False
    encrypted: bool = False

    @classmethod
    def of(cls, template: str, period: Period, *, encrypted: bool = False) -> Pattern:
        """Fill the template; with `encrypted`, files of these names followed by `.age` are taken as well.

        A path that climbs or ends in a folder is `path_escapes`.
        """
        filled = PathTemplate.fill(template, period)
        segments = [part for part in filled.split("/") if part not in ("", ".")]
        if not segments or filled.endswith("/") or ".." in segments or any(c in filled for c in "\\\0"):
            raise AcequiaError("path_escapes", "the source's path is not one of files inside its folder")
        *folders, name = segments
        wild = next((n for n, part in enumerate(folders) if _WILD & set(part)), len(folders))
        return cls(tuple(folders[:wild]), tuple(folders[wild:]), name, filled.startswith("/"), encrypted)

    @property
    def is_exact(self) -> bool:
        """Whether it names one file."""
        return not self.varying and not _WILD & set(self.name)

    def shorter(self) -> tuple[Pattern, ...]:
        """This pattern, then the same without its first folder, and so on down to the file's own segment."""
        folders = (*self.fixed, *self.varying)
        found = []
        for start in range(len(folders) + 1):
            left = max(len(self.fixed) - start, 0)
            rest = folders[start:]
            found.append(Pattern(rest[:left], rest[left:], self.name, encrypted=self.encrypted))
        return tuple(found)

    def takes(self, name: str) -> bool:
        """Whether a file name is of this feed: it matches, and its upload is finished."""
        known = fnmatchcase(name, self.name)
        return not is_unfinished(name) and (known or (self.encrypted and fnmatchcase(plain_name(name), self.name)))

    def kept_as(self, folder: str, name: str) -> str:
        """The name of a file in landing: with the folders that the pattern leaves open, since names repeat in them."""
        return "__".join((*folder.split("/")[len(self.fixed) :], name)) if self.varying else name


def matches_folder(segment: str, name: str) -> bool:
    """Whether a folder's name matches a segment of the pattern."""
    return not name.startswith(".") and fnmatchcase(name, segment)


def joined(segments: Sequence[str]) -> str:
    """A path out of segments."""
    return "/".join(segment for segment in segments if segment)
