// Reads rows of users' tables. A schema that was read a minute ago does not prove what a name means
// now, so each statement is judged in its own transaction: PostgreSQL prepares it and thereby locks
// the relations that it names, the guard judges these, and only then it is planned and run. The
// guard judges again before the answer counts. Not safe on two threads at once.
#pragma once

#include <pqxx/pqxx>
#include <span>
#include <string>
#include <string_view>

#include "collectors/ports/session.h"

namespace pg_integrity {

#if PQXX_VERSION_MAJOR >= 7
using PqxxConnection = pqxx::connection;
#else
using PqxxConnection = pqxx::connection_base;
#endif

/// How long a statement waits for the locks of others.
inline constexpr std::string_view kWaitForLocks = "SET LOCAL lock_timeout = 300";

/// A second connection that judges for a transaction with an old snapshot. PostgreSQL plans with
/// the catalog of now, which such a transaction itself cannot read.
struct JudgingSession {
  PqxxConnection* connection = nullptr;  ///< nullptr: the transaction judges by itself
  std::string settings;                  ///< SQL that its transaction begins with
};

/// Guards that stay prepared on a server connection from one read to the next. Planning them anew
/// takes longer than all else about a small table. A pooler may hand the server connection to
/// somebody else, so behind one nothing is kept.
struct KeptGuards {
  bool wanted = false;
  bool prepared = false;
};

/// Runs one statement of ours in a read-only transaction that has the settings of every question.
/// Nothing remains on the server connection but the transaction, and guards if they are wanted.
/// @param access Access::heap or Access::index.
/// @param restricted the server knows restrict_nonsystem_relation_kind.
/// @param kept of this connection. If the server has lost them, none are wanted any more.
/// @param judging if the transaction reads all its statements by one snapshot.
/// @throws SourceError: unsafe if the statement may call foreign code, conflict if a name means
/// neither a table nor a sequence. Else what pqxx throws.
pqxx::result guarded_read(PqxxConnection& connection, pqxx::transaction_base& transaction,
                          const std::string& sql, std::span<const std::string> parameters,
                          Access access, bool restricted, KeptGuards& kept,
                          const JudgingSession& judging = {});

}  // namespace pg_integrity
