"""Other vector indexes, each behind the same three calls. Parameters as their makers recommend, alike where they mean the same."""

import numpy

DEGREE = 16  # links of a node in an upper layer; twice as many in the lowest
CONSTRUCTION = 200  # candidates kept while a node is linked


def normalised(vectors):
    return vectors / numpy.maximum(numpy.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)


class Peer:
    """One index. `effort` is its own way of saying how hard to search."""

    def __init__(self, dataset, threads):
        self.metric, self.threads = dataset.metric, threads
        # Where all components are bytes, those that can store bytes do; others have no use for them.
        self.has_bytes = dataset.element in ("u8", "uint8")
        self.build(self.prepared(dataset.base))

    def prepared(self, vectors):
        """Vectors or queries in the form that the index takes. Where only inner products are known, cosine is that of unit vectors."""
        vectors = vectors.astype(numpy.float32)
        return normalised(vectors) if self.metric == "cosine" else vectors

    def build(self, vectors):
        raise NotImplementedError

    def search(self, queries, count, effort, threads):
        """Rows, one line a query."""
        raise NotImplementedError


class Hnswlib(Peer):
    name = "hnswlib"

    def build(self, vectors):
        import hnswlib

        self.element = "f32"
        self.index = hnswlib.Index("l2" if self.metric == "l2" else "ip", vectors.shape[1])
        self.index.init_index(len(vectors), M=DEGREE, ef_construction=CONSTRUCTION, random_seed=1)
        self.index.add_items(vectors, num_threads=self.threads)

    def search(self, queries, count, effort, threads):
        self.index.set_ef(max(effort, count))
        return self.index.knn_query(queries, count, num_threads=threads)[0]


class Faiss(Peer):
    name = "faiss"

    def build(self, vectors):
        import faiss

        self.faiss = faiss
        faiss.omp_set_num_threads(self.threads)
        metric = faiss.METRIC_L2 if self.metric == "l2" else faiss.METRIC_INNER_PRODUCT
        self.element = "u8" if self.has_bytes else "f32"
        if self.has_bytes:
            self.index = faiss.IndexHNSWSQ(vectors.shape[1], faiss.ScalarQuantizer.QT_8bit_direct, DEGREE, metric)
            self.index.train(vectors[:1000])
        else:
            self.index = faiss.IndexHNSWFlat(vectors.shape[1], DEGREE, metric)
        self.index.hnsw.efConstruction = CONSTRUCTION
        self.index.add(vectors)

    def search(self, queries, count, effort, threads):
        self.faiss.omp_set_num_threads(threads)
        self.index.hnsw.efSearch = max(effort, count)
        return self.index.search(queries, count)[1]


class FaissFlat(Peer):
    """Exact: every query with every vector."""

    name = "faiss-flat"

    def build(self, vectors):
        import faiss

        self.faiss, self.element = faiss, "f32"
        self.index = (faiss.IndexFlatL2 if self.metric == "l2" else faiss.IndexFlatIP)(vectors.shape[1])
        self.index.add(vectors)

    def search(self, queries, count, effort, threads):
        self.faiss.omp_set_num_threads(threads)
        return self.index.search(queries, count)[1]


class Usearch(Peer):
    name = "usearch"

    def prepared(self, vectors):
        # Bytes up to 255 become signed ones: distances between them stay what they are.
        if self.has_bytes and self.metric == "l2":
            return (vectors.astype(numpy.int16) - 128).astype(numpy.int8)
        return super().prepared(vectors)

    def build(self, vectors):
        from usearch.index import Index

        self.element = "i8" if vectors.dtype == numpy.int8 else "bf16"
        self.index = Index(
            ndim=vectors.shape[1], metric="l2sq" if self.metric == "l2" else "ip", dtype=self.element,
            connectivity=DEGREE, expansion_add=CONSTRUCTION,
        )
        self.index.add(numpy.arange(len(vectors)), vectors, threads=self.threads)

    def search(self, queries, count, effort, threads):
        self.index.expansion_search = max(effort, count)
        return self.index.search(queries, count, threads=threads).keys.reshape(len(queries), -1)


class Svs(Peer):
    name = "svs"

    def prepared(self, vectors):
        if self.has_bytes and self.metric == "l2":
            return vectors.astype(numpy.uint8)
        return super().prepared(vectors).astype(numpy.float16)

    def build(self, vectors):
        import svs

        self.element = "u8" if vectors.dtype == numpy.uint8 else "f16"
        parameters = svs.VamanaBuildParameters(
            graph_max_degree=2 * DEGREE, window_size=CONSTRUCTION, alpha=1.2 if self.metric == "l2" else 0.95
        )
        metric = svs.DistanceType.L2 if self.metric == "l2" else svs.DistanceType.MIP
        self.index = svs.Vamana.build(parameters, vectors, metric, num_threads=self.threads)

    def search(self, queries, count, effort, threads):
        if self.index.num_threads != threads:
            self.index.num_threads = threads
        self.index.search_window_size = max(effort, count)
        return self.index.search(queries, count)[0]


PEERS = {peer.name: peer for peer in (Hnswlib, Faiss, FaissFlat, Usearch, Svs)}
