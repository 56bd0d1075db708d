// Downloads and uploads against a server in this process.
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client_sdk/transport/grpc_transport.h"
#include "common/base/bytes.h"
#include "tests/unit/client_sdk/transport/transport_fixture.h"

namespace fed::client {
namespace {

using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::SizeIs;

class DownloadTest : public GrpcTransportTest {
 protected:
  // Serves `bytes` in pieces of 100,000.
  Answers Serves(const std::string& bytes, std::size_t breaks_at = std::string::npos) {
    Answers answers;
    answers.download = [bytes, breaks_at](grpc::ServerContext&, const v1::DownloadRequest&,
                                          grpc::ServerWriter<v1::DownloadPiece>& writer) {
      for (std::size_t at = 0; at < bytes.size(); at += 100'000) {
        if (at >= breaks_at) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "going down");
        v1::DownloadPiece piece;
        piece.set_offset(static_cast<std::int64_t>(at));
        piece.set_data(bytes.substr(at, 100'000));
        if (!writer.Write(piece)) return grpc::Status::CANCELLED;
      }
      return grpc::Status::OK;
    };
    return answers;
  }

  Status Download(Status sink_says = Status()) {
    Answer<Status> answer;
    const auto call = transport_->Download(
        {JobId{"keyboard"}, ModelVersion{1}, "model", {{0, 3}}},
        [this, sink_says](std::int64_t offset, absl::Span<const std::uint8_t> piece) {
          if (!sink_says.ok()) return sink_says;
          EXPECT_EQ(offset, static_cast<std::int64_t>(got_.size()));
          got_ += std::string(AsText(piece));
          return Status();
        },
        answer.callback());
    return answer.Get();
  }

  std::string got_;
};

TEST_F(DownloadTest, PiecesComeInOrderAndWhole) {
  const std::string bytes = Pattern(3'000'001);
  Serve(Serves(bytes));
  EXPECT_THAT(Download(), IsOk());
  EXPECT_EQ(got_, bytes);
}

TEST_F(DownloadTest, ASinkThatRefusesEndsTheCallWithItsReason) {
  Serve(Serves(Pattern(3'000'001)));
  EXPECT_THAT(Download(Status(StatusCode::kDataLoss, "chunk 1 is another")),
              StatusIs(StatusCode::kDataLoss, "chunk 1 is another"));
}

TEST_F(DownloadTest, AStreamThatBreaksKeepsWhatCame) {
  Serve(Serves(Pattern(3'000'001), 1'000'000));
  EXPECT_THAT(Download(), StatusIs(StatusCode::kUnavailable, "going down"));
  EXPECT_THAT(got_, SizeIs(1'000'000));
}

TEST_F(DownloadTest, AStreamOnWhichNothingMovesIsEnded) {
  Answers answers;
  Gate gate;
  answers.download = [&](grpc::ServerContext&, const v1::DownloadRequest&,
                         grpc::ServerWriter<v1::DownloadPiece>&) {
    gate.Wait();
    return grpc::Status::OK;
  };
  GrpcTransportOptions options;
  options.longest_idle = absl::Milliseconds(200);
  Serve(std::move(answers), options);
  EXPECT_THAT(Download(), StatusIs(StatusCode::kDeadlineExceeded, HasSubstr("nothing came")));
  gate.Open();
}

class UploadTest : public GrpcTransportTest {
 protected:
  // Takes what comes from `offset` on, in pieces of at most `piece_bytes`, and answers with a
  // receipt once the device has said all.
  Answers Takes(std::int64_t offset, std::int64_t piece_bytes) {
    Answers answers;
    answers.upload = [this, offset, piece_bytes](UploadLine& line) {
      v1::UploadRequest request;
      if (!line.Read(&request) || !request.has_begin()) {
        return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "begin first");
      }
      begin_ = request.begin();
      v1::UploadReply reply;
      reply.mutable_proceed()->set_offset(offset);
      reply.mutable_proceed()->set_piece_bytes(piece_bytes);
      line.Write(reply);
      while (line.Read(&request)) {
        offsets_.push_back(request.piece().offset());
        sizes_.push_back(request.piece().data().size());
        got_ += request.piece().data();
      }
      reply.mutable_receipt()->set_digest(begin_.digest());
      line.Write(reply);
      return grpc::Status::OK;
    };
    return answers;
  }

  static Answers Says(const v1::UploadReply& reply) {
    Answers answers;
    answers.upload = [reply](UploadLine& line) {
      v1::UploadRequest request;
      line.Read(&request);
      line.Write(reply);
      return grpc::Status::OK;
    };
    return answers;
  }

