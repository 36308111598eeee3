"""Governance from Python: register a model, classify a field, hold points, erase a person's data with a proof, and
let the server delete what is old. The job that writes the points tells its lineage.

    Scripts/python-environment.sh
    .build/python/bin/python Examples/python/governance.py --address 127.0.0.1:7040
"""

import argparse
import hashlib
import json
import time
import uuid

import grpc

import stubs  # noqa: F401 (makes the modules below)
from google.rpc import error_pb2
from kith.v1 import collection_service_pb2 as collections
from kith.v1 import collection_service_pb2_grpc
from kith.v1 import governance_service_pb2 as governance
from kith.v1 import governance_service_pb2_grpc
from kith.v1 import point_service_pb2 as points
from kith.v1 import point_service_pb2_grpc
from kith.v1 import types_pb2 as types


def reason(error):
    """The reason of a failed call, and the values that its message mentions."""
    details = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
    info = error_pb2.ErrorInfo()
    for detail in error_pb2.Status.FromString(details).details:
        detail.Unpack(info)
    return info.reason, dict(info.metadata)


def patient(number, person):
    payload = json.dumps({"person": {"id": person, "name": f"Name of {person}"}})
    return types.Point(
        id=types.PointId(number=number), vectors=[types.Vector(values=[number, 1.0])], payload_json=payload)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="127.0.0.1:7040", help="of a running server (%(default)s)")
    parser.add_argument("--collection", default="patients", help="made, and deleted at the end (%(default)s)")
    arguments = parser.parse_args()
    name = arguments.collection

    with grpc.insecure_channel(arguments.address) as channel:
        collection_service = collection_service_pb2_grpc.CollectionServiceStub(channel)
        point_service = point_service_pb2_grpc.PointServiceStub(channel)
        service = governance_service_pb2_grpc.GovernanceServiceStub(channel)

        model = service.RegisterModel(governance.RegisterModelRequest(model=governance.EmbeddingModel(
            id="example-model", revision="1", dimension=2, owner="search", licence="apache-2.0")))
        print(f"registered  {model.id}@{model.revision}, owner {model.owner}")

        space = collections.VectorSpace(
            dimension=2, metric=types.METRIC_L2, model=collections.Model(id=model.id, revision=model.revision))
        collection_service.CreateCollection(collections.CreateCollectionRequest(
            collection=collections.Collection(name=name, vector_spaces=[space])))
        try:
            run = governance.RecordRunRequest(
                job=governance.RecordRunRequest.Name(namespace="example", name="admissions"), run_id=str(uuid.uuid4()),
                inputs=[governance.RecordRunRequest.Name(namespace="s3://raw", name="admissions")],
                outputs=[governance.RecordRunRequest.Output(collection=name)], state=governance.RUN_STATE_START)
            service.RecordRun(run)
            point_service.Upsert(points.UpsertRequest(
                collection=name, points=[patient(number, f"p{number % 3}") for number in range(1, 10)]))
            run.state = governance.RUN_STATE_COMPLETE
            run.outputs[0].row_count = 9
            service.RecordRun(run)
            print(f"told        that {run.job.name} wrote {run.outputs[0].row_count} points from {run.inputs[0].namespace}")
            found = service.SetClassification(governance.SetClassificationRequest(
                collection=name, field="person.name", classification="restricted", labels=["pii"]))
            print(f"classified  {found.field} as {found.classification}, {', '.join(found.labels)}")

            # Holds are named once: the time makes another name of each run.
            hold = f"case-{time.time_ns()}"
            service.PlaceLegalHold(governance.PlaceLegalHoldRequest(hold=governance.Hold(
                name=hold, collection=name, field="person.id", value_json='"p1"', reason="court order")))
            try:
                point_service.Delete(points.DeleteRequest(collection=name, ids=[types.PointId(number=4)]))
            except grpc.RpcError as error:
                why, values = reason(error)
                print(f"refused     to delete point {values['point']}: {why}")
            service.ReleaseLegalHold(governance.ReleaseLegalHoldRequest(hold=hold, reason="settled"))

            erasure = service.RequestErasure(governance.RequestErasureRequest(erasure=governance.Erasure(
                name=f"erasure-{time.time_ns()}", subject="ticket-88", collection=name, field="person.id", value_json='"p1"')))
            while erasure.stage != governance.Erasure.STAGE_PROVED:
                time.sleep(0.1)
                erasure = service.GetErasure(governance.GetErasureRequest(erasure=erasure.name))
            expected = hashlib.sha256(b"1\n4\n7\n").digest()
            print(f"erased      {erasure.deleted} points, of the ids we meant: {erasure.points_sha256 == expected}")

            old = types.Point(id=types.PointId(number=10), vectors=[types.Vector(values=[10, 1.0])],
                              payload_json='{"seen_at": "2001-09-09T01:46:40Z"}')
            point_service.Upsert(points.UpsertRequest(collection=name, points=[old]))
            rule = service.SetRetention(governance.SetRetentionRequest(
                collection=name, max_age_seconds=30 * 86_400, field="seen_at"))
            while rule.deleted == 0:
                time.sleep(0.1)
                rule = service.GetRetention(governance.GetRetentionRequest(collection=name))
            print(f"retained    {rule.max_age_seconds // 86_400} days: {rule.deleted} point deleted, {rule.undated} have no {rule.field}")
        finally:
            collection_service.DeleteCollection(collections.DeleteCollectionRequest(name=name))
        print(f"deleted     {name}")


if __name__ == "__main__":
    main()
