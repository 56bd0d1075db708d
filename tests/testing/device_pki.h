// Certificates for devices whose server is a fake.
#ifndef FED_TESTS_TESTING_DEVICE_PKI_H_
#define FED_TESTS_TESTING_DEVICE_PKI_H_

#include <string>

#include "absl/time/time.h"
#include "client_sdk/transport/transport.h"
#include "common/crypto/certificate.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"

namespace fed::testing {

// A root, and certificates for devices below it.
class DevicePki {
 public:
  DevicePki();

  // For this public key, as an issuer would answer.
  std::string Certify(const PublicKey& key, const std::string& id, absl::Time not_before,
                      absl::Time not_after) const;
  // For a new key; valid from 2020 to 2060.
  client::Credentials Device(const std::string& id) const;

  // For localhost and 127.0.0.1; its chain ends in the root, as an enrollment server presents it.
  client::Credentials Server() const;

  const std::string& root_pem() const { return root_pem_; }
  Digest root_fingerprint() const { return root_.fingerprint(); }

 private:
  PrivateKey key_;
  Certificate root_;
  std::string root_pem_;
};

}  // namespace fed::testing

#endif  // FED_TESTS_TESTING_DEVICE_PKI_H_
