// What a participating device can say to the server; gRPC behind it, a fake in tests.
#ifndef FED_CLIENT_SDK_TRANSPORT_TRANSPORT_H_
#define FED_CLIENT_SDK_TRANSPORT_TRANSPORT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/base/ids.h"
#include "common/codec/manifest.h"
#include "fed/status.h"
#include "proto/wire/participation.h"

namespace fed::client {

// An update as it lies in the outbox.
struct OutgoingUpdate {
  wire::UploadBegin begin;
  // Up to `most` bytes at `offset`, fewer only at the end. Called on a thread of the transport, one
  // call at a time.
  std::function<StatusOr<std::string>(std::int64_t offset, std::int64_t most)> read;
};

// Destroying it, or Cancel, ends the call early; its callback then gets kCancelled.
class Call {
 public:
  virtual ~Call() = default;
  virtual void Cancel() = 0;
};

// Thread-safe and non-blocking: each call is one attempt that ends in exactly one callback, on a
// thread of the transport, which must not block. retry.h decides on another. Every call may be
// repeated: the server recognizes what it has already seen. Destroying it ends its calls and waits
// for callbacks that are being called: not to be done within one.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual std::unique_ptr<Call> CheckIn(wire::CheckInRequest request,
                                        std::function<void(StatusOr<wire::CheckInReply>)> done) = 0;

  virtual std::unique_ptr<Call> GetManifest(JobId job, ModelVersion version,
                                            std::function<void(StatusOr<Manifest>)> done) = 0;

  // One stream for all missing chunks of one file, in order. `sink` gets pieces as they come, on a
  // thread of the transport; a non-OK status from it ends the call with it.
  virtual std::unique_ptr<Call> Download(
      wire::DownloadRequest request,
      std::function<Status(std::int64_t offset, absl::Span<const std::uint8_t> piece)> sink,
      std::function<void(Status)> done) = 0;

  // Asks how much of this update has arrived, sends the rest, and is done once the server has
  // durably taken it, refused it, or asked to come back. Never UploadProceed.
  virtual std::unique_ptr<Call> Send(OutgoingUpdate update,
                                     std::function<void(StatusOr<wire::UploadReply>)> done) = 0;

  virtual std::unique_ptr<Call> Renew(wire::RenewRequest request,
                                      std::function<void(StatusOr<wire::RenewReply>)> done) = 0;

  virtual std::unique_ptr<Call> ReportEvaluation(
      wire::EvaluationReport report, std::function<void(StatusOr<wire::EvaluationReply>)> done) = 0;

  // A new certificate for the caller's identity, for the key of this CSR (DER). The answer is the
  // PEM chain.
  virtual std::unique_ptr<Call> RenewCertificate(
      std::string csr_der, std::function<void(StatusOr<std::string>)> done) = 0;
};

// Who a device is to the transport: PEM texts.
struct Credentials {
  std::string certificate_chain;
  std::string private_key;
  std::string root;
};

struct EnrollRequest {
  std::string token;             // without the fingerprint
  std::string root_fingerprint;  // SHA-256 of the root's DER, hex: whom the device means to talk to
  std::string csr_der;
  std::string name;
  std::map<std::string, std::string> labels;
};
struct ReenrollRequest {
  std::string expired_certificate_der;
  std::string csr_der;
  std::string old_key_signature;
  std::string root;  // PEM
};
struct Enrolled {
  std::string certificate_chain;  // PEM
  std::string root;               // PEM
};

// Makes transports: gRPC in production, fakes in tests. Thread-safe. Outlives its transports; its
// own calls end with it as a transport's do.
class TransportFactory {
 public:
  virtual ~TransportFactory() = default;
  virtual StatusOr<std::unique_ptr<Transport>> Connect(const std::string& server,
                                                       const Credentials& credentials) = 0;
  virtual std::unique_ptr<Call> Enroll(const std::string& enrollment_server, EnrollRequest request,
                                       std::function<void(StatusOr<Enrolled>)> done) = 0;
  virtual std::unique_ptr<Call> Reenroll(const std::string& enrollment_server,
                                         ReenrollRequest request,
                                         std::function<void(StatusOr<Enrolled>)> done) = 0;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_TRANSPORT_TRANSPORT_H_
