// Whoever talks to a server by raw stubs: what a good SDK never does can be done here.
#ifndef FED_TESTS_INTEGRATION_PEER_H_
#define FED_TESTS_INTEGRATION_PEER_H_

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/crypto/key.h"
#include "fed/status.h"
#include "fed/v1/admin.grpc.pb.h"
#include "fed/v1/enroll.grpc.pb.h"
#include "fed/v1/participate.grpc.pb.h"
#include "fed/v1/transfer.grpc.pb.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "tests/integration/running_server.h"
#include "tests/testing/test_pki.h"
#include "tests/testing/update_builder.h"

namespace fed::testing {

// A connection of its own. Calls block, with a deadline of kPatience.
class Peer {
 public:
  Peer(const std::string& address, const TestIdentity& identity);
  explicit Peer(const std::string& address);  // without a certificate
  explicit Peer(std::shared_ptr<grpc::Channel> channel);

  // A unary call by method: peer.Call(&v1::Admin::Stub::ListJobs, request).
  template <typename Stub, typename Request, typename Reply>
  StatusOr<Reply> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Reply*),
                       const Request& request) const {
    grpc::ClientContext context;
    SetDeadline(context);
    Reply reply;
    Stub stub(channel_);
    const Status status = Told((stub.*method)(&context, request, &reply));
    if (!status.ok()) return status;
    return reply;
  }

  // Any method by its name, with these bytes as its only message; what came back.
  StatusOr<std::string> CallByName(const std::string& method,
                                   const std::string& message = "") const;

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  static void SetDeadline(grpc::ClientContext& context);
  static Status Told(const grpc::Status& status);

 private:
  std::shared_ptr<grpc::Channel> channel_;
};

// What a server gave for a key and a token.
StatusOr<v1::EnrollDeviceReply> Enroll(const RunningServer& server, const std::string& token,
                                       const PrivateKey& key);
TestIdentity IdentityOf(const v1::EnrollDeviceReply& reply, const PrivateKey& key);
// Enrolls with a new key, so that the store has a row of the device.
TestIdentity Enrolled(const RunningServer& server, const std::string& token);

// A poll that is on its way until it is answered or destroyed.
class Poll {
 public:
  Poll(const std::shared_ptr<grpc::Channel>& channel, const v1::CheckInRequest& request);
  ~Poll();
  StatusOr<v1::CheckInReply> Await();

 private:
  v1::Participate::Stub stub_;
  grpc::ClientContext context_;
  const v1::CheckInRequest request_;
  v1::CheckInReply reply_;
  std::promise<grpc::Status> promise_;
  std::shared_future<grpc::Status> status_;
};

// Can say that it is a device that does fp32, and waits for as long as one may.
v1::CheckInRequest CheckInFor(const std::string& job);

// Until each has an assignment of this job, in their order. They wait side by side.
std::vector<v1::Assignment> AwaitAssignments(const std::vector<const Peer*>& devices,
                                             const std::string& job);

// One upload stream, step by step.
class UploadLine {
 public:
  explicit UploadLine(const Peer& peer);
  void Begin(const v1::UploadBegin& begin);
  bool Send(std::int64_t offset, std::string data);
  void SayAll();
  std::optional<v1::UploadReply> Read();  // nothing: the server has said all
  Status Finish();

 private:
  v1::Transfer::Stub stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::UploadRequest, v1::UploadReply>> stream_;
};

v1::UploadBegin BeginOf(const EncodedUpdate& update, const v1::AssignmentRef& ref);

// How an upload went.
struct Uploaded {
  Status status;
  std::int64_t from = -1;  // the offset that the server asked for; -1: it did not ask
  v1::UploadReply last;    // not UploadProceed
  std::string refusal() const { return last.refused().reason(); }
};

// Sends what the server asks for, as far as byte `until` (-1: all).
Uploaded Upload(const Peer& peer, const v1::UploadBegin& begin, const std::string& bytes,
                std::int64_t until = -1);
Uploaded Upload(const Peer& peer, const EncodedUpdate& update, const v1::AssignmentRef& ref);

}  // namespace fed::testing

#endif  // FED_TESTS_INTEGRATION_PEER_H_
