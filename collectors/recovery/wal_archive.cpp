#include "collectors/recovery/wal_archive.h"

#include <array>

#include "collectors/base/errors.h"

namespace pg_integrity {

namespace {

// Each is a statement of its own, because the order in which one statement reads them is not
// defined.
constexpr std::string_view kSnapshot = R"(
SELECT txid_snapshot_xmin(s) AS oldest, txid_snapshot_xmax(s) AS next
FROM txid_current_snapshot() s)";

constexpr std::string_view kEnd = R"(
SELECT current_setting('archive_mode') <> 'off' AS archiving,
  pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS log_end,
  left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline)";

// The archiver takes segments in their order. A segment of another timeline, or a file that is no
// segment, tells nothing.
constexpr std::string_view kArchived = R"(
SELECT CASE WHEN last_archived_wal ~ '^[0-9A-F]{24}' AND left(last_archived_wal, 8) = $1 THEN
  ('x' || substr(last_archived_wal, 9, 8))::bit(32)::bigint * 4294967296.0 +
  (('x' || substr(last_archived_wal, 17, 8))::bit(32)::bigint + 1) *
    pg_size_bytes(current_setting('wal_segment_size')) END AS archived_end
FROM pg_stat_archiver)";

}  // namespace

std::optional<Instant> WalArchive::look(Session& session, Instant now) {
  if (session.server().in_recovery)
    throw SourceError(Reason::config, "a standby does not tell what its primary has archived");
  const Row snapshot = session.query(kSnapshot).only();
  const Row log = session.query(kEnd).only();
  if (!log.flag("archiving"))
    throw SourceError(Reason::config,
                      "the server does not archive. HINT: archive_mode, or remove `continuous`");
  positions_.add({now, log.number("log_end"), snapshot.number("oldest"), snapshot.number("next")});
  const std::array<std::string, 1> timeline{log.text("timeline")};
  const auto archived = session.query(kArchived, timeline).only().maybe_number("archived_end");
  return archived ? positions_.committed_within(*archived) : std::nullopt;
}

}  // namespace pg_integrity
