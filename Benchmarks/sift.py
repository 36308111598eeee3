"""SIFT descriptors (Lowe 2004) of the photographs below a folder, as bytes. Queries come from pictures that are not in the base."""

import pathlib
import zlib

import cv2
import numpy

# Smaller pictures are icons and drawings.
SMALLEST_FILE = 50_000
# Each picture at these sizes: copies that a search should find, as photographs of one place would be.
SCALES = (1.0, 0.7, 0.45)
# No picture may dominate: descriptors at most, of a picture in the base and of one that queries are taken from.
PER_PICTURE, QUERIES_PER_PICTURE = 60_000, 1_500
# One picture in so many is for queries.
HELD_OUT = 12


def subject(path):
    """What a picture shows: wallpapers come in several sizes, below a folder of their own."""
    return str(path).split("/contents/")[0]


def pictures(folder):
    """The largest file of each subject, in an order that does not depend on the file system."""
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.suffix.lower() in (".jpg", ".jpeg", ".png") and path.is_file() and not path.is_symlink():
            largest = found.get(subject(path))
            if path.stat().st_size >= max(SMALLEST_FILE, largest.stat().st_size if largest else 0):
                found[subject(path)] = path
    return found


def describe(path, sift):
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        return numpy.empty((0, 128), numpy.uint8)
    parts = []
    for scale in SCALES:
        scaled = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
        found = sift.detectAndCompute(scaled, None)[1]
        if found is not None:
            parts.append(found.astype(numpy.uint8))
    return numpy.unique(numpy.concatenate(parts), axis=0) if parts else numpy.empty((0, 128), numpy.uint8)


def descriptors(folder, count, query_count):
    """`count` different descriptors for the base and `query_count` for queries, in an order that is the same in every run."""
    sift = cv2.SIFT_create(contrastThreshold=0.008, edgeThreshold=25)
    random = numpy.random.default_rng(2024)
    parts = {False: [], True: []}
    for name, path in pictures(folder).items():
        is_held_out = zlib.crc32(pathlib.Path(name).name.encode()) % HELD_OUT == 0
        found = describe(path, sift)
        limit = QUERIES_PER_PICTURE if is_held_out else PER_PICTURE
        parts[is_held_out].append(found[random.permutation(len(found))[:limit]])
        # Twice as many as needed leave a choice.
        if sum(map(len, parts[False])) >= 2 * count and sum(map(len, parts[True])) >= query_count:
            break
    base, queries = (numpy.unique(numpy.concatenate(parts[key]), axis=0) for key in (False, True))
    if len(base) < count or len(queries) < query_count:
        raise SystemExit(f"the pictures in {folder} have {len(base)} and {len(queries)} descriptors, not {count} and {query_count}")
    return base[random.permutation(len(base))[:count]], queries[random.permutation(len(queries))[:query_count]]
