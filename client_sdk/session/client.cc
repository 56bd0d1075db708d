// A pool of one device, over gRPC.
#include "fed/client.h"

#include <utility>

#include "client_sdk/session/device_pool.h"
#include "client_sdk/transport/grpc_transport.h"
#include "common/base/mutex.h"

namespace fed {
namespace {

class PooledClient final : public Client {
 public:
  PooledClient() : pool_({client::NewGrpcTransportFactory()}) {}

  Status Add(ClientOptions options) {
    FED_ASSIGN_OR_RETURN(device_, pool_.Add(std::move(options)));
    return {};
  }

  Status Run() override {
    pool_.Start(device_, [this](Status status) {
      MutexLock lock(mu_);
      end_ = std::move(status);
    });
    pool_.Wait();
    MutexLock lock(mu_);
    return end_;
  }

  void Stop() override { pool_.Stop(); }

 private:
  int device_ = 0;
  Mutex mu_;
  Status end_ FED_GUARDED_BY(mu_);
  client::DevicePool pool_;  // last: it ends before what its callbacks use
};

}  // namespace

StatusOr<std::unique_ptr<Client>> Client::New(ClientOptions options) {
  auto client = std::make_unique<PooledClient>();
  FED_RETURN_IF_ERROR(client->Add(std::move(options)));
  return std::unique_ptr<Client>(std::move(client));
}

}  // namespace fed
