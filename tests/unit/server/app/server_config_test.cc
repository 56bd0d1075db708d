// fedserver.toml: what is read, what is refused and how it is said, and that the sample has it all.
#include "server/app/server_config.h"

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

ServerConfig Parsed(absl::string_view text) {
  StatusOr<ServerConfig> config = ParseServerConfig(text, "fedserver.toml");
  EXPECT_TRUE(config.ok()) << config.status().message() << " in\n" << text;
  return config.ok() ? *config : ServerConfig();
}

std::string Message(absl::string_view text) {
  const StatusOr<ServerConfig> config = ParseServerConfig(text, "fedserver.toml");
  EXPECT_THAT(config, StatusIs(StatusCode::kInvalidArgument)) << text;
  return config.status().message();
}

std::string Sample() {
  std::ifstream file(FED_SAMPLE_CONFIG);
  EXPECT_TRUE(file.good()) << FED_SAMPLE_CONFIG;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Documented {
  std::string default_line;  // "main = \"0.0.0.0:7443\""
  bool comment_above = false;
};

// What the sample shows, by "section.key"; at the top ".key". Every key of it is commented out.
std::map<std::string, Documented> DocumentedKeys() {
  std::map<std::string, Documented> keys;
  std::string section;
  bool comment_above = false;
  for (absl::string_view line : absl::StrSplit(Sample(), '\n')) {
    if (absl::ConsumePrefix(&line, "[")) {
      section = std::string(absl::StripSuffix(line, "]"));
      comment_above = false;
      continue;
    }
    const bool is_comment = absl::ConsumePrefix(&line, "# ");
    EXPECT_TRUE(is_comment || line.empty()) << "not commented out: " << line;
    const std::size_t equals = line.find(" = ");
    if (equals != absl::string_view::npos && !absl::StrContains(line.substr(0, equals), ' ')) {
      keys[absl::StrCat(section, ".", line.substr(0, equals))] = {std::string(line), comment_above};
      comment_above = false;
    } else {
      comment_above = is_comment;
    }
  }
  return keys;
}

// The sample's defaults of one section ("" for the top) written out.
std::string WrittenOut(absl::string_view section) {
  std::string text = section.empty() ? "" : absl::StrCat("[", section, "]\n");
  for (const auto& [name, documented] : DocumentedKeys()) {
    if (absl::StartsWith(name, absl::StrCat(section, "."))) {
      absl::StrAppend(&text, documented.default_line, "\n");
    }
  }
  return text;
}

ServerConfig Resolved(ServerConfig config, const std::string& folder) {
  ResolvePaths(folder, config);
  return config;
}

TEST(ServerConfigTest, TheSampleAsItIsChangesNothing) {
  EXPECT_TRUE(Parsed(Sample()) == ServerConfig());
}

TEST(ServerConfigTest, TheSampleDocumentsEveryKeyAndNoOther) {
  std::map<std::string, Documented> documented = DocumentedKeys();
  for (const ConfigKey& key : AllConfigKeys()) {
    const std::string name = absl::StrCat(key.section, ".", key.name);
    ASSERT_TRUE(documented.contains(name)) << name << " is not in the sample";
    EXPECT_TRUE(documented[name].comment_above) << name << " has no comment above it";
    documented.erase(name);
  }
  for (const auto& [name, shown] : documented) ADD_FAILURE() << name << " is no key";
}

TEST(ServerConfigTest, TheDefaultsThatTheSampleShowsAreTheDefaults) {
  std::set<std::string> sections;
  for (const ConfigKey& key : AllConfigKeys()) sections.insert(std::string(key.section));
  for (const std::string& section : sections) {
    const ServerConfig shown = Resolved(Parsed(WrittenOut(section)), "/etc/fed");
    EXPECT_TRUE(shown == Resolved(ServerConfig(), "/etc/fed")) << WrittenOut(section);
  }
}

TEST(ServerConfigTest, AnEmptyFileIsAllDefaults) { EXPECT_TRUE(Parsed("") == ServerConfig()); }

TEST(ServerConfigTest, PutsEveryKeyWhereItBelongs) {
  const ServerConfig config = Parsed(R"(grace = "1s"
[listen]
main = "[::1]:1"
enrollment = "a.example:2"
admin = "127.0.0.1:0"
reflection = true
bdp_probe = true
[tls]
certificate = "c.pem"
key = "k.pem"
ca = "r.pem"
[ca]
folder = "authority"
certificate_life = "1h30m"
renew_grace = "0s"
[storage]
state_dir = "/var/fed"
durability = "normal"
[transfer]
max_uploads = 3
piece_bytes = 16384
idle_timeout = "5s"
[threads]
workers = 4
fold = 5
[log]
level = "warn"
)");
  EXPECT_EQ(config.grace, absl::Seconds(1));
  EXPECT_EQ(config.listen.main, "[::1]:1");
  EXPECT_EQ(config.listen.enrollment, "a.example:2");
  EXPECT_EQ(config.listen.admin, "127.0.0.1:0");
  EXPECT_TRUE(config.listen.reflection);
  EXPECT_TRUE(config.listen.bdp_probe);
  EXPECT_EQ(config.tls.certificate, "c.pem");
  EXPECT_EQ(config.tls.key, "k.pem");
  EXPECT_EQ(config.tls.ca, "r.pem");
  EXPECT_EQ(config.ca.folder, "authority");
  EXPECT_EQ(config.ca.certificate_life, absl::Minutes(90));
  EXPECT_EQ(config.ca.renew_grace, absl::ZeroDuration());
  EXPECT_EQ(config.storage.state_dir, "/var/fed");
  EXPECT_EQ(config.storage.durability, "normal");
  EXPECT_EQ(config.transfer.max_uploads, 3);
  EXPECT_EQ(config.transfer.piece_bytes, 16'384);
  EXPECT_EQ(config.transfer.idle_timeout, absl::Seconds(5));
  EXPECT_EQ(config.threads.workers, 4);
  EXPECT_EQ(config.threads.fold, 5);
  EXPECT_EQ(config.log.level, "warn");
}

TEST(ServerConfigTest, KnowsEachLevelOfTheLog) {
  const std::map<std::string, LogLevel> levels = {{"debug", LogLevel::kDebug},
                                                  {"info", LogLevel::kInfo},
                                                  {"warn", LogLevel::kWarn},
                                                  {"error", LogLevel::kError}};
  for (const auto& [name, level] : levels) {
    EXPECT_EQ(Parsed(absl::StrCat("[log]\nlevel = \"", name, "\"")).log.least(), level) << name;
  }
}

TEST(ServerConfigTest, RefusesUnknownKeysWithFileLineAndTheKeyThatWasMeant) {
  EXPECT_THAT(Message("[listen]\nreflection = true\nadmn = \"a:1\"\n"),
              AllOf(StartsWith("fedserver.toml:3: unknown key in [listen] 'admn'"),
                    HasSubstr("known: main, enrollment, admin, reflection, bdp_probe"),
                    HasSubstr("did you mean 'admin'?")));
  EXPECT_THAT(Message("\n[listn]\n"), AllOf(StartsWith("fedserver.toml:2: unknown section 'listn'"),
                                            HasSubstr("did you mean 'listen'?")));
  EXPECT_THAT(Message("grce = \"1s\""), AllOf(StartsWith("fedserver.toml:1: unknown key 'grce'"),
                                              HasSubstr("did you mean 'grace'?")));
  EXPECT_THAT(Message("level = \"info\""), StartsWith("fedserver.toml:1: unknown key 'level'"))
      << "a key of a section, at the top";
}

TEST(ServerConfigTest, EveryKeyIsKnownInItsOwnSectionOnly) {
  for (const ConfigKey& key : AllConfigKeys()) {
    const absl::string_view other = key.section == "log" ? "storage" : "log";
    EXPECT_THAT(Message(absl::StrCat("[", other, "]\n", key.name, " = 1")),
                StartsWith(absl::StrCat("fedserver.toml:2: unknown key in [", other, "] '",
                                        key.name, "'")));
  }
}

struct BadValue {
  const char* section;
  const char* line;
  const char* expected;
};

TEST(ServerConfigTest, RefusesWrongTypesAndRanges) {
  const BadValue kBad[] = {
      {"listen", "main = 7443", "an address as \"0.0.0.0:7443\""},
      {"listen", "main = \"\"", "an address"},
      {"listen", "main = \"localhost\"", "an address"},
      {"listen", "enrollment = \":7444\"", "an address"},
      {"listen", "enrollment = \"h:\"", "an address"},
      {"listen", "admin = \"h:port\"", "an address"},
      {"listen", "admin = \"h:65536\"", "an address"},
      {"listen", "admin = \"h:-1\"", "an address"},
      {"listen", "reflection = \"yes\"", "true or false"},
      {"listen", "bdp_probe = 1", "true or false"},
      {"tls", "certificate = \"\"", "a text in quotes, not empty"},
      {"tls", "key = 3", "a text in quotes"},
      {"tls", "ca = [\"root.pem\"]", "a text in quotes"},
      {"ca", "folder = \"\"", "a text in quotes, not empty"},
      {"ca", "certificate_life = \"59s\"", "from 1m to 8784h"},
      {"ca", "certificate_life = 24", "a duration in quotes, as \"90s\" or \"1h30m\""},
      {"ca", "renew_grace = \"-1s\"", "from 0 to 8784h"},
      {"ca", "renew_grace = \"8785h\"", "from 0 to 8784h"},
      {"storage", "state_dir = true", "a text in quotes"},
      {"storage", "durability = \"none\"", "one of \"full\" \"normal\""},
      {"storage", "durability = true", "one of \"full\" \"normal\""},
      {"transfer", "max_uploads = 0", "a whole number from 1 to 100000"},
      {"transfer", "max_uploads = 1.5", "a whole number"},
      {"transfer", "piece_bytes = 16383", "a whole number from 16384 to 2097152"},
      {"transfer", "piece_bytes = 2097153", "a whole number from 16384 to 2097152"},
      {"transfer", "idle_timeout = \"999ms\"", "from 1s to 1h"},
      {"threads", "workers = -1", "a whole number from 0 to 1024"},
      {"threads", "fold = 1025", "a whole number from 0 to 1024"},
      {"log", "level = \"WARN\"", "one of \"debug\" \"info\" \"warn\" \"error\""},
  };
  for (const BadValue& bad : kBad) {
    const std::string key(bad.line, std::string(bad.line).find(' '));
    EXPECT_THAT(Message(absl::StrCat("[", bad.section, "]\n", bad.line, "\n")),
                AllOf(StartsWith(absl::StrCat("fedserver.toml:2: '", key, "' in [", bad.section,
                                              "] must be ")),
                      HasSubstr(bad.expected)))
        << bad.line;
  }
  EXPECT_EQ(Message("grace = \"61m\""),
            "fedserver.toml:1: 'grace' must be a duration in quotes, as \"90s\" or \"1h30m\", "
            "from 0 to 1h");
}

TEST(ServerConfigTest, RefusesWhatIsNoSectionAndWhatIsNoToml) {
  for (const ConfigKey& key : AllConfigKeys()) {
    if (key.section.empty()) continue;
    EXPECT_EQ(Message(absl::StrCat("\n", key.section, " = 3")),
              absl::StrCat("fedserver.toml:2: '", key.section, "' must be a section"));
  }
  EXPECT_THAT(Message("grace = \"1s\"\n[listen\n"), StartsWith("fedserver.toml:2: "));
}

TEST(ServerConfigTest, TakesACertificateOnlyWithItsKey) {
  const std::string expected =
      "fedserver.toml:2: [tls] needs both 'certificate' and 'key', or neither";
  EXPECT_EQ(Message("\n[tls]\ncertificate = \"c\""), expected);
  EXPECT_EQ(Message("\n[tls]\nkey = \"k\""), expected);
  EXPECT_EQ(Parsed("[tls]\nca = \"r\"").tls.ca, "r");
}

TEST(ResolvePathsTest, TheDefaultsLieBesideTheConfigurationFile) {
  for (const char* const folder : {"/etc/fed", "/etc/fed/"}) {
    const ServerConfig config = Resolved(ServerConfig(), folder);
    EXPECT_EQ(config.ca.folder, "/etc/fed/ca");
    EXPECT_EQ(config.storage.state_dir, "/etc/fed/state");
    EXPECT_EQ(config.tls.certificate, "/etc/fed/ca/server.pem");
    EXPECT_EQ(config.tls.key, "/etc/fed/ca/server.key");
    EXPECT_EQ(config.tls.ca, "/etc/fed/ca/root.pem");
  }
}

TEST(ResolvePathsTest, ARelativeFolderIsPutBeforeEachPathOnce) {
  ServerConfig config;
  config.tls = {"c.pem", "k.pem", "r.pem"};
  config = Resolved(config, "conf");
  EXPECT_EQ(config.ca.folder, "conf/ca");
  EXPECT_EQ(config.storage.state_dir, "conf/state");
  EXPECT_EQ(config.tls.certificate, "conf/c.pem");
  EXPECT_EQ(config.tls.key, "conf/k.pem");
  EXPECT_EQ(config.tls.ca, "conf/r.pem");
  EXPECT_EQ(Resolved(ServerConfig(), "conf").tls.certificate, "conf/ca/server.pem");
}

TEST(ResolvePathsTest, AbsolutePathsStayAsTheyAre) {
  ServerConfig config;
  config.ca.folder = "/ca";
  config.storage.state_dir = "/var/fed";
  config.tls = {"/c.pem", "/k.pem", ""};
  config = Resolved(config, "/etc/fed");
  EXPECT_EQ(config.ca.folder, "/ca");
  EXPECT_EQ(config.storage.state_dir, "/var/fed");
  EXPECT_EQ(config.tls.certificate, "/c.pem");
  EXPECT_EQ(config.tls.key, "/k.pem");
  EXPECT_EQ(config.tls.ca, "/ca/root.pem") << "the one that was not given";
}

}  // namespace
}  // namespace fed::server
