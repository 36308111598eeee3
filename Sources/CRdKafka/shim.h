#pragma once
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

/// Hands a message to a producer: rd_kafka_producev, whose variable arguments Swift cannot pass. Key and value are copied; `headers` are
/// taken over where it succeeds; `context` comes back with the delivery report.
static inline rd_kafka_resp_err_t kith_kafka_produce(rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition,
                                                     const void *key, size_t key_size, const void *value, size_t value_size,
                                                     rd_kafka_headers_t *headers, void *context)
{
    return rd_kafka_producev(client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_size),
                             RD_KAFKA_V_VALUE((void *)value, value_size), RD_KAFKA_V_HEADERS(headers),
                             RD_KAFKA_V_OPAQUE(context), RD_KAFKA_V_END);
}
