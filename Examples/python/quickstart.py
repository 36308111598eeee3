"""Kith from Python: write one, many and a stream of points, search them, and follow the changes.

    Scripts/python-environment.sh
    .build/python/bin/python Examples/python/quickstart.py --address 127.0.0.1:7040
"""

import argparse
import json
import pathlib
import struct
import threading

import grpc

import stubs  # noqa: F401 (makes the modules below)
from google.rpc import error_pb2
from kith.v1 import change_service_pb2 as changes
from kith.v1 import change_service_pb2_grpc
from kith.v1 import collection_service_pb2 as collections
from kith.v1 import collection_service_pb2_grpc
from kith.v1 import events_pb2 as events
from kith.v1 import point_service_pb2 as points
from kith.v1 import point_service_pb2_grpc
from kith.v1 import search_service_pb2 as searches
from kith.v1 import search_service_pb2_grpc
from kith.v1 import types_pb2 as types

DATA = pathlib.Path(__file__).resolve().parents[1] / "dictionary"
DIMENSION = 384


def read_dictionary(count):
    """The first `count` entries of the dictionary, each with its vector as little-endian float16: what Kith takes as it is."""
    with open(DATA / "embeddings_f16.npy", "rb") as file:
        # The .npy format: 8 bytes of magic and version, the header's length, the header, the rows.
        header_length = struct.unpack_from("<H", file.read(10), 8)[0]
        file.seek(header_length, 1)
        with open(DATA / "entries.jsonl", encoding="utf-8") as lines:
            return [(json.loads(line), file.read(2 * DIMENSION)) for line, _ in zip(lines, range(count))]


def make_point(entry, vector):
    return types.Point(
        id=types.PointId(number=entry["id"]),
        vectors=[types.Vector(data=vector)],
        payload_json=json.dumps({"word": entry["word"], "definition": entry["definition"]}),
    )


def words(response):
    return ", ".join(f"{json.loads(found.payload_json)['word']} {found.score:.2f}" for found in response.results)


def write_stream(service, collection, batch):
    """Streams points in, within the credit that the server grants; returns how many it acknowledged."""
    credit = threading.Semaphore(0)

    def requests():
        yield points.UpsertStreamRequest(open=points.UpsertStreamRequest.Open(collection=collection))
        for sequence, (entry, vector) in enumerate(batch, start=1):
            credit.acquire()
            write = points.WriteOperation(upsert=points.UpsertOperation(point=make_point(entry, vector)))
            yield points.UpsertStreamRequest(item=points.UpsertStreamRequest.Item(sequence=sequence, operation=write))
        yield points.UpsertStreamRequest(close=points.UpsertStreamRequest.Close())

    acknowledged = 0
    try:
        for response in service.UpsertStream(requests()):
            match response.WhichOneof("message"):
                case "opened":
                    credit.release(response.opened.credit)
                case "credit":
                    credit.release(response.credit.additional)
                case "ack":
                    acknowledged = response.ack.sequence_to
                case "item_error":
                    raise RuntimeError(f"item {response.item_error.sequence}: {response.item_error.status.message}")
                case "go_away":
                    raise RuntimeError(f"the server ended the stream: {response.go_away.reason}")
    finally:
        # However the call ended, the thread that runs requests() must not wait for credit.
        credit.release(len(batch))
    return acknowledged


