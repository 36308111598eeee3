"""Reads the lineage topic as OpenLineage's own client has it: its classes, which are made of the specification, take each event whole and write
it again. Ends with 0 when all is right.

    lineage.py FOLDER-OF-consumer.py BROKERS EVENTS
"""

import enum
import json
import sys
import types
import typing

sys.path.insert(0, sys.argv[1])

import attr
from openlineage.client import event_v2, facet_v2
from openlineage.client.serde import Serde

from consumer import read

TOPIC = "kith.lineage.v1"
EVENTS = {"io.openlineage.run.v2": event_v2.RunEvent, "io.openlineage.dataset.v2": event_v2.DatasetEvent}
FACETS = {
    "schema": facet_v2.schema_dataset.SchemaDatasetFacet,
    "dataSource": facet_v2.datasource_dataset.DatasourceDatasetFacet,
    "lifecycleStateChange": facet_v2.lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet,
    "documentation": facet_v2.documentation_dataset.DocumentationDatasetFacet,
    "ownership": facet_v2.ownership_dataset.OwnershipDatasetFacet,
    "tags": facet_v2.tags_dataset.TagsDatasetFacet,
    "outputStatistics": facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
    "errorMessage": facet_v2.error_message_run.ErrorMessageRunFacet,
}
seen = set()


def facet(name, value):
    """One of the specification's by its name; one of our own has what every facet must have."""
    seen.add(name)
    if name in FACETS:
        return take(FACETS[name], value)
    assert name.startswith("kith_") and value["_producer"] and value["_schemaURL"], name
    return value


def take(kind, value):
    """The value as the client's type has it: nothing missing, nothing more, everything of its type."""
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return take(next(each for each in arguments if each is not type(None)), value)
    if typing.get_origin(kind) is list:
        return [take(arguments[0], each) for each in value]
    if typing.get_origin(kind) is dict:
        return {name: facet(name, each) for name, each in value.items()}
    if not attr.has(kind):
        assert issubclass(kind, enum.Enum) or isinstance(value, kind), (kind, value)
        return kind(value)
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in attr.fields(kind)}
    assert set(value) <= set(fields), (kind, set(value) - set(fields))
    made = kind(**{
        fields[name].alias: take(hints[name], each) for name, each in value.items() if fields[name].init})
    for name in value:
        # The schema that it names is the one that the client's class is made of.
        assert fields[name].init or getattr(made, name) == value[name], (getattr(made, name), value[name])
    return made


def same(ours, theirs):
    """Whether the client wrote the event as Kith did; it writes out empty lists that Kith leaves out."""
    if isinstance(ours, dict):
        return all(name in theirs and same(each, theirs[name]) for name, each in ours.items()) and not any(
            each for name, each in theirs.items() if name not in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return ours == theirs


def main():
    records = list(read(sys.argv[2], [TOPIC], idle=2))
    for record in records:
        headers = {name: value.decode() for name, value in record.headers()}
        value = json.loads(record.value())
        event = take(EVENTS[headers["ce_type"]], value)
        assert headers["content-type"] == "application/json"
        assert headers["ce_dataschema"] == value["schemaURL"].partition("#")[0]
        assert same(value, Serde.to_dict(event)), (value, Serde.to_dict(event))
    assert len(records) == int(sys.argv[3]), len(records)
    assert seen > set(FACETS), set(FACETS) - seen
    print(f"OpenLineage's client takes all {len(records)} events, facets {sorted(seen)}")


main()
