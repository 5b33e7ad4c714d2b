// What a collector reads of a database beyond its catalog. From it follow the privileges that the
// exporter's role needs. Each collector says it in the field `reads` of its CollectorSpec. Plain
// values, and functions over a session.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/settings.h"
#include "collectors/postgres/schema.h"

namespace pg_integrity {

class Session;

struct Reads {
  /// Tables, views and the like, and which columns of each. No column: its rows are counted, for
  /// which any of them will do.
  std::map<QualifiedName, std::set<std::string>> tables;
  std::set<QualifiedName> sequences;
  /// Functions of an extension to be called, and the types of their arguments, in SQL.
  std::map<QualifiedName, std::string> functions;
  bool sessions = false;       ///< what the sessions of other users are doing
  bool large_objects = false;  ///< their sizes

  /// Neither tables nor anything like them, nor a function.
  [[nodiscard]] bool nothing() const {
    return tables.empty() && sequences.empty() && functions.empty() && !large_objects;
  }

  /// A table of the schema, and those of the columns that it has. Nothing of a table that is not
  /// there, or that no collector looks at: one with foreign code or a partition elsewhere.
  void add(const Schema& schema, const QualifiedName& table,
           const std::vector<std::string>& columns = {});

  /// What a query of the user's names, as far as its words tell: relations by their qualified
  /// names, and of these every column whose name occurs; all columns where it takes whole rows
  /// (`*`, TABLE, NATURAL). Never executed. What it does not see, such as a function that reads
  /// tables, stays unproven(permission).
  void add_query(Session& session, std::string_view sql);
};

/// Adds what a collector that is enabled with these settings reads of that database. It asks the
/// session for nothing but the catalog. Without a default, so that no collector can forget to say
/// it.
class ReadsOf {
 public:
  using Function = void (*)(const Settings& settings, Session& session, const Schema& schema,
                            Reads& reads);

  // NOLINTNEXTLINE(google-explicit-constructor): a collector's spec names the function alone.
  constexpr ReadsOf(Function function) : function_(function) {}

  void operator()(const Settings& settings, Session& session, const Schema& schema,
                  Reads& reads) const {
    function_(settings, session, schema, reads);
  }
  friend constexpr bool operator==(ReadsOf, ReadsOf) = default;

 private:
  Function function_;
};

/// Of a collector that reads the catalog alone, or no database at all.
inline void no_reads(const Settings& /*settings*/, Session& /*session*/, const Schema& /*schema*/,
                     Reads& /*reads*/) {}

}  // namespace pg_integrity
