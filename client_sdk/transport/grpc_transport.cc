// Values to messages, calls, and messages to values; nothing is decided here.
#include "client_sdk/transport/grpc_transport.h"

#include <map>
#include <utility>

#include "client_sdk/transport/open_calls.h"
#include "client_sdk/transport/root_probe.h"
#include "client_sdk/transport/streams.h"
#include "client_sdk/transport/tls_channel.h"
#include "common/base/thread_pool.h"
#include "common/crypto/certificate.h"
#include "fed/v1/enroll.grpc.pb.h"
#include "fed/v1/participate.grpc.pb.h"
#include "fed/v1/transfer.grpc.pb.h"
#include "proto/wire/convert.h"

namespace fed::client {
namespace {

constexpr absl::Duration kBeyondTheHold = absl::Seconds(10);
constexpr absl::Duration kProbeTimeout = absl::Seconds(10);  // of each of its steps

template <typename Value, typename Reply>
StatusOr<Value> DecodeReply(const Reply& reply) {
  StatusOr<Value> value = wire::Decode(reply);
  if (value.ok()) return value;
  // Not the caller's fault: this server speaks something else.
  return Status(StatusCode::kInternal, "the server's answer: " + value.status().message());
}

StatusOr<Enrolled> DecodeEnrolled(const v1::EnrollDeviceReply& reply) {
  if (reply.chain_size() == 0) {
    return Status(StatusCode::kInternal, "the server's answer: a certificate without its chain");
  }
  Enrolled enrolled;
  FED_ASSIGN_OR_RETURN(const Certificate own, Certificate::FromDer(reply.certificate()));
  enrolled.certificate_chain = own.ToPem();
  for (int i = 0; i < reply.chain_size(); ++i) {
    FED_ASSIGN_OR_RETURN(const Certificate issuer, Certificate::FromDer(reply.chain(i)));
    const bool is_root = i + 1 == reply.chain_size();
    (is_root ? enrolled.root : enrolled.certificate_chain) += issuer.ToPem();
  }
  return enrolled;
}

StatusOr<std::string> DecodeChain(const v1::EnrollDeviceReply& reply) {
  FED_ASSIGN_OR_RETURN(const Enrolled enrolled, DecodeEnrolled(reply));
  return enrolled.certificate_chain;
}

class GrpcTransport final : public Transport {
 public:
  GrpcTransport(const std::string& server, const Credentials& credentials, Executor& io,
                const Clock& clock, const GrpcTransportOptions& options)
      : options_(options), io_(io), clock_(clock) {
    const std::shared_ptr<grpc::Channel> channel = NewTlsChannel(server, credentials);
    participate_ = v1::Participate::NewStub(channel);
    transfer_ = v1::Transfer::NewStub(channel);
    renewal_ = v1::Renewal::NewStub(channel);
  }

  std::unique_ptr<Call> CheckIn(wire::CheckInRequest request,
                                std::function<void(StatusOr<wire::CheckInReply>)> done) override {
    v1::CheckInRequest message;
    wire::Encode(request, message);
    return calls_.Unary<v1::CheckInRequest, v1::CheckInReply, wire::CheckInReply>(
        std::move(message), request.hold + kBeyondTheHold,
        [stub = participate_.get()](auto... call) { stub->async()->CheckIn(std::move(call)...); },
        DecodeReply<wire::CheckInReply, v1::CheckInReply>, std::move(done));
  }

  std::unique_ptr<Call> GetManifest(JobId job, ModelVersion version,
                                    std::function<void(StatusOr<Manifest>)> done) override {
    v1::GetManifestRequest message;
    message.set_job(job.value);
    message.set_version(version.value);
    return calls_.Unary<v1::GetManifestRequest, v1::GetManifestReply, Manifest>(
        std::move(message), options_.unary_timeout,
        [stub = transfer_.get()](auto... call) { stub->async()->GetManifest(std::move(call)...); },
        DecodeReply<Manifest, v1::GetManifestReply>, std::move(done));
  }

