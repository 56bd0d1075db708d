// A root that certifies whatever a test asks for.
#include "tests/testing/device_pki.h"

#include <utility>

#include "common/base/check.h"
#include "common/crypto/issuance.h"

namespace fed::testing {
namespace {

CertificateTemplate Between(absl::Time not_before, absl::Time not_after) {
  CertificateTemplate what;
  what.not_before = not_before;
  what.not_after = not_after;
  return what;
}

const absl::Time k2020 = absl::FromUnixSeconds(1'577'836'800);
const absl::Time k2060 = absl::FromUnixSeconds(2'840'140'800);

Certificate MakeRoot(const PrivateKey& key) {
  CertificateTemplate what = Between(k2020, k2060);
  what.common_name = "test root";
  what.is_ca = true;
  StatusOr<Certificate> root = IssueRoot(key, what);
  FED_CHECK(root.ok());
  return *std::move(root);
}

}  // namespace

DevicePki::DevicePki()
    : key_(PrivateKey::Generate()), root_(MakeRoot(key_)), root_pem_(root_.ToPem()) {}

std::string DevicePki::Certify(const PublicKey& key, const std::string& id, absl::Time not_before,
                               absl::Time not_after) const {
  CertificateTemplate what = Between(not_before, not_after);
  what.common_name = "device";
  what.uri = "spiffe://fed.test/client/" + id;
  what.client_auth = true;
  StatusOr<Certificate> certificate = IssueCertificate(root_, key_, key, what);
  FED_CHECK(certificate.ok());
  return certificate->ToPem();
}

client::Credentials DevicePki::Device(const std::string& id) const {
  const PrivateKey key = PrivateKey::Generate();
  return {Certify(key.public_key(), id, k2020, k2060), key.ToPem(), root_pem_};
}

client::Credentials DevicePki::Server() const {
  const PrivateKey key = PrivateKey::Generate();
  CertificateTemplate what = Between(k2020, k2060);
  what.common_name = "server";
  what.dns_names = {"localhost"};
  what.ip_addresses = {"127.0.0.1"};
  what.server_auth = true;
  StatusOr<Certificate> certificate = IssueCertificate(root_, key_, key.public_key(), what);
  FED_CHECK(certificate.ok());
  return {certificate->ToPem() + root_pem_, key.ToPem(), root_pem_};
}

}  // namespace fed::testing
