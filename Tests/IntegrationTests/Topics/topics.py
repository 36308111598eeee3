"""Kith's topics as a Kafka client in Python reads them, checked against the published contract. Ends with 0 when all is right.

    topics.py FOLDER-OF-consumer.py BROKERS CREATED UPDATED DELETED
"""

import collections
import re
import sys

sys.path.insert(0, sys.argv[1])

from consumer import decode, headers_of, read, topics
from kith.v1 import audit_events_pb2 as audits
from kith.v1 import events_pb2 as events
from kith.v1 import types_pb2 as types

REQUIRED = {
    "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_partitionkey", "ce_dataschema", "ce_sequence",
    "content-type"}
CHANGE = re.compile(r"(?P<shard>.*/\d+\.\d+)/(?P<position>\d+)/(?P<index>\d+)")


def key_of(point):
    """A point's id as the record's key has it."""
    return str(point.number) if point.WhichOneof("id") == "number" else point.name


def check_headers(records):
    for record in records:
        headers = headers_of(record)
        assert REQUIRED <= headers.keys(), headers
        assert headers["ce_specversion"] == "1.0" and headers["ce_partitionkey"] == record.key().decode()
    ids = [headers_of(record)["ce_id"] for record in records]
    assert len(ids) == len(set(ids)), "an id came twice"


def check_changes(records, operations):
    """Each commit whole and in its place; returns the last image of each point and the changes of each commit."""
    images, commits, last = {}, collections.Counter(), {}
    for record in records:
        event = decode(record)
        found = CHANGE.fullmatch(event.id).groupdict()
        assert event.id == headers_of(record)["ce_id"] and record.partition() == event.source.shard
        place = int(found["position"]), int(found["index"])
        assert place == (event.source.position, event.source.index)
        position, index, count = last.get(record.partition(), (0, 0, 1))
        assert place == ((position, index + 1) if index + 1 < count else (position + 1, 0)), f"{place} after {position}/{index}"
        last[record.partition()] = *place, event.source.count
        image = event.before if event.op == events.CHANGE_OPERATION_DELETE else event.after
        assert key_of(image.id) == record.key().decode() and headers_of(record)["ce_subject"] == f"points/{record.key().decode()}"
        images[record.key()] = None if event.op == events.CHANGE_OPERATION_DELETE else event.after
        commits[f"{found['shard']}/{found['position']}"] += 1
        operations[events.ChangeOperation.Name(event.op)] += 1
        if event.source.count > 1:
            assert event.transaction.id == f"{found['shard']}/{found['position']}"
    return images, commits


def check_state(records, images):
    """What compaction would leave is the points as they stand: a tombstone for each that is gone."""
    last = {record.key(): decode(record) for record in records}
    assert last.keys() == images.keys()
    for key, image in images.items():
        if image is None:
            assert last[key] is None, f"{key} is deleted and has no tombstone"
        else:
            assert (last[key].version, last[key].payload_json) == (image.version, image.payload_json)
            # By the collection's default the state topic has whole vectors, the changes their digests.
            assert len(last[key].vectors[0].data) == 8 and last[key].vectors[0].digest == image.vectors[0].digest


def check_transactions(records, commits):
    ends = {}
    for event in map(decode, records):
        if event.status == events.TransactionEvent.BEGIN:
            assert event.id not in ends
            ends[event.id] = None
        else:
            assert ends[event.id] is None, f"{event.id} ends before it begins"
            ends[event.id] = event.event_count
    assert ends == {commit: count for commit, count in commits.items() if count > 1}


def check_audit(records, commits):
    found = {}
    for event in map(decode, records):
        if event.id.endswith("/audit"):
            assert event.outcome == audits.AUDIT_OUTCOME_SUCCEEDED and event.resource == "collections/words"
            assert event.context.method.startswith("kith.v1.PointService/")
            found[event.id.removesuffix("/audit")] = event.counts.created + event.counts.updated + event.counts.deleted
    assert found == dict(commits)


def check_catalogue(records):
    resources = {record.key().decode(): decode(record) for record in records}
    collection = resources["collections/words"].after.collection
    assert collection.shard_count == 2 and collection.vector_spaces[0].metric == types.METRIC_L2
    assert "collections/words/vectorSpaces/" in {key[:31] for key in resources}, resources.keys()


def main():
    by_topic = collections.defaultdict(list)
    for record in read(sys.argv[2], topics("kith", "words"), idle=2):
        by_topic[record.topic()].append(record)
    for records in by_topic.values():
        check_headers(records)
    operations = collections.Counter()
    images, commits = check_changes(by_topic["kith.changes.v1.words"], operations)
    wanted = dict(zip(("CREATE", "UPDATE", "DELETE"), map(int, sys.argv[3:6])))
    assert operations == {f"CHANGE_OPERATION_{name}": count for name, count in wanted.items()}, operations
    check_state(by_topic["kith.state.v1.words"], images)
    check_transactions(by_topic["kith.tx.v1"], commits)
    check_audit(by_topic["kith.audit.v1"], commits)
    check_catalogue(by_topic["kith.catalog.v1"])
    print("all topics are as published", {topic: len(records) for topic, records in by_topic.items()})


main()
