// Owns every part. Members stand in the order in which they are made; each refers only to those
// above it, so destruction in reverse order is safe.
#include "server/app/server.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mutex.h"
#include "common/base/state_lock.h"
#include "common/base/thread_pool.h"
#include "server/coordinate/coordinator.h"
#include "server/coordinate/version_catalog.h"
#include "server/ingest/intake.h"
#include "server/ingest/spool.h"
#include "server/rpc/admin_service.h"
#include "server/rpc/enroll_service.h"
#include "server/rpc/grpc_server.h"
#include "server/rpc/participation_service.h"
#include "server/rpc/transfer_service.h"
#include "server/security/certificate_authority.h"
#include "server/security/enrollment.h"
#include "server/security/revocations.h"
#include "server/security/tls_files.h"
#include "server/security/tls_policy.h"
#include "server/store/blob_folder.h"
#include "server/store/sqlite_store.h"

namespace fed::server {
namespace {

constexpr int kAdminThreads = 2;
constexpr int kEnrollmentMessageBytes = 64 << 10;
constexpr int kEnrollmentStreams = 4;
constexpr absl::Duration kDrainPatience = absl::Minutes(10);  // of a fold that runs

int ThreadsOf(int configured) {
  return configured > 0 ? configured
                        : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// A listener on every address is reached on loopback.
std::string Reachable(const std::string& address) {
  const absl::string_view text = address;
  const absl::string_view host = text.substr(0, text.rfind(':'));
  if (host != "0.0.0.0" && host != "[::]") return address;
  return absl::StrCat(host == "[::]" ? "[::1]" : "127.0.0.1", text.substr(text.rfind(':')));
}

// What devices' state is made of.
struct Storage {
  std::unique_ptr<StateLock> lock;
  std::unique_ptr<Store> store;
  std::unique_ptr<BlobFolder> blobs;
  std::unique_ptr<Spool> spool;
};

StatusOr<Storage> OpenStorage(const StorageConfig& config) {
  FileSystem& files = FileSystem::Real();
  Storage storage;
  FED_ASSIGN_OR_RETURN(storage.lock, StateLock::Take(config.state_dir));
  SqliteStoreOptions options;
  options.path = JoinPath(config.state_dir, "fedserver.db");
  options.durability = config.durability == "full" ? Durability::kFull : Durability::kNormal;
  FED_ASSIGN_OR_RETURN(storage.store, OpenSqliteStore(options));
  FED_ASSIGN_OR_RETURN(storage.blobs, BlobFolder::Open(files, JoinPath(config.state_dir, "blobs")));
  FED_ASSIGN_OR_RETURN(storage.spool, Spool::Open(files, JoinPath(config.state_dir, "spool")));
  return storage;
}

}  // namespace

class RunningServer final : public Server {
 public:
  RunningServer(const ServerConfig& config, const Log& log, std::function<void(const Status&)> die)
      : config_(config),
        log_(log),
        die_(std::move(die)),
        work_("work", ThreadsOf(config.threads.workers), clock_),
        admin_work_("admin", kAdminThreads, clock_),
        fold_("fold", 1, clock_) {}
  ~RunningServer() override { StopListening(absl::ZeroDuration()); }

  Status Open();
  Status Serve();

  const ServerAddresses& addresses() const override { return addresses_; }
  void Drain() override;

 private:
  Status OpenSecurity();
  Status Listen(const ListenOptions& options, const std::vector<grpc::Service*>& services,
                std::unique_ptr<GrpcServer>& listener, std::string& address);
  Status ProveTls();
  void StopListening(absl::Duration grace);

  const ServerConfig config_;
  const Log& log_;
  const std::function<void(const Status&)> die_;
  Clock& clock_ = Clock::Real();

  Storage storage_;
  TlsFiles tls_;
  std::unique_ptr<CertificateAuthority> authority_;
  std::unique_ptr<Enrollment> enrollment_;
  std::unique_ptr<Revocations> revocations_;

  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<VersionCatalog> catalog_;
  std::unique_ptr<Intake> intake_;

  LiveCalls live_;
  RateLimit rate_{RateLimitOptions{}};
  std::unique_ptr<Doorkeeper> main_door_, admin_door_;
  std::unique_ptr<ParticipationService> participation_;
  std::unique_ptr<TransferService> transfer_;
  std::unique_ptr<EnrollService> enroll_;
  std::unique_ptr<RenewalService> renewal_;
  std::unique_ptr<AdminService> admin_;

  // Tasks refer to everything above: the pools end first.
  ThreadPool work_, admin_work_, fold_;

