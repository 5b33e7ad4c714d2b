#include "exporter/commands/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/settings.h"
#include "collectors/base/units.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/schema_cache.h"
#include "collectors/postgres/sql_lexer.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/registry.h"
#include "exporter/commands/for_each_database.h"
#include "exporter/commands/recording_sources.h"
#include "exporter/config/options.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/report/printable.h"
#include "exporter/scheduler/assignment.h"

namespace pg_integrity {

namespace {

/// Moves each line of a text to the right, so that none of them looks like a heading of ours.
std::string indented(const std::string& text, const std::string& margin) {
  std::string out;
  for (std::size_t begin = text.find_first_not_of('\n'); begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out += fmt::format("{}{}\n", margin, printable(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  return out;
}

/// Why a user's query is not even planned, or empty if it may be planned. The planner calls
/// IMMUTABLE functions of the tables that the query leads to, also through views, and those
/// functions are somebody else's code.
std::string fault_of_probe(const std::string& sql, const Schema& everything) {
  if (const auto fault = query_fault(sql)) return "it " + *fault;
  const auto unsafe = std::find_if(everything.tables.begin(), everything.tables.end(),
                                   [](const Table& table) { return table.foreign_code; });
  if (unsafe == everything.tables.end()) return {};
  const auto words = sql_pieces(sql);
  for (std::size_t i = 1; i < words.size(); ++i)
    if (words[i] == "." && sql_name(words[i - 1]) != "pg_catalog")
      return fmt::format("unsafe: it may lead to {}, and any look at that{}",
                         unsafe->name.display(), kForeignCodeRuns);
  return {};
}

/// The planner's estimate: "cost 12.5, rows 3".
std::string estimate(Session& session, const RecordedStatement& statement) {
  const std::string sql = "EXPLAIN (ANALYZE false, COSTS true, FORMAT TEXT) " + statement.sql;
  const Rows plan = session.query(sql, statement.parameters, statement.access);
  const std::string top = plan[0].text("QUERY PLAN");
  constexpr std::string_view kCost = "(cost=";
  const std::size_t from = top.rfind(kCost);  // what stands before it may be somebody's name
  const std::size_t total = from == std::string::npos ? from : top.find("..", from);
  const std::size_t rows = total == std::string::npos ? total : top.find(" rows=", total);
  const std::size_t end = rows == std::string::npos ? rows : top.find(" width=", rows);
  if (end == std::string::npos) throw SourceError(Reason::decode, "a plan without costs");
  return fmt::format("cost {}, rows {}", top.substr(total + 2, rows - total - 2),
                     top.substr(rows + 6, end - rows - 6));
}

class Explanation {
 public:
  Explanation(const ExplainCommand& command, const Surveyed& at) : command_(command), at_(at) {}

  std::string text() {
    const std::vector<Assignment> assigned = collectors_on(at_.server, at_.database);
    if (std::none_of(assigned.begin(), assigned.end(),
                     [&](const Assignment& one) { return is_wanted(one); }))
      return {};
    std::string text =
        fmt::format("server {} (PostgreSQL {}), database {}\n", printable(at_.server.name),
                    printable(at_.session.server().version), printable(at_.database));
    if (command_.cost) everything_ = load_schema(at_.session, {}, at_.clock.now());
    Recording shared;
    RecordingSession session(at_.session, shared);
    const auto schema = load_schema(session, at_.server.exclude, at_.clock.now());
    text += "\n  the catalog, for all collectors together, once a minute at most\n" + said(shared);
    ScanPlan plan;  // a scan depends on all of them
    std::vector<std::unique_ptr<Collector>> collectors;
    for (const Assignment& one : assigned)
      collectors.push_back(one.options->spec->make({one.settings, one.server}, plan));
    TableScans scans(plan);
    for (std::size_t i = 0; i < assigned.size(); ++i) {
      if (!is_wanted(assigned[i])) continue;
      const CollectorSpec& spec = *assigned[i].options->spec;
      text += fmt::format("\n  {}, every {}\n", spec.name,
                          format_duration(assigned[i].options->interval));
      Recording recording;
      const std::string refused = pass(*collectors[i], spec, schema, scans, recording);
      text += said(recording) + refused;
    }
    return text + "\n";
  }

 private:
  [[nodiscard]] bool is_wanted(const Assignment& one) const {
    return command_.collectors.empty() ||
           std::find(command_.collectors.begin(), command_.collectors.end(),
                     one.options->spec->name) != command_.collectors.end();
  }

  /// Makes one pass. Questions about anything but the catalog are recorded and not answered.
  /// @return the objects that the pass does not ask about, with the reasons.
  std::string pass(Collector& collector, const CollectorSpec& spec,
                   const std::shared_ptr<const Schema>& schema, TableScans& scans,
                   Recording& recording) const {
    RecordingSources sources(at_.session, schema, scans, at_.clock, recording);
    std::string refused;
    for (Progress progress = Progress::more; progress == Progress::more;) {
      Batch batch(at_.clock.now());
      try {
        progress = collector.collect(sources, batch);
      } catch (const SourceError& error) {
        if (error.session_lost()) throw;
        if (error.what() != kNotAsked)
          refused += not_asked(std::string(spec.name), error.reason(), error.what());
        progress = Progress::done;
      }
      for (const UnprovenMark& mark : batch.unproven_marks())
        if (mark.detail != kNotAsked)
          refused += not_asked(object_name(spec, object_key(spec, *mark.metric, mark.labels)),
                               mark.reason, mark.detail);
    }
    return refused;
  }

  static std::string not_asked(const std::string& object, Reason reason,
                               const std::string& detail) {
    return fmt::format("    not asked: {}: {}: {}\n", printable(object), name_of(reason),
                       printable(detail));
  }

  /// Lists what was recorded. Statements that differ in their parameters alone are listed together.
  [[nodiscard]] std::string said(const Recording& recording) const {
    std::string text;
    std::map<std::string_view, std::vector<const RecordedStatement*>> same;
    for (const RecordedStatement& statement : recording.statements)
      same[statement.sql].push_back(&statement);
    for (const RecordedStatement& first : recording.statements) {
      if (same[first.sql].front() != &first) continue;
      text += indented(first.sql, "    ");
      for (const RecordedStatement* one : same[first.sql]) {
        for (std::size_t i = 0; i < one->parameters.size(); ++i)
          text += fmt::format("      ${} = {}\n", i + 1, printable(one->parameters[i]));
        if (command_.cost) text += fmt::format("      {}\n", printable(cost_of(*one)));
      }
    }
    for (const std::string& look : recording.outside)
      text += fmt::format("    {}\n", printable(look));
    return text;
  }

  [[nodiscard]] std::string cost_of(const RecordedStatement& statement) const {
    if (statement.users_own)
      if (const std::string fault = fault_of_probe(statement.sql, *everything_); !fault.empty())
        return "not explained: " + fault;
    try {
      return estimate(at_.session, statement);
    } catch (const SourceError& error) {
      if (error.session_lost()) throw;
      return fmt::format("not explained: {}: {}", name_of(error.reason()), error.what());
    }
  }

  const ExplainCommand& command_;
  const Surveyed& at_;
  std::shared_ptr<const Schema> everything_;  ///< with excluded objects; only for --cost
};

/// Checks that the requested collectors exist and that each is enabled somewhere.
/// @throws ConfigError
void require_known(const ExplainCommand& command, const Options& options) {
  std::vector<std::string> known;
  for (const CollectorSpec* spec : collectors()) known.emplace_back(spec->name);
  for (const std::string& name : command.collectors) {
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw ConfigError(fmt::format("--collector: there is no \"{}\". HINT: choose from {}",
                                    printable(name), fmt::join(known, ", ")));
    const bool enabled =
        std::any_of(options.servers.begin(), options.servers.end(), [&](const auto& server) {
          return std::any_of(server.collectors.begin(), server.collectors.end(),
                             [&](const auto& one) { return one.spec->name == name; });
        });
    if (!enabled)
      throw ConfigError(fmt::format(
          "--collector: {} is enabled on no server. HINT: `config check` says what it needs",
          name));
  }
}

}  // namespace

ExitCode explain(const ExplainCommand& command) {
  return survey(
      command.config_path,
      [&](const Options& options) {
        require_known(command, options);
        return std::string(
            "Each statement is a transaction of its own: read only, with a deadline and 300 ms for"
            " locks.\n\n");
      },
      [&](const Surveyed& at) { return Explanation(command, at).text(); });
}

}  // namespace pg_integrity