  v1::UploadBegin begin_;
  std::vector<std::int64_t> offsets_;
  std::vector<std::size_t> sizes_;
  std::string got_;
};

TEST_F(UploadTest, AllBytesArriveInPiecesThatTheServerNamed) {
  const std::string bytes = Pattern(5'000'003);
  Serve(Takes(0, 100'000));
  const auto reply = Send(UpdateOf(bytes));

  ASSERT_THAT(reply, IsOk());
  const auto& receipt = std::get<wire::UploadReceipt>(*reply);
  EXPECT_EQ(receipt.digest, Sha256(bytes));
  EXPECT_EQ(receipt.end, std::nullopt);
  EXPECT_EQ(got_, bytes);
  EXPECT_THAT(sizes_, ::testing::Each(Le(100'000U)));
  EXPECT_THAT(sizes_, SizeIs(51));
  EXPECT_EQ(begin_.total_bytes(), 5'000'003);
  EXPECT_EQ(begin_.ref().assignment(), 7);
}

TEST_F(UploadTest, ItGoesOnFromTheOffsetThatTheServerNames) {
  const std::string bytes = Pattern(1'000'000);
  Serve(Takes(700'001, 1 << 20));
  ASSERT_THAT(Send(UpdateOf(bytes)), IsOk());
  EXPECT_EQ(got_, bytes.substr(700'001));
  EXPECT_THAT(offsets_, ElementsAre(700'001));
}

TEST_F(UploadTest, WhenAllIsThereNothingIsSentAgain) {
  const std::string bytes = Pattern(1'000'000);
  Serve(Takes(1'000'000, 1 << 20));
  ASSERT_THAT(Send(UpdateOf(bytes)), IsOk());
  EXPECT_EQ(got_, "");
}

TEST_F(UploadTest, RefusalsAndComeBacksAreAnswers) {
  v1::UploadReply refused;
  refused.mutable_refused()->set_reason("too late");
  Serve(Says(refused));
  const auto reply = Send(UpdateOf(Pattern(1'000)));
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(std::get<wire::UploadRefused>(*reply).reason, "too late");

  v1::UploadReply later;
  later.mutable_come_back()->set_reason(v1::ComeBack::REASON_BUSY);
  later.mutable_come_back()->set_after_ms(2'000);
  Serve(Says(later));
  const auto busy = Send(UpdateOf(Pattern(1'000)));
  ASSERT_THAT(busy, IsOk());
  EXPECT_EQ(std::get<wire::ComeBack>(*busy).after, absl::Seconds(2));
}

TEST_F(UploadTest, AnErrorInTheMiddleKeepsItsCode) {
  Answers answers;
  answers.upload = [](UploadLine& line) {
    v1::UploadRequest request;
    line.Read(&request);
    v1::UploadReply reply;
    reply.mutable_proceed()->set_piece_bytes(100'000);
    line.Write(reply);
    line.Read(&request);
    return grpc::Status(grpc::StatusCode::ABORTED, "a newer stream took over");
  };
  Serve(std::move(answers));
  EXPECT_THAT(Send(UpdateOf(Pattern(9'000'000))),
              StatusIs(StatusCode::kAborted, "a newer stream took over"));
}

TEST_F(UploadTest, AServerThatEndsWithoutAnAnswerIsAskedAgain) {
  Answers answers;
  answers.upload = [](UploadLine& line) {
    v1::UploadRequest request;
    line.Read(&request);
    return grpc::Status::OK;
  };
  Serve(std::move(answers));
  EXPECT_THAT(Send(UpdateOf(Pattern(1'000))), StatusIs(StatusCode::kUnavailable));
}

TEST_F(UploadTest, AnOffsetBeyondTheUpdateIsTheServersError) {
  Serve(Takes(2'000, 1 << 20));
  EXPECT_THAT(Send(UpdateOf(Pattern(1'000))), StatusIs(StatusCode::kInternal));
}

TEST_F(UploadTest, AnAnswerThatIsNotOfTheProtocolIsInternal) {
  Serve(Says(v1::UploadReply()));
  EXPECT_THAT(Send(UpdateOf(Pattern(1'000))),
              StatusIs(StatusCode::kInternal, HasSubstr("the server's answer")));
}

TEST_F(UploadTest, AnUpdateThatCanNotBeReadEndsWithWhatTheDiskSaid) {
  Serve(Takes(0, 100'000));
  OutgoingUpdate update = UpdateOf(Pattern(1'000'000));
  update.read = [read = update.read](std::int64_t offset,
                                     std::int64_t most) -> StatusOr<std::string> {
    if (offset > 300'000) return Status(StatusCode::kUnavailable, "read: EIO");
    return read(offset, most);
  };
  EXPECT_THAT(Send(std::move(update)), StatusIs(StatusCode::kUnavailable, "read: EIO"));
}

TEST_F(UploadTest, AnUploadMayBeDroppedAtAnyTime) {
  Serve(Takes(0, 20'000));
  for (int i = 0; i < 20; ++i) {
    Answer<StatusOr<wire::UploadReply>> answer;
    std::promise<void> reading;
    OutgoingUpdate update = UpdateOf(Pattern(1'000'000));
    update.read = [read = update.read, &reading, i](std::int64_t offset, std::int64_t most) {
      if (offset == i * 20'000) reading.set_value();
      return read(offset, most);
    };
    auto call = transport_->Send(std::move(update), answer.callback());
    reading.get_future().wait();
    call = nullptr;
    EXPECT_THAT(answer.Get(), AnyOf(StatusIs(StatusCode::kCancelled), IsOk()));
  }
}

}  // namespace
}  // namespace fed::client
