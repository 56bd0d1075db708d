// What every Store must do, whatever it is made of. The cases are tests/unit/server/store/store_*:
// a program that links them and instantiates the fixtures below runs them all.
#ifndef FED_TESTS_TESTING_STORE_CONFORMANCE_H_
#define FED_TESTS_TESTING_STORE_CONFORMANCE_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "server/store/store.h"
#include "tests/testing/records.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace fed::server {

struct StoreKind {
  std::string name;
  // Makes an empty store that may keep files in `folder`.
  std::function<std::unique_ptr<Store>(const std::string& folder)> open;
  friend void PrintTo(const StoreKind& kind, std::ostream* out) { *out << kind.name; }
};

class StoreConformance : public ::testing::TestWithParam<StoreKind> {
 protected:
  StoreConformance() : store_(GetParam().open(folder_.path())) {}

  Store& store() { return *store_; }

  Status Edit(absl::FunctionRef<Status(StoreEdit&)> body) { return store_->Write(body); }

  // What `look` returns, in a read of its own.
  template <typename Look>
  auto See(Look look) {
    std::optional<decltype(look(std::declval<const StoreView&>()))> seen;
    const Status status = store_->Read([&](const StoreView& view) {
      seen = look(view);
      return Status();
    });
    EXPECT_OK(status);
    return *std::move(seen);
  }

  // Job "a" with its versions 0 to 2, its rounds 1 and 2, and assignment 1 of round 1.
  void Seed() {
    const Status status = Edit([](StoreEdit& edit) {
      FED_RETURN_IF_ERROR(edit.PutJob(TestJob("a")));
      for (int version = 0; version < 3; ++version) {
        FED_RETURN_IF_ERROR(edit.PutModel(TestModel("a", version)));
      }
      FED_RETURN_IF_ERROR(edit.PutRound(TestRound("a", 1)));
      FED_RETURN_IF_ERROR(edit.PutRound(TestRound("a", 2)));
      return edit.PutAssignment(TestAssignment("a", 1, 1));
    });
    ASSERT_OK(status);
  }

  Status Put(const JobRecord& job) {
    return Edit([&](StoreEdit& edit) { return edit.PutJob(job); });
  }
  Status Put(const ClientRecord& client) {
    return Edit([&](StoreEdit& edit) { return edit.PutClient(client); });
  }
  Status Put(const EnrollTokenRecord& token) {
    return Edit([&](StoreEdit& edit) { return edit.PutEnrollToken(token); });
  }
  Status Put(const CertificateRecord& certificate) {
    return Edit([&](StoreEdit& edit) { return edit.PutCertificate(certificate); });
  }
  Status Put(const RoundRecord& round) {
    return Edit([&](StoreEdit& edit) { return edit.PutRound(round); });
  }
  Status Put(const AssignmentRecord& assignment) {
    return Edit([&](StoreEdit& edit) { return edit.PutAssignment(assignment); });
  }
  Status Put(const ModelRecord& model) {
    return Edit([&](StoreEdit& edit) { return edit.PutModel(model); });
  }
  Status Put(const EvaluationRecord& evaluation) {
    return Edit([&](StoreEdit& edit) { return edit.PutEvaluation(evaluation); });
  }
  Status Add(const Receipt& receipt) {
    return Edit([&](StoreEdit& edit) { return edit.AddReceipt(receipt); });
  }
  Status PutMetrics(std::int64_t round, const Scalars& metrics) {
    return Edit([&](StoreEdit& edit) { return edit.PutRoundMetrics({"a"}, {round}, metrics); });
  }

 private:
  testing::TempFolder folder_;
  std::unique_ptr<Store> store_;
};

// With what Seed() puts, and receipts.
class ReceiptConformance : public StoreConformance {
 protected:
  void SetUp() override { Seed(); }

  Status End(std::int64_t assignment, ReceiptEnd end, std::int64_t version,
             const std::string& reason) {
    return Edit([&](StoreEdit& edit) {
      return edit.EndReceipt({"a"}, {assignment}, end, {version}, reason);
    });
  }
  Status EndAll(std::int64_t round, ReceiptEnd end, std::int64_t version,
                const std::string& reason) {
    return Edit(
        [&](StoreEdit& edit) { return edit.EndReceipts({"a"}, {round}, end, {version}, reason); });
  }
  Receipt Find(std::int64_t assignment) {
    const auto found = See([&](auto& v) { return v.ReceiptOf({"a"}, {assignment}); });
    EXPECT_OK(found);
    return found.ok() ? *found : Receipt{};
  }
};

}  // namespace fed::server

#endif  // FED_TESTS_TESTING_STORE_CONFORMANCE_H_
