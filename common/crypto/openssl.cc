// OpenSSL's errors as text, and its in-memory streams.
#include "common/crypto/openssl.h"

#include <openssl/err.h>

#include <limits>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"

namespace fed {

Status OpensslError(StatusCode code, absl::string_view what) {
  std::string message(what);
  const char* separator = ": ";
  while (const unsigned long error = ERR_get_error()) {  // NOLINT: OpenSSL's type
    const char* reason = ERR_reason_error_string(error);
    absl::StrAppend(&message, separator, reason != nullptr ? reason : "unknown error");
    separator = "; ";
  }
  return Status(code, std::move(message));
}

void ForgetOpensslErrors() { ERR_clear_error(); }

BioPointer ReadingBio(absl::string_view text) {
  FED_CHECK(text.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
  BioPointer bio(
      BIO_new_mem_buf(text.data() != nullptr ? text.data() : "", static_cast<int>(text.size())));
  FED_CHECK(bio != nullptr);
  return bio;
}

BioPointer WritingBio() {
  BioPointer bio(BIO_new(BIO_s_mem()));
  FED_CHECK(bio != nullptr);
  return bio;
}

std::string WrittenText(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);  // NOLINT: OpenSSL's type
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace fed
