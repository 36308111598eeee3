"""Reads framed topics as those do who use a schema registry: with Confluent's own client and its stand-in for a registry, which is given the
published protos. Ends with 0 when all is right.

    registry.py FOLDER-OF-consumer.py SERVER BROKERS
"""

import base64
import struct
import sys

sys.path.insert(0, sys.argv[1])

import grpc
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient, protobuf
from confluent_kafka.serialization import MessageField, SerializationContext

from consumer import read
from kith.v1 import collection_service_pb2 as collections
from kith.v1 import collection_service_pb2_grpc
from kith.v1 import event_service_pb2 as status
from kith.v1 import event_service_pb2_grpc
from kith.v1 import events_pb2 as events
from kith.v1 import point_service_pb2 as points
from kith.v1 import point_service_pb2_grpc
from kith.v1 import types_pb2 as types

NAME = "framed"
# What the registry's client is told of messages.
SETTINGS = {"use.deprecated.format": False, "auto.register.schemas": False, "use.latest.version": True}
TOPICS = {f"kith.changes.v1.{NAME}": events.ChangeEvent, f"kith.state.v1.{NAME}": events.PointImage}


def schema(file, *references):
    """A file of the published protos as registries answer it to this client."""
    text = base64.b64encode(file.DESCRIPTOR.serialized_pb).decode()
    return Schema(text, "PROTOBUF", [SchemaReference(path, path, 1) for path in references])


def register(registry):
    """The published protos, under the topics' subjects; answers the ids of the schemas."""
    path = types.DESCRIPTOR.name
    registry.register_schema(path, schema(types))
    return {topic: registry.register_schema(f"{topic}-value", schema(events, path)) for topic in TOPICS}


def write(channel, ids):
    """A collection whose events name the schemas, and changes of every kind; answers how many."""
    settings = collections.ChangeEvents(
        vectors=collections.ChangeEvents.VECTORS_FULL, state=True,
        schema_registry=collections.ChangeEvents.SchemaRegistry(
            change_schema_id=ids[f"kith.changes.v1.{NAME}"], state_schema_id=ids[f"kith.state.v1.{NAME}"]))
    collection_service_pb2_grpc.CollectionServiceStub(channel).CreateCollection(collections.CreateCollectionRequest(
        collection=collections.Collection(
            name=NAME, vector_spaces=[collections.VectorSpace(dimension=2)], change_events=settings)))
    service = point_service_pb2_grpc.PointServiceStub(channel)
    for version in (1, 2):
        service.Upsert(points.UpsertRequest(collection=NAME, points=[
            types.Point(
                id=types.PointId(number=number), vectors=[types.Vector(data=struct.pack("<2f", number, version))],
                payload_json='{"version":%d}' % version)
            for number in range(1, 6)]))
    service.Delete(points.DeleteRequest(collection=NAME, ids=[types.PointId(number=1)]))
    return 11


def wait(channel):
    service = event_service_pb2_grpc.EventServiceStub(channel)
    while True:
        shards = service.GetEventStatus(status.GetEventStatusRequest(collection=NAME)).shards
        if shards and all(shard.published_position == shard.last_position for shard in shards):
            return


def check(record, registry, ids):
    topic = record.topic()
    context = SerializationContext(topic, MessageField.VALUE)
    message = protobuf.ProtobufDeserializer(TOPICS[topic], SETTINGS, registry)(record.value(), context)
    frame = len(record.value()) - message.ByteSize()
    assert struct.unpack_from(">bI", record.value()) == (0, ids[topic])
    # Confluent's own writer frames it as Kith did.
    again = protobuf.ProtobufSerializer(TOPICS[topic], registry, SETTINGS)(message, context)
    assert again[:frame] == record.value()[:frame] and len(again) == len(record.value()), (again[:12], record.value()[:12])
    return message


def main():
    registry = SchemaRegistryClient.new_client({"url": "mock://"})
    ids = register(registry)
    with grpc.insecure_channel(sys.argv[2]) as channel:
        count = write(channel, ids)
        wait(channel)
    records = list(read(sys.argv[3], list(TOPICS), idle=2))
    changes = [check(record, registry, ids) for record in records if record.topic() in ids and ".changes." in record.topic()]
    assert len(changes) == count and [change.op for change in changes].count(events.CHANGE_OPERATION_UPDATE) == 5
    assert all(change.id.endswith(f"/{change.source.position}/{change.source.index}") for change in changes)
    assert all(len(vector.data) == 8 for change in changes[:5] for vector in change.after.vectors)
    states = [record for record in records if ".state." in record.topic()]
    images = [check(record, registry, ids) for record in states if record.value() is not None]
    assert len(images) == 10 and len(states) == 11 and images[-1].payload_json == '{"version":2}'
    print(f"a registry's reader has all {len(changes)} changes, schemas {sorted(ids.values())}")


main()
