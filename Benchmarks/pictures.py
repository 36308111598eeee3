"""Vectors taken from the photographs below a folder, the same in every run. Those of queries come from pictures that are not in the base."""

import pathlib
import zlib

import cv2
import numpy

# Smaller pictures are icons and drawings.
SMALLEST_FILE = 50_000
# No picture may dominate: vectors at most, of a picture in the base and of one that queries are taken from.
PER_PICTURE, QUERIES_PER_PICTURE = 60_000, 1_500
# One picture in so many is for queries.
HELD_OUT = 12


def subject(path):
    """What a picture shows: wallpapers come in several sizes, below a folder of their own."""
    return str(path).split("/contents/")[0]


def files(folder):
    """The largest file of each subject, in an order that does not depend on the file system."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.suffix.lower() in (".jpg", ".jpeg", ".png") and path.is_file() and not path.is_symlink():
            largest = found.get(subject(path))
            if path.stat().st_size >= max(SMALLEST_FILE, largest.stat().st_size if largest else 0):
                found[subject(path)] = path
    return found


def scaled(picture, scale):
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture


def vectors(folder, describe, count, query_count):
    """`count` different rows for the base and `query_count` for queries, of those that `describe` makes of a grey picture."""
    random = numpy.random.default_rng(2024)
    parts = {False: [], True: []}
    for name, path in files(folder).items():
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            continue
        is_held_out = zlib.crc32(pathlib.Path(name).name.encode()) % HELD_OUT == 0
        found = numpy.unique(describe(picture), axis=0)
        limit = QUERIES_PER_PICTURE if is_held_out else PER_PICTURE
        parts[is_held_out].append(found[random.permutation(len(found))[:limit]])
        # Twice as many as needed leave a choice.
        if sum(map(len, parts[False])) >= 2 * count and sum(map(len, parts[True])) >= query_count:
            break
    base, queries = (numpy.unique(numpy.concatenate(parts[key]), axis=0) for key in (False, True))
    if len(base) < count or len(queries) < query_count:
        raise SystemExit(f"the pictures in {folder} have {len(base)} and {len(queries)} vectors, not {count} and {query_count}")
    return base[random.permutation(len(base))[:count]], queries[random.permutation(len(queries))[:query_count]]
