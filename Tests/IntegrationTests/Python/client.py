"""Kith as a Python client sees it: unary calls, batches, streams, errors, health and reflection. Ends with 0 when all is right.

    client.py FOLDER-OF-stubs.py ADDRESS
"""

import sys

sys.path.insert(0, sys.argv[1])

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


def make_point(number):
    return types.Point(
        id=types.PointId(number=number), vectors=[types.Vector(values=[number, 1.0])], payload_json=f'{{"n":{number}}}')


def search(x, **more):
    return searches.SearchRequest(
        collection="snakes", query=searches.Query(vector=types.Vector(values=[x, 1.0])), top_k=3, **more)


def numbers(response):
    return [found.id.number for found in response.results]


def check_unary(channel):
    service = collection_service_pb2_grpc.CollectionServiceStub(channel)
    space = collections.VectorSpace(dimension=2, metric=types.METRIC_L2)
    service.CreateCollection(collections.CreateCollectionRequest(
        collection=collections.Collection(name="snakes", vector_spaces=[space], shard_count=2)))
    assert [each.name for each in service.ListCollections(collections.ListCollectionsRequest()).collections] == ["snakes"]
    writer = point_service_pb2_grpc.PointServiceStub(channel)
    answer = writer.Upsert(points.UpsertRequest(collection="snakes", points=[make_point(n) for n in range(100)]))
    assert [outcome.result for outcome in answer.outcomes] == [points.WriteOutcome.RESULT_CREATED] * 100
    searcher = search_service_pb2_grpc.SearchServiceStub(channel)
    assert numbers(searcher.Search(search(50, min_positions=answer.positions)))[0] == 50
    assert writer.Count(points.CountRequest(collection="snakes")).count == 100


def check_batches(channel):
    searcher = search_service_pb2_grpc.SearchServiceStub(channel)
    batch = searcher.SearchBatch(searches.SearchBatchRequest(searches=[search(n) for n in range(50)]))
    assert [numbers(outcome.response)[0] for outcome in batch.outcomes] == list(range(50))
    writer = point_service_pb2_grpc.PointServiceStub(channel)
    answer = writer.BatchWrite(points.BatchWriteRequest(collection="snakes", operations=[
        points.WriteOperation(delete=points.DeleteOperation(id=types.PointId(number=7))),
        points.WriteOperation(upsert=points.UpsertOperation(point=make_point(8), if_version=1_000_000)),
    ]))
    assert answer.outcomes[0].result == points.WriteOutcome.RESULT_DELETED
    assert answer.outcomes[1].error == "VERSION_MISMATCH"


def check_streams(channel):
    writer = point_service_pb2_grpc.PointServiceStub(channel)

    def requests():
        yield points.UpsertStreamRequest(open=points.UpsertStreamRequest.Open(collection="snakes"))
        for sequence in range(1, 501):
            operation = points.WriteOperation(upsert=points.UpsertOperation(point=make_point(1_000 + sequence)))
            yield points.UpsertStreamRequest(item=points.UpsertStreamRequest.Item(sequence=sequence, operation=operation))
        yield points.UpsertStreamRequest(close=points.UpsertStreamRequest.Close())

    assert max(answer.ack.sequence_to for answer in writer.UpsertStream(requests())) == 500
    searcher = search_service_pb2_grpc.SearchServiceStub(channel)
    asked = (searches.SearchStreamRequest(tag=n, search=search(1_000 + n)) for n in range(1, 300))
    answers = {answer.tag: numbers(answer.outcome.response)[0] for answer in searcher.SearchStream(asked)}
    assert answers == {n: 1_000 + n for n in range(1, 300)}
    exported = writer.Export(points.ExportRequest(collection="snakes"))
    assert sum(len(part.points) for part in exported) == 599
    follower = change_service_pb2_grpc.ChangeServiceStub(channel)
    subscription = follower.Subscribe(changes.SubscribeRequest(
        collection="snakes", start=changes.SubscribeRequest.START_POSITION))
    seen = 0
    for message in subscription:
        seen += len(message.events)
        if seen == 601:
            break
    subscription.cancel()


def check_context(channel):
    """Who asked, and in which trace, comes back in the change events."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    metadata = (("kith-actor", "alice"), ("kith-client", "snake-charmer/1.2"), ("traceparent", trace))
    writer = point_service_pb2_grpc.PointServiceStub(channel)
    follower = change_service_pb2_grpc.ChangeServiceStub(channel)
    for mark, sent in ((1, metadata), (2, ()), (3, (("traceparent", trace + "0"), ("kith-actor", "a" * 257)))):
        answer = writer.Upsert(points.UpsertRequest(collection="snakes", points=[make_point(5)]), metadata=sent)
        [position] = answer.positions
        position.position -= 1
        subscription = follower.Subscribe(changes.SubscribeRequest(
            collection="snakes", start=changes.SubscribeRequest.START_POSITION, positions=[position]))
        event = next(event for message in subscription for event in message.events
                     if event.source.shard == position.shard)
        subscription.cancel()
        context = event.source.context
        assert context.method == "kith.v1.PointService/Upsert" and context.client.address.startswith("127.0.0.1:")
        assert event.source.schema_version == 1 and event.version_after == event.after.version > event.version_before > 0
        if mark == 1:
            assert (context.actor.id, context.actor.proof) == ("alice", events.Actor.PROOF_CLAIMED)
            assert (context.client.name, context.client.version, context.traceparent) == ("snake-charmer", "1.2", trace)
        else:
            assert not context.HasField("actor") and not context.traceparent
            assert context.client.name.startswith("grpc-python") and context.client.version


def check_errors(channel):
    try:
        search_service_pb2_grpc.SearchServiceStub(channel).Search(searches.SearchRequest(
            collection="snakes", query=searches.Query(vector=types.Vector(values=[1.0]))))
        raise AssertionError("a wrong dimension was accepted")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
        status = error_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
        info, request = error_pb2.ErrorInfo(), error_pb2.BadRequest()
        for detail in status.details:
            detail.Unpack(info)
            detail.Unpack(request)
        assert (info.reason, info.domain) == ("INVALID_DIMENSION", "kith.v1")
        assert [violation.field for violation in request.field_violations] == ["query.vector.values"]


def varint(value):
    head, rest = value & 0x7F, value >> 7
    return bytes([head | 0x80]) + varint(rest) if rest else bytes([head])


def check_reflection(channel):
    """The list of services. Written out by hand: grpcio-reflection is no dependency of ours."""
    list_services = b"\x3a" + varint(1) + b"*"
    call = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
    answer = b"".join(call(iter([list_services])))
    for name in ("Collection", "Point", "Search", "Change"):
        assert f"kith.v1.{name}Service".encode() in answer
    assert b"grpc.health.v1.Health" in answer
    file_of_symbol = b"\x22" + varint(21) + b"kith.v1.SearchService"
    assert b"kith/v1/search_service.proto" in b"".join(call(iter([file_of_symbol])))


with grpc.insecure_channel(sys.argv[2]) as channel:
    for check in (check_unary, check_batches, check_streams, check_context, check_errors, check_reflection):
        check(channel)
        print(f"{check.__name__} passed", flush=True)
