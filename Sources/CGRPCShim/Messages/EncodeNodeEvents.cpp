// Events about more than points: transactions, audit, and what the node's own log tells.
#include "WritePoint.hpp"
#include "kith/v1/audit_events.pb.h"
#include "kith/v1/catalogue_events.pb.h"
#include "kith/v1/governance_events.pb.h"

namespace kith {

template <class Sink>
static void writeCounts(Fields<Sink> fields, uint64_t created, uint64_t updated, uint64_t deleted, uint64_t returned) {
    using Message = v1::AuditCounts;
    if (created + updated + deleted + returned == 0) {
        return;
    }
    fields.message(v1::AuditEvent::kCountsFieldNumber, [&](auto counts) {
        counts.number(Message::kCreatedFieldNumber, created);
        counts.number(Message::kUpdatedFieldNumber, updated);
        counts.number(Message::kDeletedFieldNumber, deleted);
        counts.number(Message::kReturnedFieldNumber, returned);
    });
}

template <class Sink>
static void writeSource(Fields<Sink> fields, const KithNodeEventView& event) {
    using Message = v1::NodeSource;
    fields.bytes(Message::kClusterFieldNumber, event.cluster);
    fields.number(Message::kPositionFieldNumber, event.position);
    fields.number(Message::kIndexFieldNumber, event.index);
    fields.number(Message::kCountFieldNumber, event.count);
    fields.number(Message::kTsUsFieldNumber, event.ts_us);
    fields.bytes(Message::kRequestIdFieldNumber, event.request_id);
    fields.bytes(Message::kContextFieldNumber, event.context);
}

}  // namespace kith

KithBuffer* kith_encode_transaction_event(const KithTransactionEventView* event) {
    using Message = kith::v1::TransactionEvent;
    return kith::encode([&](auto fields) {
        fields.number(Message::kStatusFieldNumber, event->ends ? Message::END : Message::BEGIN);
        fields.bytes(Message::kIdFieldNumber, event->id);
        if (event->ends) {
            fields.number(Message::kEventCountFieldNumber, event->event_count);
            fields.message(Message::kDataCollectionsFieldNumber, [&](auto collection) {
                collection.bytes(Message::DataCollection::kDataCollectionFieldNumber, event->collection);
                collection.number(Message::DataCollection::kEventCountFieldNumber, event->event_count);
            });
        }
        fields.number(Message::kTsUsFieldNumber, event->ts_us);
        fields.bytes(Message::kRequestIdFieldNumber, event->request_id);
        fields.bytes(Message::kContextFieldNumber, event->context);
    });
}

KithBuffer* kith_encode_commit_audit(const KithCommitAuditView* audit) {
    using Message = kith::v1::AuditEvent;
    return kith::encode([&](auto fields) {
        fields.bytes(Message::kIdFieldNumber, audit->id);
        fields.number(Message::kTsUsFieldNumber, audit->ts_us);
        fields.bytes(Message::kClusterFieldNumber, audit->cluster);
        fields.number(Message::kKindFieldNumber, kith::v1::AUDIT_KIND_WRITE);
        fields.bytes(Message::kResourceFieldNumber, audit->resource);
        fields.number(Message::kCollectionIdFieldNumber, audit->collection_id);
        fields.number(Message::kOutcomeFieldNumber, kith::v1::AUDIT_OUTCOME_SUCCEEDED);
        fields.bytes(Message::kCodeFieldNumber, {reinterpret_cast<const uint8_t*>("OK"), 2});
        fields.bytes(Message::kContextFieldNumber, audit->context);
        fields.bytes(Message::kRequestIdFieldNumber, audit->request_id);
        kith::writeCounts(fields, audit->created, audit->updated, audit->deleted, 0);
        const KithShardPosition position{audit->shard, audit->position};
        kith::writeAll(fields, Message::kPositionsFieldNumber, &position, 1);
    });
}

KithBuffer* kith_encode_request_audit(const KithRequestAuditView* audit) {
    using Message = kith::v1::AuditEvent;
    return kith::encode([&](auto fields) {
        fields.number(Message::kTsUsFieldNumber, audit->ts_us);
        fields.number(Message::kKindFieldNumber, audit->kind);
        fields.bytes(Message::kResourceFieldNumber, audit->resource);
        fields.number(Message::kCollectionIdFieldNumber, audit->collection_id);
        fields.number(Message::kOutcomeFieldNumber, audit->outcome);
        fields.bytes(Message::kCodeFieldNumber, audit->code);
        fields.bytes(Message::kReasonFieldNumber, audit->reason);
        fields.bytes(Message::kContextFieldNumber, audit->context);
        fields.bytes(Message::kRequestIdFieldNumber, audit->request_id);
        kith::writeCounts(fields, audit->created, audit->updated, audit->deleted, audit->returned);
        kith::writeAll(fields, Message::kPositionsFieldNumber, audit->positions, audit->position_count);
    });
}

KithBuffer* kith_encode_node_event(const KithNodeEventView* event) {
    // Serialised messages merge when they follow one another: the body was made before its commit had a position.
    return kith::encode([&](auto fields) {
        fields.fields(event->body);
        const auto source = [&](auto source) { kith::writeSource(source, *event); };
        switch (event->kind) {
            case KITH_NODE_CATALOGUE:
                fields.bytes(kith::v1::CatalogueEvent::kIdFieldNumber, event->id);
                fields.message(kith::v1::CatalogueEvent::kSourceFieldNumber, source);
                break;
            case KITH_NODE_GOVERNANCE:
                fields.bytes(kith::v1::GovernanceEvent::kIdFieldNumber, event->id);
                fields.message(kith::v1::GovernanceEvent::kSourceFieldNumber, source);
                break;
            case KITH_NODE_AUDIT:
                fields.bytes(kith::v1::AuditEvent::kIdFieldNumber, event->id);
                fields.bytes(kith::v1::AuditEvent::kClusterFieldNumber, event->cluster);
                break;
        }
    });
}
