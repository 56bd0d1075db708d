// Enrollment, renewal and re-enrollment, one attempt each.
#include "client_sdk/session/identity.h"

#include <utility>
#include <vector>

#include "client_sdk/session/retry.h"
#include "common/crypto/certificate.h"
#include "common/crypto/csr.h"
#include "common/crypto/enroll_token.h"
#include "common/crypto/own_certificate.h"

namespace fed::client {
namespace {

constexpr absl::Duration kRenewAgain = absl::Minutes(5);  // after one that failed
constexpr std::int64_t kMaxPemBytes = 256 << 10;

StatusOr<std::optional<Credentials>> ReadGiven(FileSystem& files, const IdentityOptions& given) {
  Credentials credentials;
  FED_ASSIGN_OR_RETURN(credentials.certificate_chain,
                       ReadFile(files, given.certificate_path, kMaxPemBytes));
  FED_ASSIGN_OR_RETURN(credentials.private_key, ReadFile(files, given.key_path, kMaxPemBytes));
  FED_ASSIGN_OR_RETURN(credentials.root, ReadFile(files, given.ca_path, kMaxPemBytes));
  return std::optional<Credentials>(std::move(credentials));
}

bool AreEqual(const Credentials& a, const Credentials& b) {
  return a.certificate_chain == b.certificate_chain && a.private_key == b.private_key &&
         a.root == b.root;
}

// A key and the request that it signed; results of work are copied, keys are not.
struct KeyAndCsr {
  std::string key_pem;
  std::string csr_der;
};
KeyAndCsr RequestFor(const PrivateKey& key) { return {key.ToPem(), Csr::Make(key).der()}; }

}  // namespace

Identity::Identity(SessionContext& context, TransportFactory& factory)
    : context_(context),
      factory_(factory),
      kept_by_others_(!context.options.identity.certificate_path.empty()),
      files_(context.files, context.options.state_dir) {}

void Identity::Prepare(Transport* transport, Done done) {
  transport_ = transport;
  done_ = std::move(done);
  changed_ = false;
  // Ours alone, and still fresh: the disk has no news.
  if (!kept_by_others_ && credentials_ && context_.clock.WallNow() < renew_at_) {
    return Finish(false);
  }
  context_.Work(
      *this,
      [this_files = files_, &files = context_.files, given = context_.options.identity,
       kept_by_others = kept_by_others_]() mutable {
        return kept_by_others ? ReadGiven(files, given) : this_files.Load();
      },
      [](Identity& self, StatusOr<std::optional<Credentials>> read) {
        self.OnRead(std::move(read));
      });
}

void Identity::Stop() {
  done_ = nullptr;
  call_ = nullptr;
}

void Identity::OnRead(StatusOr<std::optional<Credentials>> read) {
  if (!done_) return;
  if (!read.ok()) return Finish(read.status());
  if (!*read) return Enroll();
  if (Status status = Adopt(**std::move(read)); !status.ok()) return Finish(status);
  const absl::Time now = context_.clock.WallNow();
  if (kept_by_others_ || now < renew_at_) return Finish(changed_);
  if (now >= not_after_) return Reenroll();
  Renew();
}

Status Identity::Adopt(Credentials credentials) {
  if (credentials_ && AreEqual(*credentials_, credentials)) return {};
  FED_ASSIGN_OR_RETURN(const Certificate own, Certificate::FromPem(credentials.certificate_chain));
  const absl::Duration life = own.not_after() - own.not_before();
  not_after_ = own.not_after();
  // Spread over a sixth of the life, so that devices enrolled together do not come back together.
  renew_at_ = own.not_before() + life * 2 / 3 + context_.Jittered(life / 6) - life / 12;
  credentials_ = std::move(credentials);
  changed_ = true;
  return {};
}

void Identity::Enroll() {
  context_.Work(
      *this,
      [files = files_]() mutable -> StatusOr<KeyAndCsr> {
        FED_ASSIGN_OR_RETURN(const PrivateKey key, files.EnrollKey());
        return RequestFor(key);
      },
      [](Identity& self, StatusOr<KeyAndCsr> made) {
        if (!self.done_) return;
        if (!made.ok()) return self.Finish(made.status());
        const ClientOptions& options = self.context_.options;
        const auto token = EnrollToken::Parse(options.identity.enrollment_token);
        if (!token.ok()) return self.Finish(token.status());
        EnrollRequest request;
        request.token = token->secret;
        request.root_fingerprint = token->root_fingerprint.ToHex();
        request.csr_der = made->csr_der;
        request.name = options.name;
        request.labels = options.labels;
        self.call_ = self.factory_.Enroll(
            options.identity.enrollment_server, std::move(request),
            self.context_.OnEvents(
                self, [key_pem = made->key_pem](Identity& self, StatusOr<Enrolled> enrolled) {
                  self.OnEnrolled(key_pem, std::move(enrolled));
                }));
      });
}

void Identity::OnEnrolled(const std::string& key_pem, StatusOr<Enrolled> enrolled) {
  if (!done_) return;
  call_ = nullptr;
  if (!enrolled.ok()) return Finish(enrolled.status());
  Status status = CheckPair(enrolled->certificate_chain, key_pem, enrolled->root);
  const auto root = Certificate::FromPem(enrolled->root);
  const auto token = EnrollToken::Parse(context_.options.identity.enrollment_token);
  if (status.ok() && root->fingerprint() != token->root_fingerprint) {
    status =
        Status(StatusCode::kFailedPrecondition, "the enrollment server's root is not the token's");
  }
  if (!status.ok()) return Finish(status);
  context_.Work(
      *this,
      [files = files_, enrolled = *enrolled]() mutable { return files.StoreEnrolled(enrolled); },
      [key_pem, enrolled = *enrolled](Identity& self, Status status) {
        if (!self.done_) return;
        if (status.ok()) status = self.Adopt({enrolled.certificate_chain, key_pem, enrolled.root});
        if (!status.ok()) return self.Finish(status);
        self.context_.log.Info("identity.enrolled", {{"until", absl::FormatTime(self.not_after_)}});
        self.Finish(self.changed_);
      });
}

void Identity::Reenroll() {
  if (context_.options.identity.enrollment_server.empty()) {
    LogAdvice();
    return Finish(changed_);
  }
  struct Made {
    std::string key_pem;
    ReenrollRequest request;
  };
  context_.Work(
      *this,
      [files = files_, old = *credentials_]() mutable -> StatusOr<Made> {
        FED_ASSIGN_OR_RETURN(const Certificate expired,
                             Certificate::FromPem(old.certificate_chain));
        FED_ASSIGN_OR_RETURN(const PrivateKey old_key, PrivateKey::FromPem(old.private_key));
        FED_ASSIGN_OR_RETURN(const PrivateKey key, files.NextKey());
        Made made;
        made.key_pem = key.ToPem();
        made.request.expired_certificate_der = expired.ToDer();
        made.request.csr_der = Csr::Make(key).der();
        made.request.old_key_signature = old_key.Sign(made.request.csr_der);
        made.request.root = old.root;
        return made;
      },
      [](Identity& self, StatusOr<Made> made) {
        if (!self.done_) return;
        if (!made.ok()) return self.GoOnWithTheOld("identity.not_reenrolled", made.status());
        self.call_ = self.factory_.Reenroll(
            self.context_.options.identity.enrollment_server, made->request,
            self.context_.OnEvents(
                self, [key_pem = made->key_pem](Identity& self, StatusOr<Enrolled> enrolled) {
                  self.OnReenrolled(key_pem, std::move(enrolled));
                }));
      });
}

void Identity::OnReenrolled(const std::string& key_pem, StatusOr<Enrolled> enrolled) {
  if (!done_) return;
  call_ = nullptr;
  if (enrolled.ok()) return StoreRenewed(key_pem, enrolled->certificate_chain);
  if (VerdictOf(enrolled.status()) == Verdict::kGiveUp) return Finish(enrolled.status());
  GoOnWithTheOld("identity.not_reenrolled", enrolled.status());
}

void Identity::Renew() {
  if (transport_ == nullptr) return Finish(changed_);
  context_.Work(
      *this,
      [files = files_]() mutable -> StatusOr<KeyAndCsr> {
        FED_ASSIGN_OR_RETURN(const PrivateKey key, files.NextKey());
        return RequestFor(key);
      },
      [](Identity& self, StatusOr<KeyAndCsr> made) {
        if (!self.done_) return;
        if (!made.ok()) return self.GoOnWithTheOld("identity.not_renewed", made.status());
        self.call_ = self.transport_->RenewCertificate(
            made->csr_der,
            self.context_.OnEvents(
                self, [key_pem = made->key_pem](Identity& self, StatusOr<std::string> chain) {
                  self.OnRenewed(key_pem, std::move(chain));
                }));
      });
}

void Identity::OnRenewed(const std::string& key_pem, StatusOr<std::string> chain) {
  if (!done_) return;
  call_ = nullptr;
  if (chain.ok()) return StoreRenewed(key_pem, *chain);
  GoOnWithTheOld("identity.not_renewed", chain.status());
}

void Identity::StoreRenewed(const std::string& key_pem, const std::string& chain) {
  const std::string root = credentials_->root;
  if (const Status status = CheckPair(chain, key_pem, root); !status.ok()) {
    return GoOnWithTheOld("identity.not_renewed", status);
  }
  context_.Work(
      *this, [files = files_, chain]() mutable { return files.StoreRenewed(chain); },
      [key_pem, chain, root](Identity& self, Status status) {
        if (!self.done_) return;
        if (status.ok()) status = self.Adopt({chain, key_pem, root});
        if (!status.ok()) return self.GoOnWithTheOld("identity.not_renewed", status);
        self.context_.log.Info("identity.renewed", {{"until", absl::FormatTime(self.not_after_)}});
        self.Finish(self.changed_);
      });
}

void Identity::GoOnWithTheOld(absl::string_view event, const Status& why) {
  context_.log.Warn(event, {{"why", why.message()}});
  LogAdvice();
  if (context_.clock.WallNow() < not_after_) {
    renew_at_ = context_.clock.WallNow() + context_.Jittered(kRenewAgain);
  }
  Finish(changed_);
}

Status Identity::CheckPair(const std::string& chain, const std::string& key_pem,
                           const std::string& root) const {
  return CheckOwnCertificate({{"the new certificate", chain}, {"key", key_pem}, {"root", root}},
                             context_.clock.WallNow())
      .status();
}

void Identity::LogAdvice() const {
  if (!credentials_) return;
  const IdentityOptions& given = context_.options.identity;
  OwnCertificate own;
  own.certificate = {kept_by_others_ ? given.certificate_path : files_.PathOf("cert.pem"),
                     credentials_->certificate_chain};
  own.key = {kept_by_others_ ? given.key_path : files_.PathOf("key.pem"),
             credentials_->private_key};
  own.ca = {kept_by_others_ ? given.ca_path : files_.PathOf("root.pem"), credentials_->root};
  const StatusOr<std::string> advice = CheckOwnCertificate(own, context_.clock.WallNow());
  if (!advice.ok()) {
    context_.log.Error("identity.not_usable", {{"why", advice.status().message()}});
  } else if (!advice->empty()) {
    context_.log.Warn("identity.dates", {{"why", *advice}});
  }
}

void Identity::Finish(StatusOr<bool> result) {
  call_ = nullptr;
  if (done_) std::exchange(done_, nullptr)(std::move(result));
}

}  // namespace fed::client
