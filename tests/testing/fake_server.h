// A server in memory, as devices see it: what it remembers outlives every connection.
#ifndef FED_TESTS_TESTING_FAKE_SERVER_H_
#define FED_TESTS_TESTING_FAKE_SERVER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client_sdk/transport/transport.h"
#include "common/base/mutex.h"
#include "common/codec/manifest.h"
#include "fed/parameters.h"
#include "fed/status.h"

namespace fed::testing {

// One job; each device works through assignments 1, 2, ... of its own, on versions 0, 1, ... (the
// last one again when they are used up), until it has done `rounds` of them. Thread-safe.
class FakeServer {
 public:
  struct Script {
    wire::Assignment assignment;  // what all have in common; job, groups, scalars, patterns, config
    int rounds = 1;               // of each device
    bool settle_at_once = true;   // an update counts as soon as it is there; else by Settle
    absl::Duration come_back_after = absl::ZeroDuration();  // once all is done
  };
  // A call that fails: before it is served (of a download: halfway), or after, its reply lost.
  struct Fault {
    Status status;
    bool reply_lost;
  };
  static Fault Unavailable() { return {Status(StatusCode::kUnavailable, "fault"), false}; }
  static Fault ReplyLost() { return {Status(StatusCode::kUnavailable, "reply lost"), true}; }
  struct Counts {
    int check_ins = 0, manifests = 0, downloads = 0, sends = 0, renewals = 0, reports = 0,
        certificates = 0, enrollments = 0, reenrollments = 0;
    std::int64_t bytes_down = 0;
  };
  struct Taken {
    std::string device;
    wire::AssignmentRef ref;
    std::string bytes;
  };

  explicit FakeServer(Script script) : script_(std::move(script)) {}

  // Its files by group, as bytes. The first is version 0.
  void AddVersion(const std::map<std::string, std::string>& files);

  // The n-th call from now (1: the next) fails; 0: none.
  void FailAt(std::int64_t n, Fault fault);
  void SetDown(bool down);  // every call is kUnavailable
  void Settle(const wire::ReceiptEnd& end);

  // Asked first; an answer is used instead of the server's own.
  std::function<std::optional<StatusOr<wire::UploadReply>>(const wire::UploadBegin&)> on_send;
  std::function<wire::RenewReply(const wire::RenewRequest&)> on_renew;
  std::function<std::optional<StatusOr<wire::CheckInReply>>(const wire::CheckInRequest&)>
      on_check_in;
  std::function<StatusOr<std::string>(const std::string& csr_der)> on_renew_certificate;
  std::function<StatusOr<client::Enrolled>(const client::EnrollRequest&)> on_enroll;
  std::function<StatusOr<client::Enrolled>(const client::ReenrollRequest&)> on_reenroll;

  Counts counts() const;
  std::int64_t calls() const;
  std::vector<Taken> taken() const;
  std::vector<wire::EvaluationReport> reports() const;
  std::vector<wire::CheckInRequest> check_ins() const;
  std::vector<wire::RenewRequest> renewals() const;

 private:
  friend class FakeTransport;
  friend class FakeTransportFactory;

  struct Version {
    std::map<std::string, std::string> files;  // bytes
    Manifest manifest;
  };
  struct Device {
    std::optional<wire::Assignment> open;
    int done = 0;
  };

  // What the call at hand must fail with.
  std::optional<Fault> Begin();
  StatusOr<wire::CheckInReply> CheckIn(const std::string& device,
                                       const wire::CheckInRequest& request);
  StatusOr<Manifest> GetManifest(ModelVersion version);
  // Fills `out` with pieces; `half` of them only, if asked.
  StatusOr<std::vector<std::pair<std::int64_t, std::string>>> Download(
      const wire::DownloadRequest& request, bool half);
  StatusOr<wire::UploadReply> Send(const std::string& device, const client::OutgoingUpdate& update);
  StatusOr<wire::RenewReply> Renew(const wire::RenewRequest& request);
  StatusOr<wire::EvaluationReply> Report(const std::string& device,
                                         const wire::EvaluationReport& report);
  void CountDone(const std::string& device) FED_REQUIRES(mu_);
  Status CheckKnown(ModelVersion version) const FED_REQUIRES(mu_);

  const Script script_;
  mutable Mutex mu_;
  std::vector<Version> versions_ FED_GUARDED_BY(mu_);
  std::map<std::string, Device> devices_ FED_GUARDED_BY(mu_);
  std::map<wire::AssignmentRef, Digest> receipts_ FED_GUARDED_BY(mu_);
  std::map<wire::AssignmentRef, wire::ReceiptEnd> ends_ FED_GUARDED_BY(mu_);
  std::int64_t next_assignment_ FED_GUARDED_BY(mu_) = 1;
  std::int64_t calls_ FED_GUARDED_BY(mu_) = 0, fail_at_ FED_GUARDED_BY(mu_) = 0;
  Fault fault_ FED_GUARDED_BY(mu_) = Unavailable();
  bool down_ FED_GUARDED_BY(mu_) = false;
  Counts counts_ FED_GUARDED_BY(mu_);
  std::vector<Taken> taken_ FED_GUARDED_BY(mu_);
  std::vector<wire::EvaluationReport> reports_ FED_GUARDED_BY(mu_);
  std::vector<wire::CheckInRequest> check_ins_ FED_GUARDED_BY(mu_);
  std::vector<wire::RenewRequest> renewals_ FED_GUARDED_BY(mu_);
};

// A model as a safetensors file.
std::string FileBytes(const Parameters& parameters);

}  // namespace fed::testing

#endif  // FED_TESTS_TESTING_FAKE_SERVER_H_
