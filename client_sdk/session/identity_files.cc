// Small files, each replaced atomically and durably.
#include "client_sdk/session/identity_files.h"

#include <utility>

namespace fed::client {
namespace {

constexpr std::int64_t kMaxPemBytes = 256 << 10;

}  // namespace

StatusOr<std::optional<Credentials>> IdentityFiles::Load() {
  FED_RETURN_IF_ERROR(files_.MakeFolder(folder_));
  FED_RETURN_IF_ERROR(FinishSwap());
  FED_ASSIGN_OR_RETURN(auto certificate, Read("cert.pem"));
  FED_ASSIGN_OR_RETURN(auto key, Read("key.pem"));
  FED_ASSIGN_OR_RETURN(auto root, Read("root.pem"));
  if (!certificate || !key || !root) return std::optional<Credentials>();
  return std::optional<Credentials>({*certificate, *key, *root});
}

Status IdentityFiles::FinishSwap() {
  FED_ASSIGN_OR_RETURN(const bool swapping, files_.Exists(PathOf("next_cert.pem")));
  if (!swapping) return {};
  FED_ASSIGN_OR_RETURN(const bool has_key, files_.Exists(PathOf("next_key.pem")));
  if (has_key) FED_RETURN_IF_ERROR(files_.Rename(PathOf("next_key.pem"), PathOf("key.pem")));
  // The key's new name must not be lost while the certificate's is kept.
  FED_RETURN_IF_ERROR(files_.SyncFolder(folder_));
  FED_RETURN_IF_ERROR(files_.Rename(PathOf("next_cert.pem"), PathOf("cert.pem")));
  return files_.SyncFolder(folder_);
}

StatusOr<std::optional<std::string>> IdentityFiles::Read(absl::string_view name) {
  StatusOr<std::string> text = ReadFile(files_, PathOf(name), kMaxPemBytes);
  if (text.ok()) return std::optional<std::string>(*std::move(text));
  if (text.status().code() == StatusCode::kNotFound) return std::optional<std::string>();
  return text.status();
}

StatusOr<PrivateKey> IdentityFiles::KeyIn(absl::string_view name) {
  FED_ASSIGN_OR_RETURN(const auto pem, Read(name));
  if (pem) return PrivateKey::FromPem(*pem);
  PrivateKey key = PrivateKey::Generate();
  FED_RETURN_IF_ERROR(WriteFileDurably(files_, PathOf(name), key.ToPem()));
  return key;
}

Status IdentityFiles::StoreEnrolled(const Enrolled& enrolled) {
  FED_RETURN_IF_ERROR(WriteFileDurably(files_, PathOf("root.pem"), enrolled.root));
  return WriteFileDurably(files_, PathOf("cert.pem"), enrolled.certificate_chain);
}

Status IdentityFiles::StoreRenewed(absl::string_view certificate_chain) {
  FED_RETURN_IF_ERROR(WriteFileDurably(files_, PathOf("next_cert.pem"), certificate_chain));
  return FinishSwap();
}

}  // namespace fed::client