def describe(error):
    """The reason and the wrong fields of a failed call, from its rich status."""
    details = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
    status, info, bad_request = error_pb2.Status.FromString(details), error_pb2.ErrorInfo(), error_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad_request)
    fields = [violation.field for violation in bad_request.field_violations]
    return f"{error.code().name}, {info.reason}, {fields}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="127.0.0.1:7040", help="of a running server (%(default)s)")
    parser.add_argument("--collection", default="quickstart", help="made, and deleted at the end (%(default)s)")
    arguments = parser.parse_args()
    name = arguments.collection
    dictionary = read_dictionary(5000)
    vector_of = {entry["word"]: vector for entry, vector in dictionary}

    # Kith's messages may have 16 MiB; gRPC clients refuse more than 4 unless told.
    options = [("grpc.max_receive_message_length", 16 << 20)]
    with grpc.insecure_channel(arguments.address, options=options) as channel:
        collection_service = collection_service_pb2_grpc.CollectionServiceStub(channel)
        point_service = point_service_pb2_grpc.PointServiceStub(channel)
        search_service = search_service_pb2_grpc.SearchServiceStub(channel)
        change_service = change_service_pb2_grpc.ChangeServiceStub(channel)

        space = collections.VectorSpace(
            dimension=DIMENSION, element_type=types.ELEMENT_TYPE_FLOAT16, metric=types.METRIC_COSINE,
            model=collections.Model(id="sentence-transformers/all-MiniLM-L6-v2"))
        collection_service.CreateCollection(collections.CreateCollectionRequest(
            collection=collections.Collection(name=name, vector_spaces=[space])))
        print(f"created   {name}")
        try:
            # One point. A repeated request_id is not done twice, so a call that timed out can simply be made again.
            request = points.UpsertRequest(
                collection=name, points=[make_point(*dictionary[0])], request_id="quickstart-1")
            first, again = point_service.Upsert(request), point_service.Upsert(request)
            assert again.replayed and again.outcomes == first.outcomes
            print(f"upserted  1 point, version {first.outcomes[0].version}; the repeated request was not done again")

            many = point_service.Upsert(points.UpsertRequest(
                collection=name, points=[make_point(*row) for row in dictionary[1:1000]]))
            print(f"upserted  {len(many.outcomes)} points in one call")

            streamed = write_stream(point_service, name, dictionary[1000:])
            assert streamed == len(dictionary) - 1000
            print(f"streamed  {streamed} points in")

            # Different writes in one commit. Its position lets a read, on any node, wait until it sees them.
            batch = point_service.BatchWrite(points.BatchWriteRequest(collection=name, operations=[
                points.WriteOperation(delete=points.DeleteOperation(id=types.PointId(number=dictionary[0][0]["id"]))),
                points.WriteOperation(update_payload=points.UpdatePayloadOperation(
                    id=types.PointId(number=dictionary[1][0]["id"]), mode=points.PAYLOAD_MODE_MERGE,
                    payload_json='{"seen": true}')),
            ]))
            count = point_service.Count(points.CountRequest(collection=name, min_positions=batch.positions)).count
            assert count == len(dictionary) - 1
            print(f"batch     deleted one, changed one: {count} points")

            def search(word):
                return searches.SearchRequest(
                    collection=name, query=searches.Query(vector=types.Vector(data=vector_of[word])), top_k=4,
                    select=types.PointSelector(payload=True))

            print(f"search    music: {words(search_service.Search(search('music')))}")

            asked = ["river", "bread"]
            outcomes = search_service.SearchBatch(searches.SearchBatchRequest(
                searches=[search(word) for word in asked])).outcomes
            for word, outcome in zip(asked, outcomes):
                print(f"batch     {word}: {words(outcome.response)}")

            # On a stream, answers come as they are ready: the tag tells which question they answer.
            asked = ["king", "storm", "guitar"]
            requests = (searches.SearchStreamRequest(tag=tag, search=search(word)) for tag, word in enumerate(asked))
            for answer in search_service.SearchStream(requests):
                print(f"stream    {asked[answer.tag]}: {words(answer.outcome.response)}")

            # All changes so far, from the first; a real consumer goes on listening, and keeps the last position.
            subscription = change_service.Subscribe(changes.SubscribeRequest(
                collection=name, start=changes.SubscribeRequest.START_POSITION))
            seen = dict.fromkeys(("CREATE", "UPDATE", "DELETE"), 0)
            for message in subscription:
                for event in message.events:
                    seen[events.ChangeOperation.Name(event.op).removeprefix("CHANGE_OPERATION_")] += 1
                if sum(seen.values()) >= len(dictionary) + 2:
                    break
            subscription.cancel()
            assert seen == {"CREATE": len(dictionary), "UPDATE": 1, "DELETE": 1}
            print(f"changes   {seen}")

            try:
                search_service.Search(searches.SearchRequest(
                    collection=name, query=searches.Query(vector=types.Vector(values=[1.0, 2.0]))))
            except grpc.RpcError as error:
                print(f"error     {describe(error)}")
        finally:
            collection_service.DeleteCollection(collections.DeleteCollectionRequest(name=name))
            print(f"deleted   {name}")


if __name__ == "__main__":
    main()
