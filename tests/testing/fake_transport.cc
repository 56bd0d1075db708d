// Every answer is posted, so that no callback is called from within a call.
#include "tests/testing/fake_transport.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/limits.h"
#include "common/crypto/certificate.h"
#include "common/tensor/safetensors.h"
#include "tests/testing/fake_files.h"

namespace fed::testing {
namespace {

constexpr std::int64_t kPieceBytes = 100'000;  // fits neither chunks nor tiles

class FakeCall final : public client::Call {
 public:
  ~FakeCall() override { Cancel(); }
  void Cancel() override { *cancelled_ = true; }
  std::shared_ptr<std::atomic<bool>> cancelled() const { return cancelled_; }

 private:
  const std::shared_ptr<std::atomic<bool>> cancelled_ =  // with the task that answers
      std::make_shared<std::atomic<bool>>(false);
};

Status Cancelled() { return Status(StatusCode::kCancelled, "cancelled"); }

}  // namespace

std::string FileBytes(const Parameters& parameters) {
  FakeFiles files;
  FED_CHECK(SaveSafetensors(files, "/file", parameters).ok());
  return *ReadFile(files, "/file", std::int64_t{1} << 30);
}

void FakeServer::AddVersion(const std::map<std::string, std::string>& files) {
  MutexLock lock(mu_);
  Version version;
  version.files = files;
  version.manifest.job = script_.assignment.ref.job;
  version.manifest.version.value = static_cast<std::int64_t>(versions_.size());
  for (const auto& [group, bytes] : files) {
    ManifestFile file;
    file.group = group;
    file.bytes = static_cast<std::int64_t>(bytes.size());
    for (std::size_t at = 0; at < bytes.size(); at += kChunkBytes) {
      file.chunks.push_back(ChunkDigest(AsBytes(absl::string_view(bytes).substr(at, kChunkBytes))));
    }
    file.digest = FileDigest(file.bytes, file.chunks);
    version.manifest.files.push_back(file);
  }
  versions_.push_back(std::move(version));
}

void FakeServer::FailAt(std::int64_t n, Fault fault) {
  MutexLock lock(mu_);
  fail_at_ = calls_ + n;
  fault_ = std::move(fault);
}

void FakeServer::SetDown(bool down) {
  MutexLock lock(mu_);
  down_ = down;
}

void FakeServer::Settle(const wire::ReceiptEnd& end) {
  MutexLock lock(mu_);
  ends_[end.ref] = end;
}

FakeServer::Counts FakeServer::counts() const {
  MutexLock lock(mu_);
  return counts_;
}

std::int64_t FakeServer::calls() const {
  MutexLock lock(mu_);
  return calls_;
}

std::vector<FakeServer::Taken> FakeServer::taken() const {
  MutexLock lock(mu_);
  return taken_;
}

std::vector<wire::EvaluationReport> FakeServer::reports() const {
  MutexLock lock(mu_);
  return reports_;
}

std::vector<wire::CheckInRequest> FakeServer::check_ins() const {
  MutexLock lock(mu_);
  return check_ins_;
}

std::vector<wire::RenewRequest> FakeServer::renewals() const {
  MutexLock lock(mu_);
  return renewals_;
}

std::optional<FakeServer::Fault> FakeServer::Begin() {
  MutexLock lock(mu_);
  ++calls_;
  if (down_) return Fault{Status(StatusCode::kUnavailable, "down"), false};
  if (calls_ != fail_at_) return std::nullopt;
  return fault_;
}

StatusOr<wire::CheckInReply> FakeServer::CheckIn(const std::string& device,
                                                 const wire::CheckInRequest& request) {
  if (on_check_in) {
    if (auto answer = on_check_in(request)) return *answer;
  }
  MutexLock lock(mu_);
  ++counts_.check_ins;
  check_ins_.push_back(request);
  wire::CheckInReply reply;
  for (const wire::AssignmentRef& ref : request.unsettled) {
    wire::ReceiptEnd unknown;
    unknown.ref = ref;
    if (ends_.count(ref) > 0) {
      reply.ends.push_back(ends_[ref]);
    } else if (receipts_.count(ref) == 0) {
      reply.ends.push_back(unknown);
    }
  }
  Device& it = devices_[device];
  if (!it.open && it.done < script_.rounds) {
    it.open = script_.assignment;
    it.open->ref.assignment.value = next_assignment_++;
    it.open->round.value = it.done + 1;
    const auto last = static_cast<std::int64_t>(versions_.size()) - 1;
    it.open->base.value = std::min<std::int64_t>(it.done, last);
    it.open->manifest =
        ManifestDigest(versions_[static_cast<std::size_t>(it.open->base.value)].manifest);
  }
  if (it.open) {
    reply.work = *it.open;
    return reply;
  }
  bool all_told = true;
  for (const wire::AssignmentRef& ref : request.unsettled) all_told &= ends_.count(ref) > 0;
  wire::ComeBack later{wire::ComeBack::Reason::kJobsEnded, script_.come_back_after, "all is done"};
  if (!all_told) later = {wire::ComeBack::Reason::kNoWork, absl::Seconds(1), "wait"};
  reply.work = later;
  return reply;
}

Status FakeServer::CheckKnown(ModelVersion version) const {
  if (version.value >= 0 && version.value < static_cast<std::int64_t>(versions_.size())) return {};
  return Status(StatusCode::kNotFound, absl::StrCat("no version ", version.value));
}

StatusOr<Manifest> FakeServer::GetManifest(ModelVersion version) {
  MutexLock lock(mu_);
  ++counts_.manifests;
  FED_RETURN_IF_ERROR(CheckKnown(version));
  return versions_[static_cast<std::size_t>(version.value)].manifest;
}

StatusOr<std::vector<std::pair<std::int64_t, std::string>>> FakeServer::Download(
    const wire::DownloadRequest& request, bool half) {
  MutexLock lock(mu_);
  ++counts_.downloads;
  FED_RETURN_IF_ERROR(CheckKnown(request.version));
  const std::string& bytes =
      versions_[static_cast<std::size_t>(request.version.value)].files.at(request.group);
  const auto size = static_cast<std::int64_t>(bytes.size());
  std::vector<std::pair<std::int64_t, std::string>> pieces;
  for (const wire::ChunkRange& range : request.ranges) {
    const std::int64_t end = std::min((range.first + range.count) * kChunkBytes, size);
    for (std::int64_t at = range.first * kChunkBytes; at < end; at += kPieceBytes) {
      const std::int64_t n = std::min(kPieceBytes, end - at);
      pieces.emplace_back(at,
                          bytes.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(n)));
    }
  }
  if (half) pieces.resize(pieces.size() / 2);
  for (const auto& [at, piece] : pieces) {
    counts_.bytes_down += static_cast<std::int64_t>(piece.size());
  }
  return pieces;
}

