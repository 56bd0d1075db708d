// A CA folder in a temporary folder, made and read by the production code.
#include "tests/testing/test_pki.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/file.h"
#include "common/crypto/issuance.h"

namespace fed::testing {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);

absl::Time StartOf(int year) {
  return absl::FromCivil(absl::CivilDay(year, 1, 1), absl::UTCTimeZone());
}

server::NewAuthority Description() {
  server::NewAuthority what;
  what.trust_domain = TestPki::kTrustDomain;
  what.server_names = {"localhost", "127.0.0.1", "::1"};
  what.now = StartOf(2020);
  what.root_life = what.issuing_life = what.server_life = what.operator_life =
      StartOf(2060) - StartOf(2020);
  return what;
}

}  // namespace

TestPki::TestPki() {
  FileSystem& files = FileSystem::Real();
  FED_CHECK(server::InitAuthority(files, folder_.path(), Description()).ok());
  authority_ = server::CertificateAuthority::Load(files, folder_.path()).value();
  issuing_ = Certificate::FromPem(Read(server::kIssuingFile)).value();
  issuing_key_ = PrivateKey::FromPem(Read(server::kIssuingKeyFile)).value();
  server_pem_ = Read(server::kServerFile);
  server_key_pem_ = Read(server::kServerKeyFile);
  root_pem_ = Read(server::kRootFile);
}

const TestPki& TestPki::Shared() {
  static const TestPki pki;
  return pki;
}

const TestPki& TestPki::Wrong() {
  static const TestPki pki;
  return pki;
}

TestPki::Dates TestPki::AlwaysValid() { return {StartOf(2020), StartOf(2060)}; }

TestPki::Dates TestPki::ExpiredBy(absl::Duration ago, absl::Time now) {
  return {now - ago - kDay, now - ago};
}

TestPki::Dates TestPki::ValidIn(absl::Duration time, absl::Time now) {
  return {now + time, now + time + kDay};
}

TestIdentity TestPki::Issue(const server::Caller& caller, const std::optional<Dates>& dates) const {
  const Dates valid = dates.value_or(AlwaysValid());
  const PrivateKey key = PrivateKey::Generate();
  CertificateTemplate what;
  what.common_name = caller.id.value;
  what.uri = server::IdentityUri(caller, kTrustDomain);
  what.not_before = valid.not_before;
  what.not_after = valid.not_after;
  what.client_auth = true;
  const Certificate made =
      IssueCertificate(*issuing_, *issuing_key_, key.public_key(), what).value();
  return TestIdentity{caller, absl::StrCat(made.ToPem(), issuing_->ToPem()), key.ToPem(),
                      made.ToDer()};
}

std::string TestPki::Read(absl::string_view name) const {
  return ReadFile(FileSystem::Real(), folder_.File(name), 1 << 20).value();
}

}  // namespace fed::testing
