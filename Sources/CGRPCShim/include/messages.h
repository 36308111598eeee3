// Messages as flat views.
//
// Decoding copies a serialised message once, into pooled memory, and fills a view that borrows from the copy: no field is copied
// again (packed floats are, to align them). Encoding goes the other way, from views into one buffer. Control messages, which are
// rare, cross as canonical protobuf JSON instead. Borrowed vectors may lie at any address: they are not aligned.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/// Borrowed bytes: valid as long as what they were borrowed from.
typedef struct KithBytes {
    const uint8_t *_Nullable data;
    size_t size;
} KithBytes;

/// A serialised message, owned: free with kith_buffer_free, or hand it to a reply or a send, which takes it over.
typedef struct KithBuffer KithBuffer;
KithBytes kith_buffer_bytes(const KithBuffer *_Nonnull buffer);
void kith_buffer_free(KithBuffer *_Nullable buffer);

/// The parsed messages behind a view. Freeing it ends every view borrowed from it.
typedef struct KithMessage KithMessage;
void kith_message_free(KithMessage *_Nullable message);

typedef enum KithPointIDKind { KITH_ID_UNSET = 0, KITH_ID_NUMBER = 1, KITH_ID_UUID = 2, KITH_ID_NAME = 3 } KithPointIDKind;

typedef struct KithPointIDView {
    KithPointIDKind kind;
    uint64_t number;
    KithBytes bytes;                        // UUID (any length: the reader checks) or name
} KithPointIDView;

typedef struct KithVectorView {
    KithBytes space;
    KithBytes data;
    const float *_Nullable values;
    size_t value_count;
    int32_t element_type;                   // as on the wire; unknown values come through
} KithVectorView;

typedef struct KithPointView {
    KithPointIDView id;
    const KithVectorView *_Nullable vectors;
    size_t vector_count;
    KithBytes payload_json;
    uint64_t version;
    float score;                            // only in search results
} KithPointView;

typedef struct KithShardPosition {
    uint32_t shard;
    uint64_t position;
} KithShardPosition;

typedef struct KithSelectorView {
    bool payload;
    bool vectors;
    const KithBytes *_Nullable spaces;
    size_t space_count;
} KithSelectorView;

typedef enum KithOperationKind {
    KITH_OPERATION_UNSET = 0,
    KITH_OPERATION_UPSERT = 1,
    KITH_OPERATION_DELETE = 2,
    KITH_OPERATION_UPDATE_PAYLOAD = 3,
    KITH_OPERATION_UPDATE_VECTORS = 4,
} KithOperationKind;

/// One write operation of any kind: fields that the kind lacks are zero.
typedef struct KithOperationView {
    KithOperationKind kind;
    KithPointView point;                    // id always; vectors and payload where the kind has them
    int32_t mode;                           // WriteMode or PayloadMode, as on the wire
    bool has_if_version;
    uint64_t if_version;
    const KithBytes *_Nullable keys;        // payload keys to delete, or spaces to remove
    size_t key_count;
} KithOperationView;

/// Upsert, BatchWrite, Delete, UpdatePayload and UpdateVectors, all brought to one form (request-wide mode and if_version are
/// copied into the operations; `has_request_if_version` says that the request carried one, which is only right with one
/// operation).
typedef struct KithWriteView {
    KithBytes collection;
    KithBytes request_id;
    int32_t durability;
    bool has_request_if_version;
    const KithOperationView *_Nullable operations;
    size_t operation_count;
} KithWriteView;

typedef enum KithWriteKind {
    KITH_WRITE_UPSERT = 0,
    KITH_WRITE_BATCH = 1,
    KITH_WRITE_DELETE = 2,
    KITH_WRITE_UPDATE_PAYLOAD = 3,
    KITH_WRITE_UPDATE_VECTORS = 4,
} KithWriteKind;

typedef struct KithSearchView {
    KithBytes collection;
    bool has_query;                         // `query` was there
    bool has_vector, has_point_id;          // which form of it
    KithVectorView vector;
    KithPointIDView point_id;
    KithBytes vector_space;
    uint32_t top_k;
    uint32_t effort;
    bool exact, indexed_only;
    float recall_target;
    bool has_score_threshold;
    float score_threshold;
    bool has_score_transform, has_score_scale;
    int32_t score_function;
    float score_scale, score_offset;
    KithSelectorView select;
    const KithShardPosition *_Nullable min_positions;
    size_t min_position_count;
    uint64_t tag;                           // only on streams
} KithSearchView;

