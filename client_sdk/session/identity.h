// Who this device is: enrolls once, renews by itself, or reads what others keep.
#ifndef FED_CLIENT_SDK_SESSION_IDENTITY_H_
#define FED_CLIENT_SDK_SESSION_IDENTITY_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "client_sdk/session/identity_files.h"
#include "client_sdk/session/session_context.h"
#include "client_sdk/transport/transport.h"
#include "common/crypto/digest.h"
#include "fed/status.h"

namespace fed::client {

// On `events` only; one Prepare at a time.
//
//   nothing on disk          -> Enroll with the token
//   from 2/3 of its life on  -> Renew over the main listener, with a new key
//   expired                  -> Reenroll, with the old key and a new one; if that can't be answered
//                               the old certificate is tried: this device's clock may be wrong
//   files of someone else    -> read again each time, never renewed
class Identity final : public std::enable_shared_from_this<Identity> {
 public:
  // What Prepare found: whether the credentials are others than before.
  using Done = std::function<void(StatusOr<bool> changed)>;

  Identity(SessionContext& context, TransportFactory& factory);

  // Makes sure that there are credentials, as fresh as can be. `transport` may be null: then
  // nothing is renewed. One attempt: errors are the caller's to repeat. kUnauthenticated: the token
  // is not good; kPermissionDenied: the server wants this device no more; kInvalidArgument: token
  // or files are malformed; kNotFound: a file that was named is not there.
  void Prepare(Transport* transport, Done done);
  void Stop();

  const Credentials& credentials() const { return *credentials_; }  // REQUIRES: prepared once

  // Writes down what a refused handshake would not say: which file is not good, or which date.
  void LogAdvice() const;

 private:
  void OnRead(StatusOr<std::optional<Credentials>> read);
  Status Adopt(Credentials credentials);

  void Enroll();
  void OnEnrolled(const std::string& key_pem, StatusOr<Enrolled> enrolled);
  void Reenroll();
  void OnReenrolled(const std::string& key_pem, StatusOr<Enrolled> enrolled);
  void Renew();
  void OnRenewed(const std::string& key_pem, StatusOr<std::string> chain);
  void StoreRenewed(const std::string& key_pem, const std::string& chain);
  void GoOnWithTheOld(absl::string_view event, const Status& why);

  Status CheckPair(const std::string& chain, const std::string& key_pem,
                   const std::string& root) const;
  void Finish(StatusOr<bool> result);

  SessionContext& context_;
  TransportFactory& factory_;
  const bool kept_by_others_;
  IdentityFiles files_;
  std::optional<Credentials> credentials_;
  bool changed_ = false;
  absl::Time not_after_, renew_at_;
  Transport* transport_ = nullptr;
  Done done_;
  std::unique_ptr<Call> call_;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_IDENTITY_H_
