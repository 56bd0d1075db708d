// Enrollment, renewal and coming back, and everybody who may not.
#include "server/security/enrollment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/crypto/enroll_token.h"
#include "server/security/revocations.h"
#include "tests/testing/memory_store.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/test_pki.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOkAndHolds;
using ::fed::testing::StatusIs;
using ::fed::testing::TestIdentity;
using ::fed::testing::TestPki;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr absl::Duration kDay = absl::Hours(24);

absl::Time Now() { return absl::FromCivil(absl::CivilDay(2026, 6, 1), absl::UTCTimeZone()); }

// Runs every body once for nothing, as a store does whose first try did not go through.
class RunsBodiesTwice final : public Store {
 public:
  explicit RunsBodiesTwice(Store& store) : store_(store) {}

  Status Read(absl::FunctionRef<Status(const StoreView&)> body) const override {
    return store_.Read(body);
  }
  Status Write(absl::FunctionRef<Status(StoreEdit&)> body) override {
    const Status rolled_back = store_.Write([&](StoreEdit& edit) {
      const Status ignored = body(edit);
      return Status(StatusCode::kAborted, ignored.message());
    });
    EXPECT_EQ(rolled_back.code(), StatusCode::kAborted);
    return store_.Write(body);
  }

 private:
  Store& store_;
};

class EnrollmentTest : public ::testing::Test {
 protected:
  std::string Token(const NewToken& token = {}) {
    return EnrollToken::Parse(*enrollment_.CreateToken(token, Now()))->secret;
  }
  EnrollmentRequest Request(const std::string& token, const PrivateKey& key) {
    return {.token_secret = token, .csr = Csr::Make(key).der(), .name = "pump 7", .labels = {}};
  }
  StatusOr<Admission> EnrollWith(const std::string& token, const PrivateKey& key) {
    return enrollment_.Enroll(Request(token, key), Now());
  }
  ReenrollmentRequest Return(const Admission& old, const PrivateKey& old_key,
                             const PrivateKey& new_key) {
    const std::string csr = Csr::Make(new_key).der();
    return {old.certificate, csr, old_key.Sign(csr)};
  }