typedef struct KithGetView {
    KithBytes collection;
    const KithPointIDView *_Nullable ids;
    size_t id_count;
    KithSelectorView select;
    const KithShardPosition *_Nullable min_positions;
    size_t min_position_count;
} KithGetView;

typedef enum KithUpsertStreamKind {
    KITH_STREAM_UNSET = 0,
    KITH_STREAM_OPEN = 1,
    KITH_STREAM_ITEM = 2,
    KITH_STREAM_FLUSH = 3,
    KITH_STREAM_CLOSE = 4,
} KithUpsertStreamKind;

typedef struct KithUpsertStreamView {
    KithUpsertStreamKind kind;
    KithBytes collection, stream_id;        // open
    int32_t durability;                     // open
    uint64_t sequence;                      // item
    KithOperationView operation;            // item; kind is UNSET where it was missing
} KithUpsertStreamView;

// Decoding: NULL when the bytes are not such a message. The views live until kith_message_free. Input need not outlive the call.
KithMessage *_Nullable kith_decode_write(KithWriteKind kind, KithBytes bytes, KithWriteView *_Nonnull view);
KithMessage *_Nullable kith_decode_search(KithBytes bytes, KithSearchView *_Nonnull view);
/// `searches` gets an array of `count` views; an empty collection is filled from the request's. Not copied: the input must outlive the
/// views.
KithMessage *_Nullable kith_decode_search_batch(KithBytes bytes, const KithSearchView *_Nullable *_Nonnull searches,
                                                size_t *_Nonnull count);
KithMessage *_Nullable kith_decode_search_stream(KithBytes bytes, KithSearchView *_Nonnull view);
/// What a request of a method (its number) is about; texts are empty where it does not say.
typedef struct KithRequestNames {
    KithBytes prefix;                       // "collections/" or "webhooks/"
    KithBytes name, request_id;
} KithRequestNames;
KithMessage *_Nullable kith_decode_request_names(int32_t method, KithBytes bytes, KithRequestNames *_Nonnull names);
KithMessage *_Nullable kith_decode_get(KithBytes bytes, KithGetView *_Nonnull view);
KithMessage *_Nullable kith_decode_upsert_stream(KithBytes bytes, KithUpsertStreamView *_Nonnull view);

typedef struct KithOutcomeView {
    int32_t result;                         // WriteOutcome.Result
    uint64_t version;
    KithBytes error;
} KithOutcomeView;

/// What a search found, or why not: a status code other than 0 comes with a serialised google.rpc.Status.
typedef struct KithSearchOutcomeView {
    int32_t code;
    KithBytes status;
    const KithPointView *_Nullable results;
    size_t result_count;
    uint64_t unindexed_left_out;
    uint64_t tag;                           // only on streams
} KithSearchOutcomeView;

typedef struct KithVectorImageView {
    KithBytes space;
    KithBytes data;
    uint64_t digest;
} KithVectorImageView;

typedef struct KithPointImageView {
    bool present;
    KithPointIDView id;
    KithBytes payload_json;
    const KithVectorImageView *_Nullable vectors;
    size_t vector_count;
    uint64_t version;
} KithPointImageView;

typedef struct KithChangeEventView {
    KithBytes id;
    int32_t op;                             // ChangeOperation
    KithPointImageView before, after;
    const KithBytes *_Nullable changed_fields;
    size_t changed_field_count;
    KithBytes cluster, collection;
    uint32_t collection_id, shard;
    uint64_t position;
    uint32_t index, count;
    KithBytes request_id;
    int64_t ts_us;
    KithBytes context;                      // a serialised RequestContext
    uint64_t schema_version;
    KithBytes models;                       // as kith_encode_space_models has them
    uint64_t version_before, version_after;
    KithBytes transaction;                  // its id, empty where transactions are not published
    KithBytes frame;                        // what stands before the message
    uint64_t claimed_bytes;                 // not 0: payloads and vectors are left out for their size, and a claim check says so
} KithChangeEventView;

/// The model of a vector space.
typedef struct KithSpaceModelView {
    KithBytes space, id, revision;
} KithSpaceModelView;

typedef struct KithTransactionEventView {
    bool ends;
    KithBytes id, collection;
    uint64_t event_count;
    int64_t ts_us;
    KithBytes request_id, context;
} KithTransactionEventView;

/// An AuditEvent about a commit.
typedef struct KithCommitAuditView {
    KithBytes id, cluster, resource;
    uint32_t collection_id, shard;
    uint64_t position, created, updated, deleted;
    int64_t ts_us;
    KithBytes request_id, context;
} KithCommitAuditView;

