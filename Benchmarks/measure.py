"""Measuring one peer as kith-bench measures Kith: the least effort that reaches a recall, then the best of three passes."""

import time

import numpy

COUNT = 10  # neighbours wanted
PASSES = 3
MOST_EFFORT = 4096
LATENCIES = 2000  # single queries timed


def resident_bytes():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS"))


class Truth:
    """Answers no farther than the true last neighbour are right, whichever of equals they are."""

    def __init__(self, dataset):
        self.dataset = dataset
        last = dataset.truth[:, COUNT - 1]
        self.radii = self.distances(last[:, None])[:, 0]

    def distances(self, rows):
        vectors = self.dataset.base[numpy.clip(rows, 0, len(self.dataset.base) - 1)].astype(numpy.float32)
        queries = self.dataset.queries[: len(rows)].astype(numpy.float32)[:, None]
        if self.dataset.metric == "l2":
            return ((vectors - queries) ** 2).sum(2)
        products = (vectors * queries).sum(2)
        if self.dataset.metric == "dot":
            return -products
        return -products / numpy.maximum(numpy.linalg.norm(vectors, axis=2) * numpy.linalg.norm(queries, axis=2), 1e-30)

    def recall(self, rows):
        rows = rows.astype(numpy.int64)
        # Rounding differs by how a sum is made.
        radii = self.radii + 1e-6 * numpy.abs(self.radii)
        return float((self.distances(rows) <= radii[:, None]).sum() / rows.size)


def least_effort(recall, target):
    """To some three percent, as kith-bench does it."""
    low, high = 0, 1
    reached = recall(high)
    while reached < target and high < MOST_EFFORT:
        low, high = high, high * 2
        reached = recall(high)
    while high - low > max(1, high // 32):
        middle = (low + high) // 2
        value = recall(middle)
        if value >= target:
            high, reached = middle, value
        else:
            low = middle
    return high, reached


def best_rate(search, count, seconds):
    """Queries a second. `search` takes how many of the queries to ask."""
    began = time.perf_counter()
    search(min(count, 200))
    each = (time.perf_counter() - began) / min(count, 200)
    part = int(min(count, max(seconds / PASSES / each, 1)))
    best = 0
    for _ in range(PASSES):
        began, asked = time.perf_counter(), 0
        while asked == 0 or time.perf_counter() - began < 0.9 * seconds / PASSES:
            search(part)
            asked += part
        best = max(best, asked / (time.perf_counter() - began))
    return best


def measure(peer_class, dataset, targets, threads, seconds):
    """Builds and searches; a dictionary of figures, those of a search by target."""
    before, began = resident_bytes(), time.perf_counter()
    peer = peer_class(dataset, max(threads))
    took = time.perf_counter() - began
    result = {
        "name": f"{peer.name} {peer.element}", "set": dataset.name, "build_seconds": round(took, 2),
        "vectors_per_second": round(len(dataset.base) / took), "resident_bytes": resident_bytes() - before, "points": [],
    }
    queries, truth = peer.prepared(dataset.queries), Truth(dataset)
    for target in targets:
        effort, recall = least_effort(lambda value: truth.recall(peer.search(queries, COUNT, value, max(threads))), target)
        point = {"recall_target": target, "recall": round(recall, 4), "effort": effort, "queries_per_second": {}}
        for count in threads:
            rate = best_rate(lambda part: peer.search(queries[:part], COUNT, effort, count), len(queries), seconds)
            point["queries_per_second"][str(count)] = round(rate)
        latencies = []
        for number in range(min(LATENCIES, len(queries))):
            began = time.perf_counter()
            peer.search(queries[number : number + 1], COUNT, effort, 1)
            latencies.append(time.perf_counter() - began)
        point["p50_us"], point["p99_us"] = (round(1e6 * float(value), 1) for value in numpy.percentile(latencies, (50, 99)))
        result["points"].append(point)
    return result
