// The defect matrix as data, and the results of the real program: the findings of its report, and
// the broken expectations on its page.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/page_text.h"

namespace pg_integrity::test {

/// Findings, each a text of one of these forms:
///
///     orphans/public.orders.orders_customer_id_fkey orphaned_rows is 1
///     orphans/public.orders.orders_customer_id_fkey unproven(permission)
using FindingTexts = std::set<std::string>;

struct Defect {
  std::string name;
  std::string sql;  ///< for psql
  FindingTexts findings;
  FindingTexts late = {};  ///< the findings that need more than one check
};

/// The text with every `what` replaced.
std::string replaced(std::string text, const std::string& what, const std::string& by);

/// Runs statements with psql.
/// @throws std::runtime_error with psql's message if one fails.
void run_psql(const std::string& dsn, const std::string& sql,
              const std::map<std::string, std::string>& environment = {});

/// Reads a file of defects. The head of defects.sql describes the format.
std::vector<Defect> read_defects(const std::string& path);

/// A database with planted defects that do not affect each other.
struct Shop {
  std::string database;
  std::vector<Defect> defects;
};

/// Spreads defects over as few databases as they need. Defects that share a name (of a table, a
/// function, an object of the report) get different databases. A defect without findings gets a
/// database of its own.
/// @param names the names of everything in the database.
std::vector<Shop> spread(const std::vector<Defect>& defects, const std::set<std::string>& names);

/// The findings of /report.json by database. The server's own have the empty name.
/// @param expected findings. If one is given without a value, its finding loses the value, too.
std::map<std::string, FindingTexts> findings_of(const std::string& report,
                                                const FindingTexts& expected);

/// The metrics, by database, that have a series on the page that breaks an expectation of the
/// program's own catalogue.
std::map<std::string, std::set<std::string>> broken_on(const PageText& page);

/// The object of a finding.
std::string object_of(const std::string& finding);

/// The metric of a finding, without the prefix; empty if the finding is that something is unproven.
std::string metric_of(const std::string& finding);

/// Whether the catalogue has an expectation of the metric. It has none of metrics that the
/// configuration declares.
bool is_in_catalogue(const std::string& metric);

}  // namespace pg_integrity::test
