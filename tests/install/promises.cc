// Takes the address of every function that <fed/...> promises: links only if the shared library
// exports them all.
#include <cstdio>
#include <memory>

#include "fed/client.h"
#include "fed/client_options.h"
#include "fed/client_pool.h"
#include "fed/dataset.h"
#include "fed/model_plan.h"
#include "fed/parameters.h"
#include "fed/predictor.h"
#include "fed/status.h"
#include "fed/trainer.h"

namespace {

// An application's own trainer: needs the vtable of its base.
class OwnTrainer final : public fed::Trainer {
 public:
  fed::StatusOr<fed::TrainResult> Train(const fed::Parameters& global, const fed::TrainConfig&,
                                        fed::TrainContext&) override {
    fed::TrainResult result;
    result.parameters = global.Clone();
    return result;
  }
};

template <typename Function>
int Linked(Function function) {
  return function == nullptr ? 0 : 1;
}

int LinkedFunctions() {
  using fed::Predictor;
  return Linked(static_cast<std::string (*)(const fed::Value&)>(fed::ToString)) +
         Linked(static_cast<std::string (*)(const fed::TensorInfo&)>(fed::ToString)) +
         Linked(fed::DtypeName) + Linked(fed::DtypeFromName) + Linked(fed::DtypeBytes) +
         Linked(fed::IsTrainableDtype) + Linked(&fed::TensorInfo::elements) +
         Linked(&fed::Parameters::Clone) + Linked(&fed::Parameters::Add) +
         Linked(&fed::Parameters::Find) + Linked(fed::ParseModelPlan) + Linked(fed::TensorsOf) +
         Linked(fed::Initialize) + Linked(fed::NewMemoryDataset) + Linked(fed::LoadIdxDataset) +
         Linked(fed::LoadCsvDataset) + Linked(fed::NewSubset) + Linked(&fed::Trainer::Evaluate) +
         Linked(fed::NewNativeTrainer) + Linked(&Predictor::New) + Linked(&Predictor::Load) +
         Linked(fed::ArgMax) + Linked(&fed::Client::New) + Linked(&fed::ClientPool::New);
}

}  // namespace

int main() {
  const std::unique_ptr<fed::Trainer> trainer = std::make_unique<OwnTrainer>();
  fed::TrainContext context;
  const bool takes_no_part =
      trainer->Evaluate({}, {}, context).status().code() == fed::StatusCode::kUnimplemented;
  const bool own = dynamic_cast<OwnTrainer*>(trainer.get()) != nullptr;
  const int linked = LinkedFunctions();
  std::printf("%d functions\n", linked);
  return linked == 24 && takes_no_part && own ? 0 : 1;
}
