"""Follow Kith's topics with a Kafka client that knows nothing of Kith, and the published protos.

    Scripts/python-environment.sh
    .build/python/bin/python Examples/python/consumer.py --brokers 127.0.0.1:9092 --collection films

Documentation/events.md has the topics, headers and promises that this relies on.
"""

import argparse
import itertools
import json
import re

import confluent_kafka
from google.protobuf import json_format, message_factory, symbol_database

import stubs  # noqa: F401 (makes the modules below)
from kith.v1 import audit_events_pb2, catalogue_events_pb2, events_pb2, governance_events_pb2  # noqa: F401 (registers messages)

SCHEMA = "urn:kith:schema:"


def topics(prefix, collection):
    """All topics that tell of a collection."""
    return [f"{prefix}.{name}.v1.{collection}" for name in ("changes", "state")] + [
        f"{prefix}.{name}.v1" for name in ("tx", "catalog", "audit", "governance")]


def headers_of(record):
    return {name: value.decode() for name, value in record.headers() or []}


def decode(record):
    """The event as a message of the protos; None for a tombstone."""
    if record.value() is None:
        return None
    headers = headers_of(record)
    pool = symbol_database.Default().pool
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName(headers["ce_dataschema"].removeprefix(SCHEMA)))()
    if headers["content-type"] == "application/json":
        return json_format.Parse(record.value(), message)
    message.ParseFromString(record.value())
    return message


class Once:
    """Leaves out events that come again: in a topic, ce_sequence of a shard only grows, and a copy has the same."""

    def __init__(self):
        self.last = {}

    def is_new(self, record):
        headers = headers_of(record)
        # <cluster>/<collection id>.<shard>/<position>...
        shard = re.match(r".*/\d+\.\d+/", headers["ce_id"]).group()
        place, sequence = (record.topic(), shard), headers["ce_sequence"]
        if sequence <= self.last.get(place, ""):
            return False
        self.last[place] = sequence
        return True


def read(brokers, wanted, idle=None):
    """Yields records of the topics that exist, from their beginnings; ends after `idle` seconds without one."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": brokers, "group.id": "kith-example", "enable.auto.commit": False,
        # Kith may publish in transactions (kafka.delivery=exactly-once): those that were aborted are not to be seen.
        "isolation.level": "read_committed"})
    found = consumer.list_topics(timeout=10).topics
    consumer.assign([
        confluent_kafka.TopicPartition(topic, partition, confluent_kafka.OFFSET_BEGINNING)
        for topic in wanted if topic in found for partition in found[topic].partitions])
    try:
        while True:
            record = consumer.poll(idle or 1)
            if record is None:
                if idle:
                    return
            elif record.error():
                raise confluent_kafka.KafkaException(record.error())
            else:
                yield record
    finally:
        consumer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--brokers", default="127.0.0.1:9092")
    parser.add_argument("--prefix", default="kith", help="kafka.topic-prefix of the server")
    parser.add_argument("--collection", required=True)
    parser.add_argument("--until-idle", type=float, help="end after so many seconds without an event")
    parser.add_argument("--limit", type=int, help="end after so many events")
    arguments = parser.parse_args()
    records = read(arguments.brokers, topics(arguments.prefix, arguments.collection), arguments.until_idle)
    once = Once()
    for record in itertools.islice(filter(once.is_new, records), arguments.limit):
        event = decode(record)
        text = "null" if event is None else json.dumps(json_format.MessageToDict(event), ensure_ascii=False)
        print(f"{record.topic()}[{record.partition()}] {headers_of(record)['ce_type']} {record.key().decode()} {text[:200]}")


if __name__ == "__main__":
    main()
