// Devices of the SDK, many in one pool, and what they train on.
#ifndef FED_TESTS_INTEGRATION_SDK_DEVICES_H_
#define FED_TESTS_INTEGRATION_SDK_DEVICES_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "fed/client_pool.h"
#include "fed/dataset.h"
#include "tests/integration/running_server.h"
#include "tests/testing/temp_folder.h"
#include "tests/testing/test_pki.h"

namespace fed::testing {

class SdkDevices {
 public:
  explicit SdkDevices(const RunningServer& server, int threads = 2);
  ~SdkDevices();  // stops all

  // With a certificate that someone else keeps: then the device's id, and with it its seeds and its
  // place in every sum, is the test's.
  void Add(const TestIdentity& identity, const std::string& job, TrainerFactory trainer);
  // With a token, as a device in the field.
  void AddWithToken(const std::string& name, const std::string& token, const std::string& job,
                    TrainerFactory trainer);

  // How each ended, by name. False: some have not within kPatience.
  bool AwaitEnds();
  std::map<std::string, Status> ends() const;

 private:
  void Start(const std::string& name, const std::string& job, ClientOptions options);

  const RunningServer& server_;
  TempFolder folder_;
  mutable Mutex mu_;
  CondVar changed_;
  std::size_t added_ FED_GUARDED_BY(mu_) = 0;
  std::map<std::string, Status> ends_ FED_GUARDED_BY(mu_);
  std::vector<std::string> lines_ FED_GUARDED_BY(mu_);
  std::unique_ptr<ClientPool> pool_;
};

// Examples of kTinyPlan: four features whose largest of the first three is the class.
class TinyData {
 public:
  TinyData(int examples, std::uint64_t seed);
  const Dataset& dataset() const { return *dataset_; }
  const std::vector<float>& features() const { return features_; }
  const std::vector<float>& labels() const { return labels_; }
  TrainerFactory NativeTrainer() const;  // outlived by this

 private:
  std::vector<float> features_, labels_;
  std::unique_ptr<Dataset> dataset_;
};

// A trainer made of a function.
using TrainFunction =
    std::function<StatusOr<TrainResult>(const Parameters& global, TrainContext& context)>;
TrainerFactory TrainBy(TrainFunction train);

}  // namespace fed::testing

#endif  // FED_TESTS_INTEGRATION_SDK_DEVICES_H_