/// An AuditEvent about a request, without id and cluster, which its commit in the node's log gives it.
typedef struct KithRequestAuditView {
    int32_t kind, outcome;
    KithBytes resource, code, reason, request_id, context;
    uint32_t collection_id;
    int64_t ts_us;
    uint64_t created, updated, deleted, returned;
    const KithShardPosition *_Nullable positions;
    size_t position_count;
} KithRequestAuditView;

typedef enum KithNodeEventKind {
    KITH_NODE_CATALOGUE = 1,
    KITH_NODE_AUDIT = 2,
    KITH_NODE_GOVERNANCE = 3,
} KithNodeEventKind;

/// An event of the node's log: its body is a serialised message of the kind, without what stands here.
typedef struct KithNodeEventView {
    KithNodeEventKind kind;
    KithBytes id, cluster;
    uint64_t position;
    uint32_t index, count;
    int64_t ts_us;
    KithBytes request_id, context, body;
} KithNodeEventView;

/// What a serialised RequestContext says, borrowed from it.
typedef struct KithRequestContextView {
    KithBytes actor, client_address, traceparent, method;
} KithRequestContextView;

// Encoding: one allocation, exactly as long as the message. NULL only when memory ends.
KithBuffer *_Nullable kith_encode_write_response(const KithOutcomeView *_Nullable outcomes, size_t outcome_count,
                                                 const KithShardPosition *_Nullable positions, size_t position_count, bool replayed);
KithBuffer *_Nullable kith_encode_search_response(const KithSearchOutcomeView *_Nonnull outcome);
/// Also of some of the outcomes: repeated fields go on where parts are joined.
KithBuffer *_Nullable kith_encode_search_batch_response(const KithSearchOutcomeView *_Nullable outcomes, size_t count);
/// A message from its parts, each a serialised message of the same type.
KithBuffer *_Nullable kith_encode_joined(const KithBytes *_Nullable parts, size_t count);
KithBuffer *_Nullable kith_encode_search_stream_response(const KithSearchOutcomeView *_Nonnull outcome);
KithBuffer *_Nullable kith_encode_get_response(const KithPointView *_Nullable points, size_t point_count,
                                               const KithPointIDView *_Nullable missing, size_t missing_count);
KithBuffer *_Nullable kith_encode_scroll_response(const KithPointView *_Nullable points, size_t count, KithBytes next_page_token);
KithBuffer *_Nullable kith_encode_export_response(const KithPointView *_Nullable points, size_t count,
                                                  const KithShardPosition *_Nullable positions, size_t position_count);
KithBuffer *_Nullable kith_encode_stream_opened(uint32_t credit, uint64_t last_acked);
KithBuffer *_Nullable kith_encode_stream_ack(uint64_t from, uint64_t to, const KithShardPosition *_Nullable positions, size_t count);
KithBuffer *_Nullable kith_encode_stream_item_error(uint64_t sequence, KithBytes status);
KithBuffer *_Nullable kith_encode_stream_credit(uint32_t additional);
KithBuffer *_Nullable kith_encode_stream_go_away(KithBytes reason, uint64_t last_sequence);
KithBuffer *_Nullable kith_encode_change_event(const KithChangeEventView *_Nonnull event);
/// Without payload and vectors where `is_claimed`; `frame` stands before the message.
KithBuffer *_Nullable kith_encode_point_image(const KithPointImageView *_Nonnull image, bool is_claimed, KithBytes frame);
KithBuffer *_Nullable kith_encode_transaction_event(const KithTransactionEventView *_Nonnull event);
KithBuffer *_Nullable kith_encode_commit_audit(const KithCommitAuditView *_Nonnull audit);
KithBuffer *_Nullable kith_encode_request_audit(const KithRequestAuditView *_Nonnull audit);
KithBuffer *_Nullable kith_encode_node_event(const KithNodeEventView *_Nonnull event);
/// The `models` of a ChangeSource, serialised once for all events of a collection.
KithBuffer *_Nullable kith_encode_space_models(const KithSpaceModelView *_Nullable models, size_t count);
/// Texts are empty where they are missing, and where the bytes are no RequestContext.
KithRequestContextView kith_view_request_context(KithBytes context);
/// `event` is a serialised ChangeEvent.
KithBuffer *_Nullable kith_encode_get_event_response(KithBytes event);
/// `events` are serialised ChangeEvents. No heartbeat where `positions` is NULL.
KithBuffer *_Nullable kith_encode_subscribe_response(const KithBytes *_Nullable events, size_t event_count,
                                                     const KithShardPosition *_Nullable positions, size_t position_count);

typedef struct KithPair {
    KithBytes key, value;
} KithPair;