StatusOr<wire::UploadReply> FakeServer::Send(const std::string& device,
                                             const client::OutgoingUpdate& update) {
  if (on_send) {
    if (auto answer = on_send(update.begin)) return *answer;
  }
  std::string bytes;
  while (static_cast<std::int64_t>(bytes.size()) < update.begin.total_bytes) {
    FED_ASSIGN_OR_RETURN(const std::string piece,
                         update.read(static_cast<std::int64_t>(bytes.size()), kPieceBytes));
    bytes += piece;
  }
  const auto all = AsBytes(bytes);
  const auto header = static_cast<std::size_t>(update.begin.header_bytes);
  const auto table = static_cast<std::size_t>(update.begin.table_bytes);
  Hasher hasher;
  hasher.Add(all.subspan(0, header + table));
  if (hasher.Finish() != update.begin.digest) {
    return Status(StatusCode::kInvalidArgument, "not the update that was announced");
  }
  MutexLock lock(mu_);
  ++counts_.sends;
  const wire::AssignmentRef& ref = update.begin.ref;
  if (receipts_.count(ref) == 0) {
    const auto open = devices_[device].open;
    if (!open || open->ref != ref) return Status(StatusCode::kNotFound, "no such assignment");
    receipts_[ref] = update.begin.digest;
    taken_.push_back({device, ref, bytes});
    CountDone(device);
    if (script_.settle_at_once) {
      ends_[ref] = {ref, wire::ReceiptEnd::End::kCounted, ModelVersion{1}, ""};
    }
  }
  return wire::UploadReply(wire::UploadReceipt{receipts_[ref], std::nullopt});
}

void FakeServer::CountDone(const std::string& device) {
  devices_[device].open.reset();
  ++devices_[device].done;
}

StatusOr<wire::RenewReply> FakeServer::Renew(const wire::RenewRequest& request) {
  {
    MutexLock lock(mu_);
    ++counts_.renewals;
    renewals_.push_back(request);
  }
  if (on_renew) return on_renew(request);
  return wire::RenewReply{true, "", script_.assignment.remaining};
}

StatusOr<wire::EvaluationReply> FakeServer::Report(const std::string& device,
                                                   const wire::EvaluationReport& report) {
  MutexLock lock(mu_);
  ++counts_.reports;
  const auto open = devices_[device].open;
  if (open && open->ref == report.ref) {
    reports_.push_back(report);
    CountDone(device);
  }
  return wire::EvaluationReply{};
}

// One connection.
class FakeTransport final : public client::Transport {
 public:
  FakeTransport(FakeServer& server, Executor& executor, std::string device)
      : server_(server), executor_(executor), device_(std::move(device)) {}

  std::unique_ptr<client::Call> CheckIn(
      wire::CheckInRequest request,
      std::function<void(StatusOr<wire::CheckInReply>)> done) override {
    return Answer<wire::CheckInReply>(
        [&server = server_, device = device_, request] { return server.CheckIn(device, request); },
        std::move(done));
  }

