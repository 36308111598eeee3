"""Kith as one of several servers under one load generator: start it, load vectors, make requests, read replies.

The generator sends raw bytes, so that its cost is the same whatever the server is; this module only says which bytes. It needs numpy and the packages of
Examples/python/requirements.txt. KITH names the server (.build/release/kith), KITH_OPTIONS what else it is started with.
"""

import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
import time

import grpc
import numpy

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Examples/python"))

import stubs  # noqa: E402,F401 (makes the modules below)
from kith.v1 import collection_service_pb2 as collections  # noqa: E402
from kith.v1 import collection_service_pb2_grpc  # noqa: E402
from kith.v1 import point_service_pb2 as points  # noqa: E402
from kith.v1 import point_service_pb2_grpc  # noqa: E402
from kith.v1 import search_service_pb2 as searches  # noqa: E402
from kith.v1 import types_pb2 as types  # noqa: E402

COUNT = 10  # neighbours wanted
BATCH = 1000  # points of one upsert
ELEMENTS = {"float32": types.ELEMENT_TYPE_FLOAT32, "float16": types.ELEMENT_TYPE_FLOAT16, "int8": types.ELEMENT_TYPE_INT8, "uint8": types.ELEMENT_TYPE_UINT8}


class Kith:
    """A server over an empty folder, with one collection of one vector space."""

    method, headers, note = "/kith.v1.SearchService/Search", [], "Kith, graph with its defaults"
    grid = [10, 11, 12, 14, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 384]  # efforts, low to high
    kind, element = "graph", None

    def __init__(self, dimension, metric, count):
        self.dimension, self.metric = dimension, metric

    def start(self):
        self.folder = tempfile.TemporaryDirectory(prefix="kith-")
        kith = os.environ.get("KITH", ROOT / ".build/release/kith")
        options = shlex.split(os.environ.get("KITH_OPTIONS", ""))
        port = pathlib.Path(self.folder.name, "port")
        self.dir = f"{self.folder.name}/data"
        command = [kith, "serve", "--listen", "127.0.0.1:0", "--data", self.dir, "--port-file", port, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while not (port.exists() and port.read_text().strip()):
            if self.process.poll() is not None:
                raise RuntimeError(f"kith ended with {self.process.returncode}")
            time.sleep(0.05)
        self.address = f"127.0.0.1:{port.read_text().strip()}"

    def load(self, base):
        """Row i becomes point i; returns when all are in the index."""
        self.element = self.element or (base.dtype.name if base.dtype.name in ELEMENTS else "float32")
        channel = grpc.insecure_channel(self.address, [("grpc.max_send_message_length", -1)])
        space = collections.VectorSpace(
            dimension=self.dimension, element_type=ELEMENTS[self.element], metric=types.Metric.Value(f"METRIC_{self.metric.upper()}"),
            index=collections.Index(kind=self.kind))
        service = collection_service_pb2_grpc.CollectionServiceStub(channel)
        service.CreateCollection(collections.CreateCollectionRequest(collection=collections.Collection(name="t", vector_spaces=[space])))
        writer = point_service_pb2_grpc.PointServiceStub(channel)
        for first in range(0, len(base), BATCH):
            rows = numpy.ascontiguousarray(base[first : first + BATCH], self.element)
            last = first + BATCH >= len(base)
            writer.Upsert(points.UpsertRequest(
                collection="t", durability=types.DURABILITY_INDEXED if last else types.DURABILITY_ACCEPTED,
                points=[types.Point(id=types.PointId(number=first + number), vectors=[types.Vector(data=row.tobytes())])
                        for number, row in enumerate(rows)]))

    def request(self, vector, effort):
        data = numpy.asarray(vector, self.element).tobytes()
        return searches.SearchRequest(
            collection="t", top_k=COUNT, query=searches.Query(vector=types.Vector(data=data)),
            parameters=searches.SearchParameters(effort=effort)).SerializeToString()

    def ids(self, reply):
        return [found.id.number for found in searches.SearchResponse.FromString(reply).results]

    def pids(self):
        return [self.process.pid]

    def stop(self):
        self.process.terminate()
        self.process.wait(120)
        self.folder.cleanup()
