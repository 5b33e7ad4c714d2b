// The way from a database to a copy of it: whether it is one, and how far it has come. Functions
// that ask; one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "collectors/base/instant.h"
#include "collectors/base/qualified_name.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

enum class CopyKind : std::uint8_t {
  standby,     ///< it replays the write-ahead log
  subscriber,  ///< it has a subscription
  plain,       ///< filled by other means: it tells no position
};

/// Facts that tell one database from another.
struct DatabaseFacts {
  ServerInfo server;
  std::string started;   ///< when the server was started, to the microsecond
  std::string database;  ///< its name
  std::string encoding;
  bool subscribes = false;
};

DatabaseFacts database_facts(Session& session);

struct CopyFacts {
  CopyKind kind = CopyKind::plain;
  bool same_encoding = true;
  std::shared_ptr<const Schema> schema;  ///< the copy's own
};

/// @throws SourceError{config} if the session for the copy leads to the database itself, or to a
/// standby of another cluster.
CopyFacts copy_facts(const DatabaseFacts& original, Session& copy, Instant now);

/// Whether the copy has come as far as that position, now or within a second. A plain copy always
/// has.
bool has_reached(Sources& from, Session& copy, CopyKind kind, const std::string& position);

/// How far a standby or a subscriber is behind; 0 if it has all that the database had written when
/// it was asked.
/// @throws SourceError{missing} if the copy does not tell.
Seconds lag_of(Sources& from, Session& copy, CopyKind kind);

/// Whether a subscriber subscribes to a table, or still copies it.
enum class Subscribed : std::uint8_t { no, copying, yes };
Subscribed subscription_of(Session& copy, const QualifiedName& table);

}  // namespace pg_integrity
