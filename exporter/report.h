// The report: the verdict per question, collector and object with the age of its evidence, as data,
// and its renderings as text, Markdown, JSON and one HTML page without outside assets. Pure
// functions over immutable snapshots; safe on any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/verdict.h"

namespace pg_integrity {

struct ReportObject {
  std::string name;    ///< "orphans/public.child.child_fkey"
  std::string anchor;  ///< fragment of the HTML page; unique
  State state{};
  std::optional<Reason> reason;           ///< of unproven
  std::optional<UnixTime> evidence_time;  ///< of the oldest value that counts
  std::vector<std::string> findings;      ///< broken expectations, or why it is unproven
  std::vector<std::string> lines;         ///< further evidence
  std::vector<std::string> values;        ///< "table_rows 22"
};

struct ReportCollector {
  std::string name;
  std::string section;
  std::string summary;
  State state{};
  bool applicable = true;
  std::optional<UnixTime> last_success;
  std::optional<std::string> failure;  ///< why the newest attempt failed
  bool first_pass = false;             ///< no complete pass yet
  Seconds interval{};
  std::size_t excluded = 0;
  std::vector<ReportObject> objects;  ///< worst first, then by name
};

struct ReportQuestion {
  Question question{};
  State state{};
  bool configured = false;
};

struct ReportDatabase {
  std::string name;  ///< empty: what is about the whole server
  bool out_of_reach = false;
  std::vector<ReportQuestion> questions;
  std::vector<ReportCollector> collectors;
};

struct ReportServer {
  std::string name;
  std::vector<ReportDatabase> databases;  ///< the whole server first
  struct Unwatched {
    std::string collector;
    std::string hint;
  };
  std::vector<Unwatched> not_watched;
};

struct Report {
  UnixTime made_at = 0;
  std::vector<ReportServer> servers;
  State overall{};  ///< violated, unproven or proven
};

Report make_report(const Snapshot& snapshot, const Clock& clock);

std::string report_as_text(const Report& report);
std::string report_as_markdown(const Report& report);
std::string report_as_json(const Report& report);
std::string report_as_html(const Report& report);

/// The question in words.
std::string_view question_text(Question question);
/// "3m20s ago"
std::string how_long_ago(const Report& report, UnixTime when);
/// "12 proven, 1 violated": states that occur, worst first.
std::string object_counts(const ReportCollector& collector);

}  // namespace pg_integrity
