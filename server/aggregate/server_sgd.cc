// No state: nothing of one round is kept for the next.
#include "server/aggregate/server_sgd.h"

#include "common/base/check.h"

namespace fed::server {
namespace {

class ServerSgd final : public ServerOptimizer {
 public:
  explicit ServerSgd(double learning_rate) : learning_rate_(learning_rate) {}

  int state_tensors() const override { return 0; }

  void Step(absl::Span<const float> aggregate, absl::Span<float> parameters,
            absl::Span<const absl::Span<float>>) const override {
    FED_DCHECK(aggregate.size() == parameters.size());
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const double step = learning_rate_ * static_cast<double>(aggregate[i]);
      parameters[i] = static_cast<float>(static_cast<double>(parameters[i]) + step);
    }
  }

 private:
  const double learning_rate_;
};

}  // namespace

std::unique_ptr<ServerOptimizer> MakeServerSgd(double learning_rate) {
  return std::make_unique<ServerSgd>(learning_rate);
}

}  // namespace fed::server
