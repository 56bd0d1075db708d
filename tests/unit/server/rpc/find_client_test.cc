// Clients by the beginning of their ids.
#include "gmock/gmock.h"
#include "tests/unit/server/rpc/admin_world.h"

namespace fed::server {
namespace {

using ::fed::testing::StatusIs;

class FindClientTest : public AdminWorld {
 protected:
  void SetUp() override {
    for (const char* const id : {"0123456789ab", "0123456799ab", "0123456799abcd", "short"}) {
      Put(&StoreEdit::PutClient, TestClient(id));
    }
  }

  StatusOr<std::string> Find(const std::string& id_or_prefix) {
    std::string found;
    FED_RETURN_IF_ERROR(store_.Read([&](const StoreView& view) -> Status {
      FED_ASSIGN_OR_RETURN(const ClientRecord client, FindClient(view, id_or_prefix));
      found = client.id.value;
      return Status();
    }));
    return found;
  }
};

TEST_F(FindClientTest, ByItsWholeIdHoweverShort) {
  EXPECT_EQ(*Find("0123456789ab"), "0123456789ab");
  EXPECT_EQ(*Find("short"), "short");
  EXPECT_EQ(*Find("0123456799ab"), "0123456799ab") << "though another one's id begins so";
}

TEST_F(FindClientTest, ByABeginningThatFitsOneOnly) {
  EXPECT_EQ(*Find("012345678"), "0123456789ab");
  EXPECT_EQ(*Find("0123456799abc"), "0123456799abcd");
}

TEST_F(FindClientTest, AsksForMoreOfAShortBeginning) {
  const std::string expected = "': give a client's whole id or at least its first 8 characters";
  EXPECT_THAT(Find("0123456"), StatusIs(StatusCode::kInvalidArgument, "'0123456" + expected));
  EXPECT_THAT(Find(""), StatusIs(StatusCode::kInvalidArgument, "'" + expected));
}

TEST_F(FindClientTest, AsksForMoreOfABeginningThatFitsSeveral) {
  EXPECT_THAT(Find("01234567"), StatusIs(StatusCode::kInvalidArgument,
                                         "3 clients' ids begin with '01234567'; give more of it"));
}

TEST_F(FindClientTest, SaysThatThereIsNone) {
  EXPECT_THAT(Find("fedcba9876"),
              StatusIs(StatusCode::kNotFound, "no client has the id 'fedcba9876'"));
  EXPECT_THAT(Find("0123456789abc"), StatusIs(StatusCode::kNotFound))
      << "longer than the id that it begins with";
}

}  // namespace
}  // namespace fed::server
