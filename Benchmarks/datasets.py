"""Data sets of real vectors: a folder each, with base.npy, queries.npy and truth.npy, made when first asked for.

Truth holds the exact nearest `TRUTH` rows of the base for each query, nearest first, and the smaller row first of two as near.
"""

import functools
import json
import pathlib
import subprocess

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCHMARKS = ROOT / "Benchmarks"
TRUTH = 100


class Dataset:
    """Vectors, queries and their true neighbours. `element` is how Kith stores the vectors, as kith-bench names it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        facts = json.loads((self.folder / "facts.json").read_text())
        self.name, self.metric, self.element = facts["name"], facts["metric"], facts["element"]
        self.base = numpy.load(self.folder / "base.npy")
        self.queries = numpy.load(self.folder / "queries.npy")
        self.truth = numpy.load(self.folder / "truth.npy")

    @staticmethod
    def save(folder, name, metric, element, base, queries):
        folder.mkdir(parents=True, exist_ok=True)
        numpy.save(folder / "base.npy", base)
        numpy.save(folder / "queries.npy", queries)
        numpy.save(folder / "truth.npy", exact_neighbours(base, queries, metric))
        # Last: without it the folder counts as not made.
        (folder / "facts.json").write_text(json.dumps({"name": name, "metric": metric, "element": element}))

    def flags(self):
        """What kith-bench wants to know."""
        files = [f"--{name}={self.folder / name}.npy" for name in ("base", "queries", "truth")]
        return [*files, f"--metric={self.metric}", f"--element={self.element}"]


def exact_neighbours(base, queries, metric, block=100_000):
    """Rows of the base by distance from each query. In float32 first, a block at a time; the best of that again in float64."""
    kept = min(TRUTH + 20, len(base))
    result = numpy.empty((len(queries), min(TRUTH, len(base))), numpy.int32)
    for first in range(0, len(queries), 1000):
        part = queries[first : first + 1000].astype(numpy.float32)
        rows, scores = [], []
        for start in range(0, len(base), block):
            vectors = base[start : start + block].astype(numpy.float32)
            score = part @ vectors.T
            if metric == "l2":
                score = 2 * score - numpy.einsum("ij,ij->i", vectors, vectors)
            best = numpy.argpartition(-score, min(kept, score.shape[1]) - 1, axis=1)[:, :kept]
            rows.append(best + start)
            scores.append(numpy.take_along_axis(score, best, 1))
        rows, scores = numpy.concatenate(rows, 1), numpy.concatenate(scores, 1)
        rows = numpy.take_along_axis(rows, numpy.argpartition(-scores, kept - 1, axis=1)[:, :kept], 1)
        vectors, part = base[rows].astype(numpy.float64), part.astype(numpy.float64)[:, None]
        distance = ((vectors - part) ** 2).sum(2) if metric == "l2" else -(vectors * part).sum(2)
        order = numpy.lexsort((rows, distance), axis=1)[:, : result.shape[1]]
        result[first : first + 1000] = numpy.take_along_axis(rows, order, 1)
    return result


def dictionary(folder, count):
    """Sentence embeddings of English words, 384 dimensions, cosine: what Examples/ has. The last tenth are the queries."""
    vectors = numpy.load(ROOT / "Examples/dictionary/embeddings_f16.npy").astype(numpy.float32)[:count]
    vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
    split = len(vectors) * 9 // 10
    Dataset.save(folder, "dictionary-384-cosine", "cosine", "f32", vectors[:split], vectors[split:])


def photographs(folder):
    pictures = folder.parent / "pictures"
    subprocess.run([BENCHMARKS / "fetch-pictures.sh", pictures], check=True)
    return pictures


def sift(folder, count):
    """SIFT descriptors of photographs that Debian ships: 128 dimensions of whole numbers up to 255, L2."""
    import pictures  # OpenCV is needed for pictures only.
    from sift import Descriptors

    base, queries = pictures.vectors(photographs(folder), Descriptors(), count, min(10_000, count // 10))
    Dataset.save(folder, "sift-128-l2", "l2", "u8", base, queries)


def patches(folder, count, element="u8"):
    """Patches of the same photographs, as small images: 784 dimensions of whole numbers up to 255, L2."""
    import pictures
    from patches import patches as describe

    base, queries = pictures.vectors(photographs(folder), describe, count, min(10_000, count // 10))
    if element == "f32":
        base, queries = base.astype(numpy.float32), queries.astype(numpy.float32)
    Dataset.save(folder, f"patches-784-l2-{element}", "l2", element, base, queries)


def sentences(folder, count):
    """Sentence embeddings of WordNet's words, definitions and examples, which Debian ships: 384 dimensions, cosine."""
    source = folder.parent / "wordnet"
    queries = min(10_000, count // 10)
    subprocess.run([BENCHMARKS / "fetch-sentences.sh", source], check=True)
    subprocess.run([BENCHMARKS / "environment.sh", "sentences"], check=True)
    python = ROOT / ".build/benchmarks/sentences/bin/python"
    subprocess.run([python, BENCHMARKS / "sentences.py", source, str(count + queries)], check=True)
    parts = sorted(source.glob("vectors-*.npy"), key=lambda part: int(part.stem.partition("-")[2]))
    vectors = numpy.concatenate([numpy.load(part) for part in parts])
    Dataset.save(folder, "sentences-384-cosine", "cosine", "f32", vectors[:count], vectors[count : count + queries])


def synthetic(folder, count):
    """A few made-up vectors with clusters, for tests of these scripts: figures over them mean nothing."""
    random = numpy.random.default_rng(1)
    centres = random.normal(size=(16, 24))
    vectors = (centres[random.integers(0, 16, count + 50)] + 0.5 * random.normal(size=(count + 50, 24))).astype(numpy.float32)
    Dataset.save(folder, "synthetic-24-l2", "l2", "f32", vectors[:count], vectors[count:])


MAKERS = {
    "dictionary": (dictionary, 5_000),
    "sentences": (sentences, 300_000),
    "sift": (sift, 1_000_000),
    "patches": (patches, 300_000),
    "patches-f32": (functools.partial(patches, element="f32"), 300_000),
    "synthetic": (synthetic, 2_000),
}


def load(text, data):
    """The set called NAME, or NAME:COUNT for fewer vectors; or a folder of your own with facts.json. Made in `data` where missing."""
    name, _, count = text.partition(":")
    if name not in MAKERS:
        return Dataset(text)
    make, standard = MAKERS[name]
    count = int(count or standard)
    folder = data / f"{name}-{count}"
    if not (folder / "facts.json").exists():
        print(f"making {folder}", flush=True)
        make(folder, count)
    return Dataset(folder)
