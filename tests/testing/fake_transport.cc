// Every answer is posted, so that no callback is called from within a call.
#include "tests/testing/fake_transport.h"

#include <atomic>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/mutex.h"
#include "common/crypto/certificate.h"

namespace fed::testing {

// Callbacks are called while their transport lives, and never again.
class CallbackLine {
 public:
  template <typename Done, typename Result>
  void Call(const Done& done, Result result) {
    MutexLock lock(mu_);
    if (open_) done(std::move(result));
  }
  void Close() {
    MutexLock lock(mu_);
    open_ = false;
  }

 private:
  Mutex mu_;
  bool open_ FED_GUARDED_BY(mu_) = true;
};

namespace {

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

// One connection.
class FakeTransport final : public client::Transport {
 public:
  FakeTransport(FakeServer& server, Executor& executor, std::string device)
      : server_(server), executor_(executor), device_(std::move(device)) {}
  ~FakeTransport() override { line_->Close(); }

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
    executor_.Post(
        [&server = server_, request, sink, done, cancelled = call->cancelled(), line = line_] {
          if (*cancelled) return line->Call(done, Cancelled());
          const auto fault = server.Begin();
          const auto pieces = server.Download(request, fault.has_value());
          if (!pieces.ok()) return line->Call(done, pieces.status());
          for (const auto& [offset, piece] : *pieces) {
            if (*cancelled) return line->Call(done, Cancelled());
            if (Status status = sink(offset, AsBytes(piece)); !status.ok())
              return line->Call(done, status);
          }
          line->Call(done, fault ? fault->status : Status());
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
    executor_.Post([&server = server_, serve, done, cancelled = call->cancelled(), line = line_] {
      if (*cancelled) return line->Call(done, Cancelled());
      const auto fault = server.Begin();
      if (fault && !fault->reply_lost) return line->Call(done, fault->status);
      StatusOr<T> answer = serve();
      if (fault) return line->Call(done, fault->status);
      line->Call(done, std::move(answer));
    });
    return call;
  }

  FakeServer& server_;
  Executor& executor_;
  const std::string device_;
  const std::shared_ptr<CallbackLine> line_ = std::make_shared<CallbackLine>();
};

FakeTransportFactory::FakeTransportFactory(FakeServer& server, Executor& executor)
    : server_(server), executor_(executor), line_(std::make_shared<CallbackLine>()) {}

FakeTransportFactory::~FakeTransportFactory() { line_->Close(); }

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
  executor_.Post([&server = server_, request, done, cancelled = call->cancelled(), line = line_] {
    if (*cancelled) return line->Call(done, Cancelled());
    const auto fault = server.Begin();
    if (fault && !fault->reply_lost) return line->Call(done, fault->status);
    {
      MutexLock lock(server.mu_);
      ++server.counts_.enrollments;
    }
    StatusOr<client::Enrolled> answer = server.on_enroll(request);
    line->Call(done, fault ? StatusOr<client::Enrolled>(fault->status) : std::move(answer));
  });
  return call;
}

std::unique_ptr<client::Call> FakeTransportFactory::Reenroll(
    const std::string&, client::ReenrollRequest request,
    std::function<void(StatusOr<client::Enrolled>)> done) {
  auto call = std::make_unique<FakeCall>();
  executor_.Post([&server = server_, request, done, cancelled = call->cancelled(), line = line_] {
    if (*cancelled) return line->Call(done, Cancelled());
    if (const auto fault = server.Begin()) return line->Call(done, fault->status);
    {
      MutexLock lock(server.mu_);
      ++server.counts_.reenrollments;
    }
    line->Call(done, server.on_reenroll(request));
  });
  return call;
}

}  // namespace fed::testing
