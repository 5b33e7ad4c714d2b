#include "collectors/service/replica_link.h"
#include "collectors/base/errors.h"
#include "collectors/base/qualified_name.h"
#include "collectors/postgres/schema_cache.h"

#include <algorithm>
#include <array>

namespace pg_integrity {

namespace {

/// A copy tells its position only when it is asked, so it is asked again and again.
constexpr Seconds kPoll{0.1};
constexpr int kPolls = 10;

constexpr std::string_view kWho = R"(
SELECT pg_postmaster_start_time()::text AS started, current_database() AS database,
  current_setting('server_encoding') AS encoding,
  (SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
    WHERE d.datname = current_database()) AS subscriptions)";

constexpr std::string_view kNow = R"(
SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text
  AS position, extract(epoch FROM now()) AS now)";

// The age is that of the newest transaction that was replayed.
constexpr std::string_view kReplayed = R"(
SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) AS reached,
  extract(epoch FROM now() - pg_last_xact_replay_timestamp()) AS age, NULL AS told_at)";

// A subscription's worker applies as it receives, so a position that it reports is applied. The
// time is by the clock of the server that sent it.
constexpr std::string_view kApplied = R"(
SELECT coalesce(min(latest_end_lsn) >= $1::pg_lsn, false) AS reached, NULL AS age,
  extract(epoch FROM min(latest_end_time)) AS told_at
FROM pg_stat_subscription WHERE relid IS NULL AND subname IN (
  SELECT s.subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
  WHERE d.datname = current_database()))";

constexpr std::string_view kSubscribed = R"(
SELECT count(*) AS relations, count(*) FILTER (WHERE srsubstate NOT IN ('s', 'r')) AS copying
FROM pg_subscription_rel WHERE srrelid = $1::regclass
  OR srrelid IN (SELECT relid FROM pg_partition_tree($1::regclass)))";

Row progress(Session& copy, CopyKind kind, const std::string& position) {
  const std::array<std::string, 1> parameters{position};
  return copy.query(kind == CopyKind::standby ? kReplayed : kApplied, parameters).only();
}

/// The newest progress. Asks until the position is reached or a second has passed.
Row settled_progress(Sources& from, Session& copy, CopyKind kind, const std::string& position) {
  for (int polls = 1;; ++polls) {
    Row row = progress(copy, kind, position);
    if (row.flag("reached") || polls == kPolls) return row;
    from.pause(kPoll);
  }
}

}  // namespace

DatabaseFacts database_facts(Session& session) {
  const Row row = session.query(kWho).only();
  return {session.server(), row.text("started"), row.text("database"), row.text("encoding"),
          row.number("subscriptions") > 0};
}

CopyFacts copy_facts(const DatabaseFacts& original, Session& copy, Instant now) {
  const DatabaseFacts found = database_facts(copy);
  const bool same_cluster = original.server.system_identifier == found.server.system_identifier;
  if (same_cluster && original.started == found.started && original.database == found.database)
    throw SourceError(Reason::config,
                      "it is the watched database itself. HINT: let its DSN lead to the copy");
  if (found.server.in_recovery && !same_cluster)
    throw SourceError(Reason::config, "it is a standby of another cluster");
  CopyFacts facts;
  if (found.server.in_recovery)
    facts.kind = CopyKind::standby;
  else if (found.subscribes)
    facts.kind = CopyKind::subscriber;
  facts.same_encoding = original.encoding == found.encoding;
  facts.schema = load_schema(copy, {}, now);
  return facts;
}

bool has_reached(Sources& from, Session& copy, CopyKind kind, const std::string& position) {
  return kind == CopyKind::plain || settled_progress(from, copy, kind, position).flag("reached");
}

Seconds lag_of(Sources& from, Session& copy, CopyKind kind) {
  const Row now = from.session().query(kNow).only();
  const Row row = settled_progress(from, copy, kind, now.text("position"));
  if (row.flag("reached")) return Seconds(0);
  const auto age = row.maybe_number("age");
  const auto told_at = row.maybe_number("told_at");
  if (!age && !told_at)
    throw SourceError(Reason::missing, kind == CopyKind::standby
                                           ? "it has replayed no transaction since it was started"
                                           : "its subscription does not run");
  return Seconds(std::max(0.0, age ? *age : now.number("now") - *told_at));
}

Subscribed subscription_of(Session& copy, const QualifiedName& table) {
  const std::array<std::string, 1> parameters{table.sql()};
  const Row row = copy.query(kSubscribed, parameters).only();
  if (row.number("relations") == 0) return Subscribed::no;
  return row.number("copying") > 0 ? Subscribed::copying : Subscribed::yes;
}

}  // namespace pg_integrity
