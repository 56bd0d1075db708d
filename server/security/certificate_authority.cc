// A CA folder: made, read, and issuing. The CAs carry spiffe://<trust domain> as their URI, so the
// domain is named in one place.
#include "server/security/certificate_authority.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/bytes.h"
#include "common/crypto/digest.h"
#include "common/crypto/issuance.h"

namespace fed::server {
namespace {

constexpr std::int64_t kMaxPemBytes = 256 << 10;
constexpr absl::string_view kScheme = "spiffe://";
constexpr absl::Duration kBackdating = absl::Minutes(5);

struct NewFile {
  const char* name;
  std::string contents;
};

Status CheckTrustDomain(absl::string_view domain) {
  constexpr absl::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  if (!domain.empty() && domain.size() <= 255 &&
      domain.find_first_not_of(kAllowed) == absl::string_view::npos) {
    return Status();
  }
  return Status(StatusCode::kInvalidArgument,
                absl::StrCat("trust domain \"", domain,
                             "\": expected 1 to 255 lower-case letters, digits, dots, dashes and "
                             "underscores"));
}

bool LooksLikeAddress(absl::string_view name) {
  return name.find(':') != absl::string_view::npos ||
         name.find_first_not_of("0123456789.") == absl::string_view::npos;
}

Status CheckDnsName(absl::string_view name) {
  constexpr absl::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.*";
  if (!name.empty() && name.size() <= 253 &&
      name.find_first_not_of(kAllowed) == absl::string_view::npos) {
    return Status();
  }
  return Status(StatusCode::kInvalidArgument,
                absl::StrCat("server name \"", name, "\": expected a DNS name or an IP address"));
}

Status CheckNothingIsThere(FileSystem& files, const std::string& folder) {
  for (const char* name : {kRootKeyFile, kRootFile, kIssuingKeyFile, kIssuingFile, kServerKeyFile,
                           kServerFile, kOperatorKeyFile, kOperatorFile}) {
    const std::string path = JoinPath(folder, name);
    FED_ASSIGN_OR_RETURN(const bool exists, files.Exists(path));
    if (exists) {
      return Status(StatusCode::kAlreadyExists,
                    absl::StrCat(path,
                                 " is there already: a CA is never overwritten. Choose "
                                 "another folder, or move this one away first"));
    }
  }
  return Status();
}

CertificateTemplate For(absl::string_view name, const NewAuthority& what, absl::Duration life) {
  CertificateTemplate made;
  made.common_name = std::string(name.substr(0, 64));
  made.not_before = what.now - kBackdating;
  made.not_after = what.now + life;
  return made;
}

CertificateTemplate CaTemplate(absl::string_view name, const NewAuthority& what,
                               absl::Duration life, int path_length) {
  CertificateTemplate made = For(name, what, life);
  made.uri = absl::StrCat(kScheme, what.trust_domain);
  made.is_ca = true;
  made.path_length = path_length;
  return made;
}

StatusOr<CertificateTemplate> ServerTemplate(const NewAuthority& what) {
  CertificateTemplate made = For("fedserver", what, what.server_life);
  made.server_auth = true;
  for (const std::string& name : what.server_names) {
    if (LooksLikeAddress(name)) {
      made.ip_addresses.push_back(name);
    } else {
      FED_RETURN_IF_ERROR(CheckDnsName(name));
      made.dns_names.push_back(name);
    }
  }
  if (what.server_names.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "no server name: devices check the name that they connect to");
  }
  return made;
}

CertificateTemplate OperatorTemplate(const NewAuthority& what) {
  const Caller caller{NewClientId(), Role::kOperator};
  CertificateTemplate made = For(caller.id.value, what, what.operator_life);
  made.uri = IdentityUri(caller, what.trust_domain);
  made.client_auth = true;
  return made;
}

StatusOr<std::vector<NewFile>> MakeFiles(const NewAuthority& what) {
  FED_ASSIGN_OR_RETURN(const CertificateTemplate server_template, ServerTemplate(what));
  const PrivateKey root_key = PrivateKey::Generate();
  const PrivateKey issuing_key = PrivateKey::Generate();
  const PrivateKey server_key = PrivateKey::Generate();
  const PrivateKey operator_key = PrivateKey::Generate();
  FED_ASSIGN_OR_RETURN(
      const Certificate root,
      IssueRoot(root_key, CaTemplate("fedserver root CA", what, what.root_life, 1)));
  FED_ASSIGN_OR_RETURN(
      const Certificate issuing,
      IssueCertificate(root, root_key, issuing_key.public_key(),
                       CaTemplate("fedserver issuing CA", what, what.issuing_life, 0)));
  FED_ASSIGN_OR_RETURN(
      const Certificate server,
      IssueCertificate(issuing, issuing_key, server_key.public_key(), server_template));
  FED_ASSIGN_OR_RETURN(
      const Certificate first_operator,
      IssueCertificate(issuing, issuing_key, operator_key.public_key(), OperatorTemplate(what)));
  std::vector<NewFile> made;
  made.push_back({kRootKeyFile, root_key.ToPem()});
  made.push_back({kRootFile, root.ToPem()});
  made.push_back({kIssuingKeyFile, issuing_key.ToPem()});
  made.push_back({kIssuingFile, issuing.ToPem()});
  made.push_back({kServerKeyFile, server_key.ToPem()});
  made.push_back({kServerFile, absl::StrCat(server.ToPem(), issuing.ToPem(), root.ToPem())});
  made.push_back({kOperatorKeyFile, operator_key.ToPem()});
  made.push_back({kOperatorFile, absl::StrCat(first_operator.ToPem(), issuing.ToPem())});
  return made;
}

StatusOr<std::string> ReadPem(FileSystem& files, const std::string& path) {
  StatusOr<std::string> pem = ReadFile(files, path, kMaxPemBytes);
  if (!pem.ok() && pem.status().code() == StatusCode::kNotFound) {
    return Status(StatusCode::kNotFound,
                  absl::StrCat("no CA: ", path, " is missing; fedctl ca init makes one"));
  }
  return pem;
}

StatusOr<Certificate> ReadCertificate(FileSystem& files, const std::string& path) {
  FED_ASSIGN_OR_RETURN(const std::string pem, ReadPem(files, path));
  StatusOr<Certificate> certificate = Certificate::FromPem(pem);
  if (certificate.ok()) return certificate;
  return Status(StatusCode::kFailedPrecondition,
                absl::StrCat(path, ": ", certificate.status().message()));
}

StatusOr<PrivateKey> ReadKey(FileSystem& files, const std::string& path) {
  FED_ASSIGN_OR_RETURN(const std::string pem, ReadPem(files, path));
  StatusOr<PrivateKey> key = PrivateKey::FromPem(pem);
  if (key.ok()) return key;
  return Status(StatusCode::kFailedPrecondition, absl::StrCat(path, ": ", key.status().message()));
}

StatusOr<std::string> TrustDomainOf(const Certificate& issuing, const std::string& path) {
  FED_ASSIGN_OR_RETURN(const std::string uri, issuing.Uri());
  absl::string_view domain = uri;
  if (!absl::ConsumePrefix(&domain, kScheme) || !CheckTrustDomain(domain).ok()) {
    return Status(StatusCode::kFailedPrecondition,
                  absl::StrCat(path, ": its URI \"", uri, "\" names no trust domain"));
  }
  return std::string(domain);
}

}  // namespace

