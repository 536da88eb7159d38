"""Published tables with the cells that tau-ARGUS withholds, as problems. Numbers only; the source stands at each.

Every number of a table is one cell; what must stay unknown of an unsafe cell is what the source says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from acequia.disclose.layers import Layer, Need, Problem

Key = tuple[str, ...]


@dataclass(frozen=True)
class Benchmark:
    """A table, its unsafe cells, and how many cells tau-ARGUS withholds besides."""

    name: str
    cells: dict[Key, float]
    equations: list[tuple[Key, tuple[Key, ...]]]
    unsafe: dict[Key, tuple[float, float]]
    withheld_besides: int
    pattern: frozenset[Key]

    def problem(self) -> Problem:
        """The table as a problem in which every cell costs the same."""
        at = {key: number for number, key in enumerate(self.cells)}
        entries = [
            (row, at[key], 1.0 if key == total else -1.0)
            for row, (total, parts) in enumerate(self.equations)
            for key in (total, *parts)
        ]
        rows, columns, values = zip(*entries, strict=True)
        count = len(at)
        value = np.array(list(self.cells.values()))
        needs = tuple(
            Need(at[key], up=up, down=min(down, value[at[key]])) for key, (down, up) in sorted(self.unsafe.items())
        )
        layer = Layer(
            name=self.name,
            equations=csr_array((values, (rows, columns)), shape=(len(self.equations), count)),
            value=value,
            lower=np.zeros(count),
            upper=np.full(count, np.inf),
            cell=np.arange(count),
            slack=np.zeros(count),
            integer=False,
            needs=needs,
            sole=np.full(count, -1),
        )
        withheld = np.array([key in self.unsafe for key in at])
        return Problem([layer], withheld, withheld.copy(), np.ones(count))

    def theirs(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """What tau-ARGUS withholds, unsafe cells included."""
        return np.array([key in self.unsafe or key in self.pattern for key in self.cells])


def crossed(
    leaves: Mapping[Key, float], trees: Sequence[Mapping[str, Sequence[str]]]
) -> tuple[dict[Key, float], list[tuple[Key, tuple[Key, ...]]]]:
    """All margins of leaves under a hierarchy for each dimension, and every equation between them.

    Cells that no leaf stands behind are left out: they are empty, and everybody knows.
    """
    cells: dict[Key, float] = {}
    above = [_ancestors(tree) for tree in trees]
    for key, value in leaves.items():
        for over in _products([above[place].get(code, (code,)) for place, code in enumerate(key)]):
            cells[over] = cells.get(over, 0.0) + value
    equations = []
    for key in cells:
        for place, tree in enumerate(trees):
            parts = tuple((*key[:place], part, *key[place + 1 :]) for part in tree.get(key[place], ()))
            there = tuple(part for part in parts if part in cells)
            if there:
                equations.append((key, there))
    return cells, equations


def _ancestors(tree: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    parent = {part: whole for whole, parts in tree.items() for part in parts}
    found: dict[str, tuple[str, ...]] = {}
    for code in parent:
        path = [code]
        while path[-1] in parent:
            path.append(parent[path[-1]])
        found[code] = tuple(path)
    return found


def _products(choices: Sequence[Sequence[str]]) -> list[Key]:
    keys: list[Key] = [()]
    for choice in choices:
        keys = [(*key, code) for key in keys for code in choice]
    return keys


SIZES = {"Total": ("tr1", "tr2", "tr3")}

INSEE_ACTIVITIES: dict[str, tuple[str, ...]] = {
    "Total": ("AZ", "BE", "FZ", "GI", "JZ", "KZ", "LZ", "MN", "OQ", "RU"),
    "AZ": ("A",),
    "BE": ("B", "C", "D", "E"),
    "FZ": ("F",),
    "GI": ("G", "H", "I"),
    "JZ": ("J",),
    "KZ": ("K",),
    "LZ": ("L",),
    "MN": ("M", "N"),
    "OQ": ("O", "P", "Q"),
    "RU": ("R", "S"),
    "A": ("01", "02"),
    "B": ("06", "07", "08", "09"),
    "C": tuple(f"{code}" for code in range(10, 34)),
    "D": ("35",),
    "E": ("36", "37", "38", "39"),
    "F": ("41", "42", "43"),
    "G": ("45", "46", "47"),
    "H": ("49", "50", "51", "52", "53"),
    "I": ("55", "56"),
    "J": ("58", "59", "60", "61", "62", "63"),
    "K": ("64", "65", "66"),
    "L": ("68",),
    "M": ("69", "70", "71", "72", "73", "74", "75"),
    "N": ("77", "78", "79", "80", "81", "82"),
    "O": ("84",),
    "P": ("85",),
    "Q": ("86", "87", "88"),
    "R": ("90", "91", "92", "93"),
    "S": ("94", "95", "96"),
}

INSEE_LEAVES = """
01 852.7803 - -
02 35503.2092 8119.5078 -
06 990200.7504 - -
07 1421.4952 - -
08 59986.3239 88059.9397 -
09 51.5 32242.191 -
10 378439.9914 1048003.0022 3246533.2016
11 249226.6771 241123.9769 300386.5508
12 72.7872 - -
13 40337.8167 109765.8003 138700.4839
14 25383.9674 76102.9352 -
15 1989.9144 108666.9526 8740.5196
16 34507.7188 269489.0157 163983.3067
17 15314.7445 217742.13 999742.8181
18 60646.3558 122646.7951 -
19 4869.1068 15526.636 -
20 346461.5217 309006.086 680375.377
21 1938.6133 42792.4069 1684770.0032
22 29686.3014 412506.9517 364583.0319
23 86536.2316 284467.1546 1241901.7451
24 9389.3037 145854.4643 879589.406
25 195874.3211 921642.4332 290995.161
26 6971.9554 244609.2945 21637.3398
27 6566.9719 146741.4826 284523.0307
28 18719.4459 459791.6169 491204.5688
29 7070.5001 212373.499 209484.6377
30 9243.8137 62011.7353 6646.1853
31 13230.2042 51880.3031 83344.76
32 83497.0285 111749.6567 152785.4775
33 87482.4294 251871.5613 123052.6433
35 839133.4806 1422913.9161 176406.346
36 760514.8863 163431.6928 352126.7883
37 237757.0762 12128.5935 -
38 76144.6548 266313.6365 383742.5149
39 9356.0254 2877.2278 -
41 2655949.8242 309595.1193 142737.3272
42 273032.0122 679835.0743 1155574.9535
43 1623564.1484 1227247.0533 839775.6939
45 982380.0365 690775.6025 760590.0964
46 4039693.1312 4519877.7547 1693973.998
47 2947357.9977 1676597.2878 933063.5759
49 479858.9816 603138.6837 443095.589
50 704328.3986 129766.6542 -
51 6250.4124 2768.461 48428.1384
52 221341.1768 425991.3277 3185448.4281
53 1333.2578 21584.2876 -
55 550309.3183 189240.3165 -
56 1100165.4819 518188.8505 86515.3419
58 100078.7598 288279.2369 684789.338
59 156439.448 618958.3703 -
60 140960.0514 255999.6792 22117.1879
61 127337.9564 368920.4324 3957363.9215
62 334353.9059 399209.2379 476956.2622
63 97227.2157 57668.0691 498258.1732
64 50121870.5698 3202098.4828 -
65 0 - -
66 7680974.3186 896259.2132 655393.6935
68 7447540.0287 3210150.5773 2631124.5534
69 536045.498 196177.4848 17511.3424
70 4070778.4854 4267002.3384 364731.3777
71 1019521.4672 1224362.2919 1004590.5105
72 152210.9057 99830.6831 202025.9026
73 107261.3331 2317575.0796 2938.7928
74 558013.8716 491793.4616 -
75 34834.5312 7467.6032 -
77 3609814.9998 680625.4936 544763.03
78 244920.8961 3837461.5498 3595.9857
79 52913.8202 93475.3957 -
80 23302.6499 19185.6633 199.2
81 253748.6202 128425.6879 47857.5134
82 1144355.4495 361676.388 457810.5296
84 536902.1832 141660.2629 -
85 271879.1116 76035.221 3613210.8006
86 363065.3457 343848.1908 109175.6124
87 9749.5601 74616.7608 1542066.7342
88 21354.9123 20036.9105 513.2281
90 297145.2389 104234.1532 -
91 8322.3443 64644.8352 -
92 2481.7341 10689.4944 -
93 194633.6488 201506.4588 -
94 8928.0471 76516.6528 -
95 157675.4105 3504.8261 564624.0764
96 522066.4187 88625.1962 -
"""

INSEE_UNSAFE = {
    "Total": "P 06 07 09 12 19 61 65 78 85 87",
    "tr1": "B 06 07 09 12 19 20 21 39 60 65",
    "tr2": "09 19 37 50 51 60 61 73 74 78 92 94",
    "tr3": "KZ RU D K P Q S 11 13 15 16 17 23 24 25 26 27 30 31 32 33 35 36 41 42 45 51 52 58 60 61 63 66 69 72 73 "
    "77 78 80 85 87 88 95",
}

INSEE_BESIDES = {
    "Total": "08 30 63 66 72 73 82 Q",
    "tr1": "13 15 16 25 26 31 32 33 D 35 37 49 50 51 52 58 66 73 74 87 88 91 92 94 95",
    "tr2": "B 08 11 17 20 21 23 24 27 E 36 39 41 42 45 47 52 KZ K 66 69 77 80 RU 91 S 95",
    "tr3": "E 47 49 82",
}


def insee() -> Benchmark:
    """Turnover of companies by activity (three levels) and size: 414 cells, 77 unsafe, 10 % up and down.

    Source: InseeFrLab/rtauargus, vignettes/tauargus_files/ex2 (table, protection levels, output), where tau-ARGUS 4.2
    ran its optimal method and withheld 64 cells besides.
    """
    lines = [line.split() for line in INSEE_LEAVES.split("\n") if line]
    leaves = {
        (code, size): float(value)
        for code, *values in lines
        for size, value in zip(SIZES["Total"], values, strict=True)
        if value != "-"
    }
    cells, equations = crossed(leaves, [INSEE_ACTIVITIES, SIZES])
    unsafe = {(code, size): cells[code, size] / 10 for size, codes in INSEE_UNSAFE.items() for code in codes.split()}
    besides = frozenset((code, size) for size, codes in INSEE_BESIDES.items() for code in codes.split())
    levels = {key: (level, level) for key, level in unsafe.items()}
    return Benchmark("insee", cells, equations, levels, 64, besides)


def activity_by_size() -> Benchmark:
    """Three activities by two sizes: 12 cells, 2 unsafe (few contributors: 10 %; one dominates: 85 %).

    Source: InseeFrLab/rtauargus, article "tau-Argus from R", minimal example: the modular method withholds 2 besides.
    """
    leaves = {("01", "tr1"): 100.0, ("01", "tr2"): 50.0, ("02", "tr1"): 30.0, ("02", "tr2"): 20.0}
    leaves |= {("06", "tr1"): 60.0, ("06", "tr2"): 40.0}
    cells, equations = crossed(leaves, [{"Total": ("01", "02", "06")}, {"Total": ("tr1", "tr2")}])
    dominated = 100 / 85 * 38 - 40
    unsafe = {("02", "tr1"): (3.0, 3.0), ("06", "tr2"): (dominated, dominated)}
    return Benchmark("activity_by_size", cells, equations, unsafe, 2, frozenset({("02", "tr2"), ("06", "tr1")}))


def region_by_gender() -> Benchmark:
    """Four regions by gender: 15 cells, one unsafe, which must not be known to within 1.

    Source: sdcTools/checkTauArgus, inst/tests/Batch/ex1: the test expects 3 cells withheld besides.
    """
    men, women = (895.0, 753.0, 569.0, 540.0), (137.0, 973.0, 486.0, 793.0)
    leaves = {(code, "male"): value for code, value in zip("ABCD", men, strict=True)}
    leaves |= {(code, "female"): value for code, value in zip("ABCD", women, strict=True)}
    cells, equations = crossed(leaves, [{"Total": tuple("ABCD")}, {"Total": ("male", "female")}])
    besides = frozenset({("A", "male"), ("C", "male"), ("C", "female")})
    return Benchmark("region_by_gender", cells, equations, {("A", "female"): (1.0, 1.0)}, 3, besides)


BENCHMARKS = (insee, activity_by_size, region_by_gender)
