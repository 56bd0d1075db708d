// Any number of devices, over gRPC.
#include "fed/client_pool.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "client_sdk/session/device_pool.h"
#include "client_sdk/transport/grpc_transport.h"

namespace fed {
namespace {

class GrpcClientPool final : public ClientPool {
 public:
  explicit GrpcClientPool(int threads) : pool_({client::NewGrpcTransportFactory(), threads}) {}

  Status Add(ClientOptions options, std::function<void(Status)> ended) override {
    FED_ASSIGN_OR_RETURN(const int device, pool_.Add(std::move(options)));
    pool_.Start(device, std::move(ended));
    return {};
  }
  void StopOne(const std::string& state_dir) override { pool_.StopOne(state_dir); }
  void Stop() override { pool_.Stop(); }
  void Wait() override { pool_.Wait(); }

 private:
  client::DevicePool pool_;
};

}  // namespace

StatusOr<std::unique_ptr<ClientPool>> ClientPool::New(int threads) {
  if (threads < 1) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("ClientPool of ", threads, " threads: at least 1"));
  }
  return std::unique_ptr<ClientPool>(std::make_unique<GrpcClientPool>(threads));
}

}  // namespace fed