Status InitAuthority(FileSystem& files, const std::string& folder, const NewAuthority& what) {
  FED_RETURN_IF_ERROR(CheckTrustDomain(what.trust_domain));
  FED_RETURN_IF_ERROR(CheckNothingIsThere(files, folder));
  FED_ASSIGN_OR_RETURN(const std::vector<NewFile> made, MakeFiles(what));
  FED_RETURN_IF_ERROR(files.MakeFolder(folder));
  FED_RETURN_IF_ERROR(files.SyncFolder(FolderOf(folder)));
  for (const NewFile& file : made) {
    FED_RETURN_IF_ERROR(WriteFileDurably(files, JoinPath(folder, file.name), file.contents));
  }
  return Status();
}

StatusOr<std::unique_ptr<CertificateAuthority>> CertificateAuthority::Load(
    FileSystem& files, const std::string& folder, const IssueOptions& options) {
  const std::string issuing_path = JoinPath(folder, kIssuingFile);
  FED_ASSIGN_OR_RETURN(Certificate root, ReadCertificate(files, JoinPath(folder, kRootFile)));
  FED_ASSIGN_OR_RETURN(Certificate issuing, ReadCertificate(files, issuing_path));
  FED_ASSIGN_OR_RETURN(PrivateKey key, ReadKey(files, JoinPath(folder, kIssuingKeyFile)));
  if (!issuing.FitsKey(key)) {
    return Status(
        StatusCode::kFailedPrecondition,
        absl::StrCat(JoinPath(folder, kIssuingKeyFile), " is not the key of ", issuing_path));
  }
  const Status trusted = CheckChain(issuing, {}, absl::MakeConstSpan(&root, 1));
  if (!trusted.ok()) {
    return Status(StatusCode::kFailedPrecondition,
                  absl::StrCat(issuing_path, " does not lead to ", JoinPath(folder, kRootFile),
                               ": ", trusted.message()));
  }
  FED_ASSIGN_OR_RETURN(std::string domain, TrustDomainOf(issuing, issuing_path));
  std::unique_ptr<CertificateAuthority> authority(
      new CertificateAuthority(std::move(root), std::move(issuing), std::move(key)));
  authority->trust_domain_ = std::move(domain);
  authority->options_ = options;
  return authority;
}

StatusOr<Certificate> CertificateAuthority::IssueFor(const Caller& caller, const Csr& csr,
                                                     absl::Time now) const {
  if (now >= issuing_.not_after()) {
    return Status(
        StatusCode::kFailedPrecondition,
        absl::StrCat("the issuing CA's certificate expired on ",
                     absl::FormatTime("%Y-%m-%d", issuing_.not_after(), absl::UTCTimeZone()),
                     ": nobody can be enrolled until it is renewed"));
  }
  CertificateTemplate made;
  made.common_name = caller.id.value;
  made.uri = IdentityUri(caller, trust_domain_);
  made.not_before = std::max(now - options_.backdating, issuing_.not_before());
  made.not_after = std::min(now + options_.life, issuing_.not_after());
  made.client_auth = true;
  return IssueCertificate(issuing_, issuing_key_, csr.public_key(), made);
}

Status CertificateAuthority::CheckIssued(const Certificate& certificate) const {
  return CheckChain(certificate, absl::MakeConstSpan(&issuing_, 1), absl::MakeConstSpan(&root_, 1),
                    {.at = std::nullopt, .use = ChainPolicy::Use::kClient});
}

std::vector<std::string> CertificateAuthority::ChainDer() const {
  return {issuing_.ToDer(), root_.ToDer()};
}

ClientId NewClientId() { return ClientId{ToHex(SystemRandom(16))}; }

}  // namespace fed::server
