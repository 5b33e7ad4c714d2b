// The defect matrix as data, and what the real program shows of it: the findings of its report, and
// the expectations that are broken on its page.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/page_text.h"

namespace pg_integrity::test {

/// "orphans/public.orders.orders_customer_id_fkey orphaned_rows is 1", or the object and
/// "unproven(permission)".
using FindingTexts = std::set<std::string>;

struct Defect {
  std::string name;
  std::string sql;  ///< for psql
  FindingTexts findings;
  FindingTexts late = {};  ///< those of them that one look does not tell
};

/// The text with every `what` replaced.
std::string replaced(std::string text, const std::string& what, const std::string& by);

/// Runs statements with psql; throws with its message if one fails.
void run_psql(const std::string& dsn, const std::string& sql,
              const std::map<std::string, std::string>& environment = {});

/// Reads a file of defects; its own head says how it is written.
std::vector<Defect> read_defects(const std::string& path);

/// A database in which defects are planted that have nothing to do with each other.
struct Shop {
  std::string database;
  std::vector<Defect> defects;
};

/// Spreads defects over as few databases as they need: those that share a name (of a table, a
/// function, an object of the report) get different ones; where nothing is to be found, nothing
/// else is planted.
/// @param names of everything in the database.
std::vector<Shop> spread(const std::vector<Defect>& defects, const std::set<std::string>& names);

/// What /report.json finds by database, the server's own under the empty name. Values that are
/// expected without a number lose it.
/// @param expected texts that may come without their value.
std::map<std::string, FindingTexts> findings_of(const std::string& report,
                                                const FindingTexts& expected);

/// By database: the metrics that have a series on the page which is not what the program's own
/// catalogue says that it should be.
std::map<std::string, std::set<std::string>> broken_on(const PageText& page);

/// The object of a finding.
std::string object_of(const std::string& finding);

/// The metric of a finding, without the prefix; empty if it is of something unproven.
std::string metric_of(const std::string& finding);

/// Whether the catalogue says what the metric should be: of those that the configuration declares
/// it does not.
bool is_in_catalogue(const std::string& metric);

}  // namespace pg_integrity::test