  std::int64_t UsesLeft(const std::string& token) {
    std::int64_t left = -1;
    EXPECT_OK(store_.Read([&](const StoreView& view) -> Status {
      FED_ASSIGN_OR_RETURN(const EnrollTokenRecord found, view.EnrollToken(EnrollTokenHash(token)));
      left = found.uses_left;
      return Status();
    }));
    return left;
  }
  std::vector<ClientRecord> Clients() {
    std::vector<ClientRecord> clients;
    EXPECT_OK(store_.Read([&](const StoreView& view) -> Status {
      FED_ASSIGN_OR_RETURN(clients, view.Clients(1'000));
      return Status();
    }));
    return clients;
  }
  std::vector<CertificateRecord> CertificatesFor(const ClientId& client) {
    std::vector<CertificateRecord> certificates;
    EXPECT_OK(store_.Read([&](const StoreView& view) -> Status {
      FED_ASSIGN_OR_RETURN(certificates, view.Certificates(client));
      return Status();
    }));
    return certificates;
  }
  void Revoke(const ClientId& client) { EXPECT_OK((*Revocations::Load(store_))->Revoke(client)); }

  const TestPki& pki_ = TestPki::Shared();
  MemoryStore store_;
  Enrollment enrollment_{store_, pki_.authority()};
  const PrivateKey key_ = PrivateKey::Generate();
  const PrivateKey new_key_ = PrivateKey::Generate();
};

auto BadToken() {
  return StatusIs(StatusCode::kUnauthenticated,
                  "enrollment token is unknown, used up or expired: ask the operator for a new one "
                  "(fedctl enroll-token)");
}

TEST_F(EnrollmentTest, TokensCarryTheRootsFingerprintAndAreKeptAsAHash) {
  ASSERT_OK_AND_ASSIGN(const std::string text, enrollment_.CreateToken({.uses = 3}, Now()));
  ASSERT_OK_AND_ASSIGN(const EnrollToken token, EnrollToken::Parse(text));

  EXPECT_EQ(token.root_fingerprint, pki_.root().fingerprint());
  EXPECT_EQ(UsesLeft(token.secret), 3);
}

TEST_F(EnrollmentTest, TokensHaveBounds) {
  const auto create = [&](const NewToken& token) { return enrollment_.CreateToken(token, Now()); };
  NewToken too_many_labels;
  for (int i = 0; i <= kMaxLabels; ++i) too_many_labels.labels[absl::StrCat("l", i)] = "x";

  EXPECT_THAT(create({.uses = 0}),
              StatusIs(StatusCode::kInvalidArgument, "token for 0 uses: expected 1 to 1000000"));
  EXPECT_THAT(create({.uses = 1'000'001}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_OK(create({.uses = 1'000'000}));
  EXPECT_THAT(create({.life = absl::ZeroDuration()}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("lives for 0")));
  EXPECT_THAT(create({.life = 90 * kDay + absl::Seconds(1)}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("at most 2160h")));
  EXPECT_OK(create({.life = 90 * kDay}));
  EXPECT_THAT(create(too_many_labels),
              StatusIs(StatusCode::kInvalidArgument, "33 labels: at most 32"));
}

TEST_F(EnrollmentTest, GivesAnIdentityACertificateAndTheChain) {
  const std::string token = Token({.role = Role::kEvaluator, .uses = 2});

  ASSERT_OK_AND_ASSIGN(const Admission admission, EnrollWith(token, key_));
  ASSERT_OK_AND_ASSIGN(const Certificate certificate, Certificate::FromDer(admission.certificate));

  EXPECT_EQ(admission.caller.role, Role::kEvaluator);
  EXPECT_EQ(admission.caller.id.value.size(), 32U);
  EXPECT_THAT(certificate.Uri(),
              IsOkAndHolds("spiffe://fed.test/evaluator/" + admission.caller.id.value));
  EXPECT_TRUE(certificate.FitsKey(key_));
  EXPECT_EQ(certificate.not_after(), Now() + kDay);
  EXPECT_OK(pki_.authority().CheckIssued(certificate));
  EXPECT_EQ(admission.chain, pki_.authority().ChainDer());
  EXPECT_EQ(UsesLeft(token), 1);
}

TEST_F(EnrollmentTest, WritesClientAndCertificateDown) {
  ASSERT_OK_AND_ASSIGN(const Admission admission, EnrollWith(Token(), key_));

  const std::vector<ClientRecord> clients = Clients();
  ASSERT_THAT(clients, SizeIs(1));
  EXPECT_EQ(clients[0].id, admission.caller.id);
  EXPECT_EQ(clients[0].role, Role::kClient);
  EXPECT_EQ(clients[0].name, "pump 7");
  EXPECT_EQ(clients[0].enrolled_at, Now());
  EXPECT_EQ(clients[0].first_seen, absl::InfinitePast());
  EXPECT_FALSE(clients[0].revoked);
  const std::vector<CertificateRecord> certificates = CertificatesFor(admission.caller.id);
  ASSERT_THAT(certificates, SizeIs(1));
  EXPECT_EQ(certificates[0].der, admission.certificate);
  EXPECT_EQ(certificates[0].key_digest, key_.public_key().digest().ToHex());
  EXPECT_EQ(certificates[0].serial, Certificate::FromDer(admission.certificate)->serial());
}

TEST_F(EnrollmentTest, LetsTheTokensLabelsWin) {
  EnrollmentRequest request = Request(Token({.labels = {{"site", "berlin"}, {"tier", "1"}}}), key_);
  request.labels = {{"site", "anywhere"}, {"model", "x"}};

  ASSERT_OK(enrollment_.Enroll(request, Now()));

  EXPECT_THAT(Clients()[0].labels,
              ElementsAre(Pair("model", "x"), Pair("site", "berlin"), Pair("tier", "1")));
}

TEST_F(EnrollmentTest, AnswersTheSameKeyAndTokenAsTheFirstTime) {
  const std::string token = Token({.uses = 1});
  ASSERT_OK_AND_ASSIGN(const Admission first, EnrollWith(token, key_));

  ASSERT_OK_AND_ASSIGN(const Admission at_once, EnrollWith(token, key_));
  ASSERT_OK_AND_ASSIGN(const Admission later,
                       enrollment_.Enroll(Request(token, key_), Now() + absl::Hours(2)));

  EXPECT_EQ(at_once.certificate, first.certificate);
  EXPECT_EQ(at_once.caller.id, first.caller.id);
  EXPECT_EQ(later.certificate, first.certificate);
  EXPECT_EQ(UsesLeft(token), 0);
  EXPECT_THAT(Clients(), SizeIs(1));
}

TEST_F(EnrollmentTest, GivesNothingAgainToWhoWasRevokedSince) {
  const std::string token = Token({.uses = 2});
  ASSERT_OK_AND_ASSIGN(const Admission first, EnrollWith(token, key_));
  Revoke(first.caller.id);

  EXPECT_THAT(EnrollWith(token, key_), StatusIs(StatusCode::kPermissionDenied,
                                                HasSubstr(first.caller.id.value + " is revoked")));
  EXPECT_EQ(UsesLeft(token), 1);
}

TEST_F(EnrollmentTest, RefusesUnknownUsedUpAndExpiredTokensAlike) {
  const std::string used_up = Token({.uses = 1});
  ASSERT_OK(EnrollWith(used_up, new_key_));
  const std::string expired = Token({.life = absl::Hours(1)});
  const EnrollmentRequest late = Request(expired, key_);

  EXPECT_THAT(EnrollWith("unknown", key_), BadToken());
  EXPECT_THAT(EnrollWith("", key_), BadToken());
  EXPECT_THAT(EnrollWith(used_up, key_), BadToken());
  EXPECT_THAT(enrollment_.Enroll(late, Now() + absl::Hours(1)), BadToken());
  EXPECT_OK(enrollment_.Enroll(late, Now() + absl::Hours(1) - absl::Seconds(1)));
  EXPECT_THAT(Clients(), SizeIs(2));
}

TEST_F(EnrollmentTest, RefusesATamperedRequestWithoutAUse) {
  const std::string token = Token();
  EnrollmentRequest tampered = Request(token, key_);
  tampered.csr.back() = static_cast<char>(tampered.csr.back() ^ 1);
  EnrollmentRequest huge = Request(token, key_);
  huge.csr.resize(kMaxCsrBytes + 1);

  EXPECT_THAT(enrollment_.Enroll(tampered, Now()),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("signing request")));
  EXPECT_THAT(enrollment_.Enroll(huge, Now()), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(UsesLeft(token), 1);
  EXPECT_THAT(Clients(), IsEmpty());
}

TEST_F(EnrollmentTest, BoundsNameAndLabels) {
  const std::string token = Token({.labels = {{"site", "berlin"}}});
  EnrollmentRequest long_name = Request(token, key_), many = long_name, long_label = long_name,
                    no_label = long_name;
  long_name.name = std::string(129, 'x');
  many.name = long_label.name = no_label.name = std::string(128, 'x');
  for (int i = 0; i < kMaxLabels; ++i) many.labels[absl::StrCat("l", i)] = "x";
  long_label.labels["x"] = std::string(kMaxNameBytes + 1, 'x');
  no_label.labels[""] = "x";

  const auto enroll = [&](const EnrollmentRequest& r) { return enrollment_.Enroll(r, Now()); };
  EXPECT_THAT(enroll(long_name),
              StatusIs(StatusCode::kInvalidArgument, "name of 129 bytes: at most 128"));
  EXPECT_THAT(enroll(many), StatusIs(StatusCode::kInvalidArgument, "33 labels: at most 32"));
  EXPECT_THAT(enroll(long_label),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("label of 1 + 513 bytes")));
  EXPECT_THAT(enroll(no_label), StatusIs(StatusCode::kInvalidArgument, HasSubstr("empty")));
  EXPECT_EQ(UsesLeft(token), 1);
}

TEST_F(EnrollmentTest, UsesATokenOnceWhenItsTransactionRunsTwice) {
  RunsBodiesTwice twice(store_);
  Enrollment enrollment(twice, pki_.authority());
  const std::string token = Token({.uses = 2});

  ASSERT_OK_AND_ASSIGN(const Admission admission, enrollment.Enroll(Request(token, key_), Now()));

  EXPECT_EQ(UsesLeft(token), 1);
  EXPECT_THAT(Clients(), SizeIs(1));
  EXPECT_EQ(CertificatesFor(admission.caller.id)[0].der, admission.certificate);
}

TEST_F(EnrollmentTest, PassesAnUnknownCommitOnAndAnswersTheRetryFromTheStore) {
  const std::string token = Token();
  store_.FailWrites(Status(StatusCode::kUnknown, "commit"));
  EXPECT_THAT(EnrollWith(token, key_), StatusIs(StatusCode::kUnknown));
  store_.FailWrites(Status());

  ASSERT_OK_AND_ASSIGN(const Admission admission, EnrollWith(token, key_));

  EXPECT_THAT(CertificatesFor(admission.caller.id), SizeIs(1));
  EXPECT_EQ(UsesLeft(token), 0);
}

TEST_F(EnrollmentTest, NeverUsesATokenMoreOftenThanItSays) {
  const std::string token = Token({.uses = 5});
  std::atomic<int> admitted = 0, refused = 0;

  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 4; ++n) {
        const auto answer = EnrollWith(token, PrivateKey::Generate());
        if (answer.ok()) {
          ++admitted;
        } else if (answer.status().code() == StatusCode::kUnauthenticated) {
          ++refused;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(admitted, 5);
  EXPECT_EQ(refused, 11);
  EXPECT_EQ(UsesLeft(token), 0);
  EXPECT_THAT(Clients(), SizeIs(5));
}

TEST_F(EnrollmentTest, GivesOneAnswerToOneKeyFromManyThreads) {
  const std::string token = Token({.uses = 8});
  std::vector<std::string> answers(8);

  std::vector<std::thread> threads;
  for (std::string& answer : answers) {
    threads.emplace_back([&] { answer = EnrollWith(token, key_).value().certificate; });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_THAT(std::set<std::string>(answers.begin(), answers.end()), SizeIs(1));
  EXPECT_EQ(UsesLeft(token), 7);
}

TEST_F(EnrollmentTest, RenewsForTheSameIdentityWithANewKey) {
  ASSERT_OK_AND_ASSIGN(const Admission first, EnrollWith(Token(), key_));
  const absl::Time later = Now() + absl::Hours(16);

  ASSERT_OK_AND_ASSIGN(const Admission renewed,
                       enrollment_.Renew(first.caller, Csr::Make(new_key_).der(), later));
  ASSERT_OK_AND_ASSIGN(const Certificate certificate, Certificate::FromDer(renewed.certificate));

  EXPECT_EQ(renewed.caller.id, first.caller.id);
  EXPECT_THAT(certificate.Uri(),
              IsOkAndHolds(Certificate::FromDer(first.certificate)->Uri().value()));
  EXPECT_TRUE(certificate.FitsKey(new_key_));
  EXPECT_EQ(certificate.not_after(), later + kDay);
  EXPECT_THAT(CertificatesFor(first.caller.id), SizeIs(2));
  EXPECT_THAT(Clients(), SizeIs(1));
}

TEST_F(EnrollmentTest, RenewsTheFirstOperatorAndWritesHimDown) {
  const Caller first_operator{{"op"}, Role::kOperator};

  ASSERT_OK(enrollment_.Renew(first_operator, Csr::Make(key_).der(), Now()));

  ASSERT_THAT(Clients(), SizeIs(1));
  EXPECT_EQ(Clients()[0].role, Role::kOperator);
  Revoke({"op"});
  EXPECT_THAT(enrollment_.Renew(first_operator, Csr::Make(key_).der(), Now()),
              StatusIs(StatusCode::kPermissionDenied, HasSubstr("op is revoked")));
}

TEST_F(EnrollmentTest, RenewsNothingForTheRevokedOrForABrokenRequest) {
  ASSERT_OK_AND_ASSIGN(const Admission first, EnrollWith(Token(), key_));

  EXPECT_THAT(enrollment_.Renew(first.caller, "rubbish", Now()),
              StatusIs(StatusCode::kInvalidArgument));
  Revoke(first.caller.id);
  EXPECT_THAT(enrollment_.Renew(first.caller, Csr::Make(new_key_).der(), Now()),
              StatusIs(StatusCode::kPermissionDenied, HasSubstr("is revoked")));
  EXPECT_THAT(CertificatesFor(first.caller.id), SizeIs(1));
}

TEST_F(EnrollmentTest, LetsTheExpiredComeBackWithinTheGraceTime) {
  ASSERT_OK_AND_ASSIGN(const Admission first, EnrollWith(Token(), key_));
  const absl::Time weeks_later = Now() + 21 * kDay;

  ASSERT_OK_AND_ASSIGN(const Admission back,
                       enrollment_.Reenroll(Return(first, key_, new_key_), weeks_later));

  EXPECT_EQ(back.caller.id, first.caller.id);
  EXPECT_TRUE(Certificate::FromDer(back.certificate)->FitsKey(new_key_));
  EXPECT_THAT(CertificatesFor(first.caller.id), SizeIs(2));
}

TEST_F(EnrollmentTest, LetsNobodyBackAfterTheGraceTime) {
  ASSERT_OK_AND_ASSIGN(const Admission first, EnrollWith(Token(), key_));
  const absl::Time end = Now() + kDay + 30 * kDay;

  EXPECT_OK(enrollment_.Reenroll(Return(first, key_, new_key_), end));
  EXPECT_THAT(enrollment_.Reenroll(Return(first, key_, new_key_), end + absl::Seconds(1)),
              StatusIs(StatusCode::kPermissionDenied,
                       HasSubstr("expired on 2026-06-02, more than 720h ago: enroll again")));
}

TEST_F(EnrollmentTest, LetsTheRevokedNotBack) {
  ASSERT_OK_AND_ASSIGN(const Admission first, EnrollWith(Token(), key_));
  Revoke(first.caller.id);

  EXPECT_THAT(enrollment_.Reenroll(Return(first, key_, new_key_), Now() + 2 * kDay),
              StatusIs(StatusCode::kPermissionDenied, HasSubstr("is revoked")));
}

TEST_F(EnrollmentTest, LetsNobodyBackWithoutTheOldKey) {
  ASSERT_OK_AND_ASSIGN(const Admission first, EnrollWith(Token(), key_));
  ReenrollmentRequest stolen = Return(first, new_key_, new_key_);
  ReenrollmentRequest other_csr = Return(first, key_, new_key_);
  other_csr.csr = Csr::Make(PrivateKey::Generate()).der();

  const auto refused = StatusIs(StatusCode::kUnauthenticated, HasSubstr("not this key's"));
  EXPECT_THAT(enrollment_.Reenroll(stolen, Now() + 2 * kDay), refused);
  EXPECT_THAT(enrollment_.Reenroll(other_csr, Now() + 2 * kDay), refused);
}

TEST_F(EnrollmentTest, LetsNobodyBackWhomItDoesNotKnow) {
  const TestIdentity stranger = pki_.Client("stranger"), foreign = TestPki::Wrong().Client("x");
  const std::string csr = Csr::Make(new_key_).der();
  const auto signed_by = [&](const TestIdentity& identity) {
    return ReenrollmentRequest{identity.certificate_der, csr,
                               PrivateKey::FromPem(identity.key_pem)->Sign(csr)};
  };

  EXPECT_THAT(enrollment_.Reenroll(signed_by(stranger), Now()),
              StatusIs(StatusCode::kPermissionDenied, HasSubstr("stranger is not known")));
  EXPECT_THAT(enrollment_.Reenroll(signed_by(foreign), Now()),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("not trusted")));
  EXPECT_THAT(enrollment_.Reenroll({"rubbish", csr, ""}, Now()),
              StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace fed::server