  std::unique_ptr<Call> Download(
      wire::DownloadRequest request,
      std::function<Status(std::int64_t offset, absl::Span<const std::uint8_t> piece)> sink,
      std::function<void(Status)> done) override {
    return StartDownload(Streams(), request, std::move(sink), std::move(done));
  }

  std::unique_ptr<Call> Send(OutgoingUpdate update,
                             std::function<void(StatusOr<wire::UploadReply>)> done) override {
    return StartUpload(Streams(), std::move(update), std::move(done));
  }

  std::unique_ptr<Call> Renew(wire::RenewRequest request,
                              std::function<void(StatusOr<wire::RenewReply>)> done) override {
    v1::RenewRequest message;
    wire::Encode(request, message);
    return calls_.Unary<v1::RenewRequest, v1::RenewReply, wire::RenewReply>(
        std::move(message), options_.unary_timeout,
        [stub = participate_.get()](auto... call) { stub->async()->Renew(std::move(call)...); },
        DecodeReply<wire::RenewReply, v1::RenewReply>, std::move(done));
  }

  std::unique_ptr<Call> ReportEvaluation(
      wire::EvaluationReport report,
      std::function<void(StatusOr<wire::EvaluationReply>)> done) override {
    v1::ReportEvaluationRequest message;
    wire::Encode(report, message);
    return calls_
        .Unary<v1::ReportEvaluationRequest, v1::ReportEvaluationReply, wire::EvaluationReply>(
            std::move(message), options_.unary_timeout,
            [stub = participate_.get()](auto... call) {
              stub->async()->ReportEvaluation(std::move(call)...);
            },
            DecodeReply<wire::EvaluationReply, v1::ReportEvaluationReply>, std::move(done));
  }

  std::unique_ptr<Call> RenewCertificate(std::string csr_der,
                                         std::function<void(StatusOr<std::string>)> done) override {
    v1::RenewCertificateRequest message;
    message.set_csr(std::move(csr_der));
    return calls_.Unary<v1::RenewCertificateRequest, v1::EnrollDeviceReply, std::string>(
        std::move(message), options_.unary_timeout,
        [stub = renewal_.get()](auto... call) {
          stub->async()->RenewCertificate(std::move(call)...);
        },
        DecodeChain, std::move(done));
  }

 private:
  StreamContext Streams() { return {*transfer_, calls_, io_, clock_, options_.longest_idle}; }

  const GrpcTransportOptions options_;
  Executor& io_;
  const Clock& clock_;
  std::unique_ptr<v1::Participate::Stub> participate_;
  std::unique_ptr<v1::Transfer::Stub> transfer_;
  std::unique_ptr<v1::Renewal::Stub> renewal_;
  OpenCalls calls_;  // last: it waits for callbacks
};

// A call that begins on `io` and goes on over gRPC; cancelling it reaches whichever it is at.
class TwoStepCall final : public Call {
 public:
  struct Steps {
    Mutex mu;
    bool cancelled FED_GUARDED_BY(mu) = false;
    std::unique_ptr<Call> rpc FED_GUARDED_BY(mu);
  };
  ~TwoStepCall() override { Cancel(); }
  void Cancel() override {
    std::unique_ptr<Call> rpc;  // cancelled outside the lock
    MutexLock lock(steps_->mu);
    steps_->cancelled = true;
    rpc = std::move(steps_->rpc);
  }
  std::shared_ptr<Steps> steps() const { return steps_; }

 private:
  const std::shared_ptr<Steps> steps_ = std::make_shared<Steps>();  // with the task on `io`
};

class GrpcTransportFactory final : public TransportFactory {
 public:
  GrpcTransportFactory(const Clock& clock, const GrpcTransportOptions& options)
      : clock_(clock), options_(options), io_("fed-io", options.io_threads, clock) {}

  ~GrpcTransportFactory() override {
    std::map<Exchange*, std::unique_ptr<Exchange>> open;
    {
      MutexLock lock(mu_);
      stopping_ = true;
      open.swap(exchanges_);
    }
    open.clear();  // waits for callbacks, while `io` is still there for them
  }