  std::unique_ptr<client::Call> GetManifest(JobId, ModelVersion version,
                                            std::function<void(StatusOr<Manifest>)> done) override {
    return Answer<Manifest>([&server = server_, version] { return server.GetManifest(version); },
                            std::move(done));
  }

  std::unique_ptr<client::Call> Download(
      wire::DownloadRequest request,
      std::function<Status(std::int64_t offset, absl::Span<const std::uint8_t> piece)> sink,
      std::function<void(Status)> done) override {
    auto call = std::make_unique<FakeCall>();
    executor_.Post([&server = server_, request, sink, done, cancelled = call->cancelled()] {
      if (*cancelled) return done(Cancelled());
      const auto fault = server.Begin();
      const auto pieces = server.Download(request, fault.has_value());
      if (!pieces.ok()) return done(pieces.status());
      for (const auto& [offset, piece] : *pieces) {
        if (*cancelled) return done(Cancelled());
        if (Status status = sink(offset, AsBytes(piece)); !status.ok()) return done(status);
      }
      done(fault ? fault->status : Status());
    });
    return call;
  }

  std::unique_ptr<client::Call> Send(
      client::OutgoingUpdate update,
      std::function<void(StatusOr<wire::UploadReply>)> done) override {
    return Answer<wire::UploadReply>(
        [&server = server_, device = device_, update] { return server.Send(device, update); },
        std::move(done));
  }

  std::unique_ptr<client::Call> Renew(
      wire::RenewRequest request, std::function<void(StatusOr<wire::RenewReply>)> done) override {
    return Answer<wire::RenewReply>([&server = server_, request] { return server.Renew(request); },
                                    std::move(done));
  }

  std::unique_ptr<client::Call> ReportEvaluation(
      wire::EvaluationReport report,
      std::function<void(StatusOr<wire::EvaluationReply>)> done) override {
    return Answer<wire::EvaluationReply>(
        [&server = server_, device = device_, report] { return server.Report(device, report); },
        std::move(done));
  }

  std::unique_ptr<client::Call> RenewCertificate(
      std::string csr_der, std::function<void(StatusOr<std::string>)> done) override {
    return Answer<std::string>(
        [&server = server_, csr_der]() -> StatusOr<std::string> {
          {
            MutexLock lock(server.mu_);
            ++server.counts_.certificates;
          }
          if (server.on_renew_certificate) return server.on_renew_certificate(csr_der);
          return Status(StatusCode::kUnimplemented, "no renewal here");
        },
        std::move(done));
  }

 private:
  template <typename T>
  std::unique_ptr<client::Call> Answer(std::function<StatusOr<T>()> serve,
                                       std::function<void(StatusOr<T>)> done) {
    auto call = std::make_unique<FakeCall>();
    executor_.Post([&server = server_, serve, done, cancelled = call->cancelled()] {
      if (*cancelled) return done(Cancelled());
      const auto fault = server.Begin();
      if (fault && !fault->reply_lost) return done(fault->status);
      StatusOr<T> answer = serve();
      if (fault) return done(fault->status);
      done(std::move(answer));
    });
    return call;
  }

  FakeServer& server_;
  Executor& executor_;
  const std::string device_;
};

StatusOr<std::unique_ptr<client::Transport>> FakeTransportFactory::Connect(
    const std::string&, const client::Credentials& credentials) {
  FED_ASSIGN_OR_RETURN(const Certificate own, Certificate::FromPem(credentials.certificate_chain));
  FED_ASSIGN_OR_RETURN(const std::string device, own.Uri());
  return std::unique_ptr<client::Transport>(
      std::make_unique<FakeTransport>(server_, executor_, device));
}

std::unique_ptr<client::Call> FakeTransportFactory::Enroll(
    const std::string&, client::EnrollRequest request,
    std::function<void(StatusOr<client::Enrolled>)> done) {
  auto call = std::make_unique<FakeCall>();
  executor_.Post([this, request, done, cancelled = call->cancelled()] {
    if (*cancelled) return done(Cancelled());
    const auto fault = server_.Begin();
    if (fault && !fault->reply_lost) return done(fault->status);
    {
      MutexLock lock(server_.mu_);
      ++server_.counts_.enrollments;
    }
    StatusOr<client::Enrolled> answer = server_.on_enroll(request);
    done(fault ? StatusOr<client::Enrolled>(fault->status) : std::move(answer));
  });
  return call;
}

std::unique_ptr<client::Call> FakeTransportFactory::Reenroll(
    const std::string&, client::ReenrollRequest request,
    std::function<void(StatusOr<client::Enrolled>)> done) {
  auto call = std::make_unique<FakeCall>();
  executor_.Post([this, request, done, cancelled = call->cancelled()] {
    if (*cancelled) return done(Cancelled());
    if (const auto fault = server_.Begin()) return done(fault->status);
    {
      MutexLock lock(server_.mu_);
      ++server_.counts_.reenrollments;
    }
    done(server_.on_reenroll(request));
  });
  return call;
}

}  // namespace fed::testing
