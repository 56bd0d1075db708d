// Reads a pair as the other side would, and puts file names on what is wrong.
#include "common/crypto/own_certificate.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/crypto/key.h"

namespace fed {
namespace {

Status InFile(absl::string_view file, const Status& status) {
  return Status(StatusCode::kFailedPrecondition, absl::StrCat(file, ": ", status.message()));
}

StatusOr<std::vector<Certificate>> CertificatesIn(const NamedPem& source) {
  StatusOr<std::vector<Certificate>> all = CertificatesFromPem(source.pem);
  if (!all.ok()) return InFile(source.file, all.status());
  return all;
}

std::string Date(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d", time, absl::UTCTimeZone());
}

// "3 days", "5 hours", "1 minute": the largest unit that is not zero.
std::string Roughly(absl::Duration span) {
  const auto count = [&](absl::Duration unit) { return span / unit; };
  std::int64_t n = 0;
  const char* unit = "minute";
  if ((n = count(absl::Hours(24))) > 0) {
    unit = "day";
  } else if ((n = count(absl::Hours(1))) > 0) {
    unit = "hour";
  } else {
    n = count(absl::Minutes(1));
  }
  return absl::StrCat(n, " ", unit, n == 1 ? "" : "s");
}

}  // namespace

StatusOr<std::string> CheckOwnCertificate(const OwnCertificate& own, absl::Time now) {
  FED_ASSIGN_OR_RETURN(const std::vector<Certificate> chain, CertificatesIn(own.certificate));
  FED_ASSIGN_OR_RETURN(const std::vector<Certificate> roots, CertificatesIn(own.ca));
  const StatusOr<PrivateKey> key = PrivateKey::FromPem(own.key.pem);
  if (!key.ok()) return InFile(own.key.file, key.status());
  if (!chain.front().FitsKey(*key)) {
    return Status(StatusCode::kFailedPrecondition,
                  absl::StrCat(own.key.file, " is not the key of ", own.certificate.file));
  }
  const Status trusted = CheckChain(chain.front(), absl::MakeConstSpan(chain).subspan(1), roots,
                                    {.at = std::nullopt, .use = own.use});
  if (!trusted.ok()) {
    return Status(StatusCode::kFailedPrecondition,
                  absl::StrCat(own.certificate.file, " does not lead to ", own.ca.file, ": ",
                               trusted.message()));
  }
  std::string advice = DateAdvice(own.certificate.file, chain.front(), now);
  for (std::size_t i = 1; advice.empty() && i < chain.size(); ++i) {
    advice =
        DateAdvice(absl::StrCat(own.certificate.file, " (certificate ", i + 1, ")"), chain[i], now);
  }
  return advice.empty() ? DateAdvice(own.ca.file, roots.front(), now) : advice;
}

std::string DateAdvice(absl::string_view file, const Certificate& certificate, absl::Time now) {
  if (now > certificate.not_after()) {
    return absl::StrCat(file, " expired on ", Date(certificate.not_after()), " (",
                        Roughly(now - certificate.not_after()), " ago)");
  }
  if (now < certificate.not_before()) {
    return absl::StrCat(file, " is valid only from ", Date(certificate.not_before()), " (in ",
                        Roughly(certificate.not_before() - now), ")");
  }
  return "";
}

}  // namespace fed