  std::unique_ptr<GrpcServer> main_listener_, enrollment_listener_, admin_listener_;
  ServerAddresses addresses_;
};

Status RunningServer::Open() {
  FED_ASSIGN_OR_RETURN(storage_, OpenStorage(config_.storage));
  FED_RETURN_IF_ERROR(OpenSecurity());
  Coordinator::Options options;
  options.fold_threads = ThreadsOf(config_.threads.fold);
  FED_ASSIGN_OR_RETURN(coordinator_,
                       Coordinator::Start({*storage_.store, *storage_.blobs, *storage_.spool,
                                           *revocations_, work_, fold_, clock_, log_, die_},
                                          options));
  catalog_ = std::make_unique<VersionCatalog>(*storage_.store, *storage_.blobs);
  IntakeOptions intake;
  intake.piece_bytes = config_.transfer.piece_bytes;
  intake.max_uploads = config_.transfer.max_uploads;
  intake_ = std::make_unique<Intake>(
      Intake::Parts{*storage_.store, *storage_.spool, *coordinator_, work_, clock_, log_}, intake);
  return Status();
}

Status RunningServer::OpenSecurity() {
  FileSystem& files = FileSystem::Real();
  // First: by default the other files lie in its folder, and it says who makes them.
  IssueOptions issue;
  issue.life = config_.ca.certificate_life;
  FED_ASSIGN_OR_RETURN(authority_, CertificateAuthority::Load(files, config_.ca.folder, issue));
  FED_ASSIGN_OR_RETURN(
      tls_, LoadTlsFiles(files, {config_.tls.certificate, config_.tls.key, config_.tls.ca},
                         clock_.WallNow()));
  enrollment_ = std::make_unique<Enrollment>(*storage_.store, *authority_, config_.ca.renew_grace);
  FED_ASSIGN_OR_RETURN(revocations_, Revocations::Load(*storage_.store));
  revocations_->OnRevoked([this](const ClientId& id) {
    live_.EndAll(id, Status(StatusCode::kPermissionDenied, "this identity has been revoked"));
  });
  return Status();
}

Status RunningServer::Serve() {
  const std::string& domain = authority_->trust_domain();
  main_door_ = std::make_unique<Doorkeeper>(Listener::kMain, domain, *revocations_);
  admin_door_ = std::make_unique<Doorkeeper>(Listener::kAdmin, domain, *revocations_);
  participation_ = std::make_unique<ParticipationService>(*main_door_, live_, *coordinator_);
  TransferOptions transfer;
  transfer.piece_bytes = config_.transfer.piece_bytes;
  transfer.idle_timeout = config_.transfer.idle_timeout;
  transfer_ = std::make_unique<TransferService>(TransferParts{
      *main_door_, live_, *coordinator_, *catalog_, *intake_, work_, clock_, transfer});
  const EnrollParts enroll{*enrollment_, work_, clock_, log_, die_};
  enroll_ = std::make_unique<EnrollService>(enroll, rate_);
  renewal_ = std::make_unique<RenewalService>(enroll, *main_door_);
  admin_ = std::make_unique<AdminService>(
      AdminParts{*admin_door_, live_, *coordinator_, *catalog_, *storage_.store, *storage_.blobs,
                 *revocations_, *enrollment_, admin_work_, clock_, log_,
                 config_.transfer.idle_timeout, config_.transfer.piece_bytes});

  ListenOptions options;
  options.tls = tls_;
  options.bdp_probe = config_.listen.bdp_probe;
  options.address = config_.listen.main;
  FED_RETURN_IF_ERROR(Listen(options, {participation_.get(), transfer_.get(), renewal_.get()},
                             main_listener_, addresses_.main));
  options.address = config_.listen.admin;
  options.reflection = config_.listen.reflection;
  FED_RETURN_IF_ERROR(Listen(options, {admin_.get()}, admin_listener_, addresses_.admin));
  options.address = config_.listen.enrollment;
  options.reflection = false;
  options.client_certificate = false;
  options.max_message_bytes = kEnrollmentMessageBytes;
  options.max_streams = kEnrollmentStreams;
  FED_RETURN_IF_ERROR(
      Listen(options, {enroll_.get()}, enrollment_listener_, addresses_.enrollment));
  return ProveTls();
}

Status RunningServer::Listen(const ListenOptions& options,
                             const std::vector<grpc::Service*>& services,
                             std::unique_ptr<GrpcServer>& listener, std::string& address) {
  FED_ASSIGN_OR_RETURN(listener, GrpcServer::Start(options, services));
  address = listener->address();
  return Status();
}

Status RunningServer::ProveTls() {
  for (const std::string& address : {addresses_.main, addresses_.enrollment, addresses_.admin}) {
    FED_RETURN_IF_ERROR(ProbeTls13Only(Reachable(address), tls_.ca_pem));
  }
  return Status();
}

void RunningServer::Drain() {
  log_.Info("server.draining", {{"grace", absl::FormatDuration(config_.grace)}});
  Mutex mu;
  CondVar changed;
  bool drained = false;
  coordinator_->Drain([&] {
    MutexLock lock(mu);
    drained = true;
    changed.notify_all();
  });
  StopListening(config_.grace);
  MutexLock lock(mu);
  clock_.AwaitUntil(
      mu, changed, [&] { return drained; }, clock_.Now() + kDrainPatience);
}

void RunningServer::StopListening(absl::Duration grace) {
  for (GrpcServer* const listener :
       {enrollment_listener_.get(), main_listener_.get(), admin_listener_.get()}) {
    if (listener != nullptr) listener->Shutdown(grace);
  }
}

StatusOr<std::unique_ptr<Server>> Server::Start(const ServerConfig& config, const Log& log,
                                                std::function<void(const Status&)> die) {
  auto server = std::make_unique<RunningServer>(config, log, std::move(die));
  FED_RETURN_IF_ERROR(server->Open());
  FED_RETURN_IF_ERROR(server->Serve());
  const ServerAddresses& at = server->addresses();
  log.Info("server.started", {{"main", at.main},
                              {"enrollment", at.enrollment},
                              {"admin", at.admin},
                              {"durability", config.storage.durability}});
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace fed::server