  StatusOr<std::unique_ptr<Transport>> Connect(const std::string& server,
                                               const Credentials& credentials) override {
    return std::unique_ptr<Transport>(
        std::make_unique<GrpcTransport>(server, credentials, io_, clock_, options_));
  }

  std::unique_ptr<Call> Enroll(const std::string& enrollment_server, EnrollRequest request,
                               std::function<void(StatusOr<Enrolled>)> done) override {
    auto call = std::make_unique<TwoStepCall>();
    io_.Post([this, enrollment_server, request = std::move(request), done = std::move(done),
              steps = call->steps()] {
      const StatusOr<std::string> root =
          FetchRoot(enrollment_server, request.root_fingerprint, kProbeTimeout);
      if (!root.ok()) return done(root.status());
      v1::EnrollDeviceRequest message;
      message.set_token(request.token);
      message.set_csr(request.csr_der);
      message.set_name(request.name);
      message.mutable_labels()->insert(request.labels.begin(), request.labels.end());
      MutexLock lock(steps->mu);
      if (steps->cancelled) return done(Status(StatusCode::kCancelled, "cancelled"));
      steps->rpc = Ask(
          enrollment_server, *root, std::move(message),
          [](v1::Enroll::Stub& stub, auto... rest) { stub.async()->EnrollDevice(rest...); }, done);
    });
    return call;
  }

  std::unique_ptr<Call> Reenroll(const std::string& enrollment_server, ReenrollRequest request,
                                 std::function<void(StatusOr<Enrolled>)> done) override {
    v1::ReenrollRequest message;
    message.set_expired_certificate(request.expired_certificate_der);
    message.set_csr(request.csr_der);
    message.set_old_key_signature(request.old_key_signature);
    return Ask(
        enrollment_server, request.root, std::move(message),
        [](v1::Enroll::Stub& stub, auto... rest) { stub.async()->Reenroll(rest...); },
        std::move(done));
  }

 private:
  // One call over a channel of its own. The channel is let go on `io`, never in its own callback.
  struct Exchange {
    std::unique_ptr<v1::Enroll::Stub> stub;
    OpenCalls calls;  // last: it waits for the callback
  };

  template <typename Request, typename Start>
  std::unique_ptr<Call> Ask(const std::string& server, const std::string& root, Request message,
                            Start start, std::function<void(StatusOr<Enrolled>)> done) {
    auto made = std::make_unique<Exchange>();
    made->stub = v1::Enroll::NewStub(NewTlsChannel(server, {"", "", root}));
    Exchange* exchange = made.get();
    {
      MutexLock lock(mu_);
      if (!stopping_) exchanges_[exchange] = std::move(made);
    }
    if (made != nullptr) {
      done(Status(StatusCode::kCancelled, "stopping"));
      return nullptr;
    }
    return exchange->calls.Unary<Request, v1::EnrollDeviceReply, Enrolled>(
        std::move(message), options_.unary_timeout,
        [exchange, start](auto... call) { start(*exchange->stub, call...); }, DecodeEnrolled,
        [this, exchange, done = std::move(done)](StatusOr<Enrolled> enrolled) {
          done(std::move(enrolled));
          io_.Post([this, exchange] { Forget(exchange); });
        });
  }

  void Forget(Exchange* exchange) {
    std::unique_ptr<Exchange> gone;  // dies outside the lock
    MutexLock lock(mu_);
    const auto found = exchanges_.find(exchange);
    if (found == exchanges_.end()) return;
    gone = std::move(found->second);
    exchanges_.erase(found);
  }

  const Clock& clock_;
  const GrpcTransportOptions options_;
  Mutex mu_;
  bool stopping_ FED_GUARDED_BY(mu_) = false;
  std::map<Exchange*, std::unique_ptr<Exchange>> exchanges_ FED_GUARDED_BY(mu_);
  ThreadPool io_;  // last: its tasks use the above
};

}  // namespace

std::unique_ptr<TransportFactory> NewGrpcTransportFactory(const Clock& clock,
                                                          GrpcTransportOptions options) {
  return std::make_unique<GrpcTransportFactory>(clock, options);
}

}  // namespace fed::client
