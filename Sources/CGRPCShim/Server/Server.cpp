#include <google/protobuf/descriptor.h>
#include <grpc/grpc.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "Messages/Buffer.hpp"
#include "Methods.hpp"
#include "RawService.hpp"

struct KithServer {
    kith::CallHost calls;
    std::vector<std::unique_ptr<kith::RawService>> services;
    int port = 0;
    // Last, so that it goes first: it uses the services.
    std::unique_ptr<grpc::Server> server;
};

namespace {

/// How long answers take to arrive, generously.
constexpr auto settleTime = std::chrono::milliseconds(100);

/// Reflection for this server or not. The library adds it to every server of the process as soon as it is linked.
class Reflection final : public grpc::ServerBuilderOption {
public:
    explicit Reflection(bool wanted) : wanted(wanted) {}

private:
    const bool wanted;

    void UpdateArguments(grpc::ChannelArguments*) override {}

    void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
        auto reflection = std::make_unique<grpc::reflection::ProtoServerReflectionPlugin>();
        const auto same = [&](const auto& plugin) { return plugin->name() == reflection->name(); };
        plugins->erase(std::remove_if(plugins->begin(), plugins->end(), same), plugins->end());
        if (wanted) {
            plugins->push_back(std::move(reflection));
        }
    }
};

void configureConnections(grpc::ServerBuilder& builder, const KithServerOptions& options) {
    if (options.max_concurrent_streams > 0) {
        builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_concurrent_streams);
    }
    // A second server on the port must fail, and not share it.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    // Dead peers are noticed after 80 seconds; clients may ping as often as every ten, also while they have no call.
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 60'000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20'000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
    // Per-call bookkeeping for a debug page that nothing here serves.
    builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
}

}  // namespace

KithServer* kith_server_start(const KithServerOptions* options, KithServerCallbacks callbacks, KithBuffer** error) {
    *error = nullptr;
    try {
        auto server = std::make_unique<KithServer>();
        server->calls.callbacks = callbacks;

        // Health is answered by the service behind the callbacks, which knows when it can serve.
        grpc::EnableDefaultHealthCheckService(false);
        grpc::ServerBuilder builder;
        builder.AddListeningPort(options->address, grpc::InsecureServerCredentials(), &server->port);
        builder.SetMaxReceiveMessageSize(static_cast<int>(options->max_message_bytes));
        builder.SetMaxSendMessageSize(static_cast<int>(options->max_message_bytes));
        configureConnections(builder, *options);

        const google::protobuf::ServiceDescriptor* last = nullptr;
        for (const auto& method : kith::methods()) {
            if (method.service != last) {
                last = method.service;
                server->services.push_back(std::make_unique<kith::RawService>(*last, server->calls));
                builder.RegisterService(server->services.back().get());
            }
        }
        builder.SetOption(std::make_unique<Reflection>(options->reflection));
        // Reflection is the only service with threads of its own: one is enough.
        builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
        builder.SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
        builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 1);
        server->server = builder.BuildAndStart();
        if (server->server == nullptr || server->port == 0) {
            *error = kith::makeBuffer("cannot listen on " + std::string(options->address) + ": in use, unknown or not permitted");
            return nullptr;
        }
        return server.release();
    } catch (const std::exception& failure) {
        *error = kith::makeBuffer(failure.what());
        return nullptr;
    }
}

int32_t kith_server_port(const KithServer* server) {
    return server->port;
}

void kith_server_stop(KithServer* server, int64_t grace_milliseconds) {
    std::mutex mutex;
    std::condition_variable shutDown;
    bool isShutDown = false;
    // gRPC waits until all connections are closed, also those without a call, whose clients may not look at them for long.
    // So once the calls are done, connections are cut; not at once, for the last answers to arrive.
    std::thread cutter([&] {
        std::unique_lock lock(mutex);
        while (!shutDown.wait_for(lock, settleTime, [&] { return isShutDown; })) {
            if (server->calls.openCalls == 0) {
                grpc_server_cancel_all_calls(server->server->c_server());
            }
        }
    });
    server->server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(grace_milliseconds));
    {
        const std::lock_guard lock(mutex);
        isShutDown = true;
    }
    shutDown.notify_one();
    cutter.join();
    server->server->Wait();
}

void kith_server_free(KithServer* server) {
    delete server;
}
