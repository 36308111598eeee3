#!/usr/bin/env python3
"""Compares Documentation/asyncapi.yaml with the code: topics, their policies, the events' types and the protos' messages.

Prints each difference; ends with 1 where there is one.
"""

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
# In a string literal; what is put in at run time, \(such) or \(as(this)), may be any word.
INSERTED = r"\\\((?:[^()]|\([^()]*\))*\)"
TYPE = re.compile(rf"io\.(?:kith|openlineage)\.(?:[a-z0-9_.]|{INSERTED})+\.v[0-9]")


def types_in(message):
    described = message.get("headers", {}).get("properties", {}).get("ce_type", {})
    return set(described.get("enum", [described["const"]] if "const" in described else []))


def documented_topics(document):
    """Topic without prefix, such as changes.v1.{collection}: policy."""
    return {
        channel["address"].removeprefix("{prefix}."): channel["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"][0]
        for channel in document["channels"].values() if channel["address"]
    }


def coded_topics():
    """The same, as EventTopic has them, and those that have no case there."""
    text = (ROOT / "Sources/KithEvents/Events/EventTopic.swift").read_text()
    cases = {name: raw or name for name, raw in re.findall(r'^    case (\w+)(?: = "(\w+)")?$', text, re.MULTILINE)}

    def named(property_name):
        return set(re.findall(r"\.(\w+)", re.search(property_name + r": Bool \{(.*)\}", text).group(1)))

    topics = {
        f"{raw}.v1" + (".{collection}" if name in named("isByCollection") else ""):
            "compact" if name in named("isCompacted") else "delete"
        for name, raw in cases.items()
    }
    return topics | {"relay.cursor.v1": "compact", "violations.v1": "delete"}


def coded_types():
    """Types in the sources' string literals, as patterns."""
    found = [name for file in (ROOT / "Sources").rglob("*.swift") for name in TYPE.findall(file.read_text())]
    return {"[a-z_]+".join(re.escape(part) for part in re.split(INSERTED, name)) for name in found}


def proto_messages():
    """Full name: file."""
    return {
        f"kith.v1.{name}": str(file.relative_to(ROOT / "Protos"))
        for file in (ROOT / "Protos/kith/v1").glob("*.proto")
        for name in re.findall(r"^message (\w+)", file.read_text(), re.MULTILINE)
    }


def governance_types():
    """The fields of GovernanceEvent's oneof name the events."""
    text = (ROOT / "Protos/kith/v1/governance_events.proto").read_text()
    body = re.search(r"oneof event \{(.*?)\n  \}", text, re.DOTALL).group(1)
    return {f"io.kith.governance.{name}.v1" for name in re.findall(r"^ +\w+ (\w+) = \d+;", body, re.MULTILINE)}


def differences(document):
    messages = document["components"]["messages"]
    documented, coded = documented_topics(document), coded_topics()
    for topic in sorted(documented.keys() | coded.keys()):
        if documented.get(topic) != coded.get(topic):
            yield f"topic {topic}: {documented.get(topic)} here, {coded.get(topic)} in the code"
    types = set().union(*(types_in(message) for message in messages.values()))
    patterns = coded_types()
    for pattern in sorted(patterns):
        if not any(re.fullmatch(pattern, name) for name in types):
            yield f"type {pattern} of the code is not here"
    contract = governance_types() | {"io.openlineage.run.v2", "io.openlineage.dataset.v2"}
    for name in sorted(types - contract):
        if not any(re.fullmatch(pattern, name) for pattern in patterns):
            yield f"type {name} is nowhere in the code"
    for name in sorted(contract - types):
        yield f"type {name} of the protos is not here"
    found = proto_messages()
    for message in messages.values():
        reference = message.get("payload", {}).get("schema", {}).get("$ref", "").removeprefix("../Protos/")
        if reference and found.get(message["name"]) != reference:
            yield f"message {message['name']} is not in {reference}"
    for operation in document["operations"].values():
        if operation["channel"]["$ref"].removeprefix("#/channels/") not in document["channels"]:
            yield f"no channel {operation['channel']['$ref']}"


def main():
    document = yaml.safe_load((ROOT / "Documentation/asyncapi.yaml").read_text())
    found = list(differences(document))
    for difference in found:
        print(f"Documentation/asyncapi.yaml: {difference}")
    return 1 if found else 0


sys.exit(main())
