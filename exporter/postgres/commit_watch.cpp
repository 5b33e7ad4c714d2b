#include "exporter/postgres/commit_watch.h"

namespace pg_integrity {

namespace {

constexpr int kFirstWithSnapshotType = 130000;

/// How far a standby has replayed. It is asked before the snapshot is taken, so that what is
/// replayed between the two opens the watch the next time.
constexpr std::string_view kReplayed = "SELECT pg_last_wal_replay_lsn()::text AS mark";
/// The running server, by the start of its postmaster, its configuration, its last checkpoint, and
/// a snapshot. The recovery after a crash empties unlogged tables without a transaction. It ends
/// with a checkpoint, and a server that nobody writes to makes no other ones.
constexpr std::string_view kState =
    "SELECT concat_ws(' ', pg_postmaster_start_time(), pg_conf_load_time(),"
    " (SELECT checkpoint_lsn FROM pg_control_checkpoint()), pg_current_snapshot()) AS mark";
constexpr std::string_view kStateBefore13 =
    "SELECT concat_ws(' ', pg_postmaster_start_time(), pg_conf_load_time(),"
    " (SELECT checkpoint_lsn FROM pg_control_checkpoint()), txid_current_snapshot()) AS mark";

}  // namespace

std::optional<Instant> CommitWatch::quiet_since(Session& session, const Clock& clock) {
  const ServerInfo& server = session.server();
  if (!server.direct) return std::nullopt;
  std::string mark = server.system_identifier + " " + std::to_string(server.timeline);
  const auto add = [&](std::string_view sql) {
    mark += " " + session.query(sql).only().maybe_text("mark").value_or("-");
  };
  if (server.in_recovery) add(kReplayed);
  add(server.version_num < kFirstWithSnapshotType ? kStateBefore13 : kState);
  const Instant asked = clock.now();
  const MutexLock lock(mutex_);
  if (mark != mark_) {
    mark_ = std::move(mark);
    since_ = asked;
  }
  return since_;
}

}  // namespace pg_integrity