/// A serialised google.rpc.Status with ErrorInfo, and with BadRequest and RetryInfo where there are violations or a delay.
KithBuffer *_Nullable kith_encode_status(int32_t code, KithBytes message, KithBytes reason, KithBytes domain,
                                         const KithPair *_Nullable metadata, size_t metadata_count,
                                         const KithPair *_Nullable violations, size_t violation_count, int64_t retry_milliseconds);

/// Decodes a serialised google.rpc.Status into JSON
/// {"code","message","reason","metadata":{},"violations":[{"field","description"}]}.
KithBuffer *_Nullable kith_status_to_json(KithBytes status);

// Client side: requests are built, answers are viewed.
/// UPSERT (mode and condition are those of the first operation) and BATCH; NULL for the other kinds, which a batch can say as
/// well.
KithBuffer *_Nullable kith_encode_write_request(KithWriteKind kind, const KithWriteView *_Nonnull view);
KithBuffer *_Nullable kith_encode_upsert_stream_request(const KithUpsertStreamView *_Nonnull view);
KithBuffer *_Nullable kith_encode_search_request(const KithSearchView *_Nonnull view);
KithBuffer *_Nullable kith_encode_search_batch_request(const KithSearchView *_Nonnull views, size_t count);

typedef struct KithWriteResponseView {
    const KithOutcomeView *_Nullable outcomes;
    size_t outcome_count;
    const KithShardPosition *_Nullable positions;
    size_t position_count;
    bool replayed;
} KithWriteResponseView;
KithMessage *_Nullable kith_decode_write_response(KithBytes bytes, KithWriteResponseView *_Nonnull view);
/// A ChangeEvent as it came: what `event` has of it, but for context, models and transaction, and what consumers want of those.
typedef struct KithChangeRecordView {
    KithChangeEventView event;
    bool is_claimed;                        // the images have neither payload nor vectors
    KithBytes claimed_event;                // the id of the whole event
    KithBytes actor, client_name, client_version, client_address, method;
    const KithSpaceModelView *_Nullable models;
    size_t model_count;
} KithChangeRecordView;
KithMessage *_Nullable kith_decode_change_event(KithBytes bytes, KithChangeRecordView *_Nonnull view);
KithMessage *_Nullable kith_decode_search_response(KithBytes bytes, KithSearchOutcomeView *_Nonnull view);

typedef struct KithPointsView {
    const KithPointView *_Nullable points;
    size_t point_count;
    KithBytes next_page_token;
    const KithShardPosition *_Nullable positions;
    size_t position_count;
} KithPointsView;
KithMessage *_Nullable kith_decode_get_response(KithBytes bytes, KithPointsView *_Nonnull view);
KithMessage *_Nullable kith_decode_scroll_response(KithBytes bytes, KithPointsView *_Nonnull view);
KithMessage *_Nullable kith_decode_export_response(KithBytes bytes, KithPointsView *_Nonnull view);

typedef enum KithStreamAnswerKind {
    KITH_ANSWER_UNSET = 0,
    KITH_ANSWER_OPENED = 1,
    KITH_ANSWER_ACK = 2,
    KITH_ANSWER_ITEM_ERROR = 3,
    KITH_ANSWER_CREDIT = 4,
    KITH_ANSWER_GO_AWAY = 5,
} KithStreamAnswerKind;

typedef struct KithStreamAnswerView {
    KithStreamAnswerKind kind;
    uint32_t credit;                        // opened, credit
    uint64_t sequence_from, sequence_to;    // ack; item error: both the item; opened and go away: `to` is the last
    KithBytes text;                         // go away: the reason; item error: a serialised google.rpc.Status
} KithStreamAnswerView;
KithMessage *_Nullable kith_decode_upsert_stream_response(KithBytes bytes, KithStreamAnswerView *_Nonnull view);

// Any message of the protos by its full name, such as "kith.v1.Collection".
/// JSON to bytes; unknown fields are refused. NULL with `error` (owned, UTF-8) when it does not fit.
KithBuffer *_Nullable kith_json_to_message(const char *_Nonnull type, KithBytes json, KithBuffer *_Nullable *_Nonnull error);
/// Bytes to canonical JSON, fields with default values included where `defaults`. NULL when the bytes are no such message.
KithBuffer *_Nullable kith_message_to_json(const char *_Nonnull type, KithBytes bytes, bool defaults);

/// The place of a message among those of its file, from 0; -1 for a name that the protos do not have.
int32_t kith_message_index(const char *_Nonnull type);

#ifdef __cplusplus
}
#endif
