// One check an option, in the order of the struct.
#include "client_sdk/session/option_check.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/crypto/enroll_token.h"

namespace fed::client {
namespace {

Status Bad(absl::string_view option, absl::string_view what) {
  return Status(StatusCode::kInvalidArgument, absl::StrCat("ClientOptions.", option, ": ", what));
}

Status CheckIdentity(const IdentityOptions& identity) {
  const bool has_certificate = !identity.certificate_path.empty();
  const bool complete = has_certificate && !identity.key_path.empty() && !identity.ca_path.empty();
  if (has_certificate && !complete) {
    return Bad("identity", "certificate_path needs key_path and ca_path beside it");
  }
  if (!has_certificate && (!identity.key_path.empty() || !identity.ca_path.empty())) {
    return Bad("identity", "key_path and ca_path need certificate_path beside them");
  }
  if (!identity.enrollment_token.empty()) {
    if (has_certificate) return Bad("identity", "either a token or files, not both");
    if (identity.enrollment_server.empty()) {
      return Bad("identity.enrollment_server", "is missing: a token is used there");
    }
    const auto token = EnrollToken::Parse(identity.enrollment_token);
    if (!token.ok()) return Bad("identity.enrollment_token", token.status().message());
  }
  return {};
}

Status CheckLabels(const ClientOptions& options) {
  if (options.labels.size() > static_cast<std::size_t>(kMaxLabels)) {
    return Bad("labels", absl::StrCat(options.labels.size(), ", at most ", kMaxLabels));
  }
  for (const auto& [name, value] : options.labels) {
    if (name.empty() || name.size() > static_cast<std::size_t>(kMaxNameBytes) ||
        value.size() > static_cast<std::size_t>(kMaxNameBytes)) {
      return Bad("labels", absl::StrCat("names of 1 to ", kMaxNameBytes,
                                        " bytes, values of at most ", kMaxNameBytes));
    }
  }
  return {};
}

bool IsJobName(const std::string& name) {
  if (name.size() > static_cast<std::size_t>(kMaxJobNameBytes)) return false;
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) return false;
  }
  return true;
}

}  // namespace

Status CheckOptions(const ClientOptions& options) {
  if (options.server.empty()) return Bad("server", "is missing: \"host:port\"");
  FED_RETURN_IF_ERROR(CheckIdentity(options.identity));
  if (options.state_dir.empty()) return Bad("state_dir", "is missing");
  FED_RETURN_IF_ERROR(CheckLabels(options));
  if (!IsJobName(options.job)) {
    return Bad("job", absl::StrCat("'", options.job, "': expected at most ", kMaxJobNameBytes,
                                   " of a-z, 0-9, '-'"));
  }
  if (options.examples < 0) return Bad("examples", "is negative");
  if (!options.trainer) return Bad("trainer", "is missing");
  if (options.retry_first.count() <= 0 || options.retry_longest < options.retry_first) {
    return Bad("retry_first", "expected 0 < retry_first <= retry_longest");
  }
  return {};
}

}  // namespace fed::client
