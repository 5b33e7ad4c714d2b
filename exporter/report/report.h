// The report as data, and its renderings as text, Markdown, JSON and one HTML page without outside
// assets. It holds the verdict of each question, collector and object, with the age of its
// evidence. Pure functions over immutable snapshots. Safe on any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "collectors/registry.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/evidence/verdict.h"
#include "exporter/history/history.h"
#include "exporter/history/history_line.h"

namespace pg_integrity {

using StateCounts = std::map<State, std::size_t>;

/// The value of a series, for programs.
struct ReportValue {
  std::string series;                         ///< "backups{status=success}": within its object
  std::string metric;                         ///< "pg_integrity_backups"
  std::map<std::string, std::string> labels;  ///< of the metric; empty ones are left out
  double value = 0;
  std::string text;  ///< for people: "backups{status=success} 3"
};

/// An expectation that is not met, for programs.
struct ReportBroken {
  ReportValue seen;
  std::string relation;  ///< of a good value to the limit: "=", "<=" or ">="
  double limit = 0;
};

struct ReportObject {
  std::string name;    ///< "orphans/public.child.child_fkey"
  std::string anchor;  ///< fragment of the HTML page; unique
  State state{};
  std::optional<Reason> reason;           ///< of unproven and limited
  std::optional<UnixTime> since;          ///< of these: when the trouble began
  std::optional<std::size_t> cause;       ///< of these: index in the server's causes
  std::optional<UnixTime> evidence_time;  ///< of the oldest value that counts
  std::vector<std::string> findings;      ///< sentences: what is wrong, or why it is unproven
  std::vector<ReportBroken> broken;       ///< what the sentences about wrong values rest on
  std::vector<std::string> lines;         ///< further evidence
  std::vector<ReportValue> values;
};

struct ReportCollector {
  std::string name;
  std::string object_noun;  ///< "foreign key"
  std::string database;     ///< empty: it is about the whole server
  std::string anchor;       ///< fragment of the HTML page; unique
  std::string section;
  std::string summary;
  Question question{};
  State state{};
  bool applicable = true;
  std::optional<UnixTime> last_success;
  std::optional<std::string> failure;  ///< why the newest attempt failed
  std::optional<std::size_t> cause;    ///< of that: index in the server's causes
  bool first_pass = false;             ///< no complete pass yet
  std::size_t pass_done = 0;           ///< of the first pass: objects checked
  std::size_t pass_known = 0;          ///< and objects there are; 0: not known
  Seconds interval{};
  std::size_t excluded = 0;
  StateCounts counts;
  std::vector<ReportObject> objects;  ///< worst first, then by name
};

struct ReportQuestion {
  Question question{};
  State state{};
  std::string anchor;  ///< of the worst collector that it rests on; empty: there is none
  bool configured = false;
  std::optional<Reason> reason;             ///< why nothing could be judged
  StateCounts counts;                       ///< the objects that it rests on
  std::optional<UnixTime> oldest_evidence;  ///< of what is judged
  std::size_t first_passes = 0;             ///< collectors without a complete pass
  std::size_t failing = 0;                  ///< collectors whose newest attempt failed
};

struct ReportDatabase {
  std::string name;  ///< empty: what is about the whole server
  State state{};     ///< the worst of its questions and collectors
  bool out_of_reach = false;
  std::vector<ReportQuestion> questions;
  std::vector<ReportCollector> collectors;
};

/// What a cause stops of one collector.
struct ReportStopped {
  std::string database;  ///< empty: the collector is about the whole server
  std::string collector;
  bool failing = false;              ///< its newest attempt failed
  std::vector<std::string> objects;  ///< their names
};

/// Why objects are unproven or limited, once for all that it stops.
struct ReportCause {
  std::string anchor;  ///< fragment of the HTML page; unique
  State state{};       ///< unproven or limited
  Reason reason{};
  bool unreachable = false;            ///< databases are out of reach
  std::string title;                   ///< "public.orders is locked"
  std::string keeps;                   ///< "1 row count and 2 unique keys are unproven"
  std::string words;                   ///< further words of the server, and a hint; may be empty
  std::optional<UnixTime> since;       ///< when its oldest trouble began
  std::vector<std::string> databases;  ///< an empty name is the whole server
  std::vector<std::string> relations;  ///< "public.orders"
  std::vector<ReportStopped> stops;
};

/// What is wrong, once for all objects of a collector with which the same is wrong.
struct ReportWrong {
  std::string database;     ///< empty: the whole server
  std::string text;         ///< the sentence of the first object
  std::string anchor;       ///< of the first object
  std::string object_noun;  ///< "foreign key"
  std::size_t others = 0;   ///< further objects
  std::string runbook;      ///< name; empty: there is none
  std::string command;      ///< the first one, with the object's names; may be empty
};

struct ReportUnwatched {
  std::string collector;
  std::string section;
  std::string hint;
  std::string snippet;  ///< lines of configuration to copy; empty if it is switched off
};

struct ReportServer {
  std::string name;
  std::string anchor;             ///< fragment of the HTML page; unique
  State state{};                  ///< the worst of its databases
  std::string version;            ///< of PostgreSQL; empty: not known
  std::string role;               ///< "primary" or "standby"
  std::string system_identifier;  ///< of the cluster
  std::vector<ReportWrong> wrong;
  std::vector<ReportCause> causes;        ///< unproven ones first, those out of reach before others
  std::vector<ReportDatabase> databases;  ///< the whole server first
  std::vector<ReportUnwatched> not_watched;
  std::vector<HistoryEntry> changes;  ///< of the day before the report, the newest first
};

/// What to file, so that a changed or removed line of the history is noticed later.
struct ReportHistory {
  std::uint64_t number = 0;  ///< of the newest line; 0: none is saved yet
  std::string hash;          ///< its SHA-256
  UnixTime begins = 0;       ///< time of the oldest line that is kept
};

/// Where things are that the reader of a report needs. Each may be empty.
struct ReportPlaces {
  std::string runbooks;  ///< address of their folder
  std::string config;    ///< path of the configuration
  std::string instance;  ///< host and port of the exporter, from this machine
};

/// What a report has beside the evidence.
struct ReportContext {
  const HistoryView* history = nullptr;  ///< nullptr: there is none
  ReportPlaces places{};
};

struct Report {
  UnixTime made_at = 0;
  std::string exporter;  ///< "0.3.0 (5989764)": version and revision of the program
  std::vector<ReportServer> servers;
  State overall{};  ///< violated, unproven or proven
  StateCounts counts;
  std::optional<UnixTime> oldest_evidence;
  std::optional<UnixTime> newest_evidence;
  std::size_t collectors = 0;
  std::size_t first_passes = 0;          ///< collectors without a complete pass
  std::optional<ReportHistory> history;  ///< nothing: none is kept
  std::string runbooks;                  ///< address of the folder of runbooks; may be empty
};

/// The codes and first words of Nagios's plugins.
enum class NagiosStatus : std::uint8_t {
  ok = 0,        ///< proven
  warning = 1,   ///< unproven
  critical = 2,  ///< violated
  unknown = 3,   ///< a database is out of reach, or the program could not be used
};

Report make_report(const Snapshot& snapshot, const Clock& clock, const ReportContext& context = {});

/// The report without what needs nobody. Its totals and its verdict stay those of everything.
Report only_bad(Report report);

std::string report_as_text(const Report& report);
std::string report_as_markdown(const Report& report);
std::string report_as_json(const Report& report);
std::string report_as_html(const Report& report);
/// One line and its end: the verdict, what is worst, and performance data.
std::string report_as_nagios(const Report& report);
NagiosStatus nagios_status(const Report& report);
/// "PG_INTEGRITY OK - text", without performance data and without the end of the line.
std::string nagios_line(NagiosStatus status, const std::string& text);
/// Content-Security-Policy of the HTML page. It lets nothing run or be fetched, and admits only the
/// page's own style.
std::string_view report_policy();

/// A chapter of deploy/demo/REPORT.md, and the sections of our report that answer it.
struct Chapter {
  std::string_view title;
  std::span<const std::string_view> sections;
};

/// The chapters in the order of that report. The last one takes every section that no other chapter
/// has.
std::span<const Chapter> chapters();
bool belongs_to(const Chapter& chapter, std::string_view section);

/// States from the worst to the best.
std::span<const State> worst_first();
/// The place of a state among them: 0 is the worst.
std::size_t urgency(State state);
/// The question in words.
std::string_view question_text(Question question);
/// "3m20s". It is "0s" if the time lies ahead.
std::string age_of(const Report& report, UnixTime when);
/// "1 violated, 12 proven, 2 excluded", the worst first, without states that do not occur.
std::string counts_text(const StateCounts& counts, std::size_t excluded = 0);
/// The whole report in a sentence or two: the first thing that is wrong, or that nothing is.
std::string headline(const Report& report);
/// "3 rows of public.a refer to no row of …. The same is wrong with 10 more foreign keys."
std::string wrong_text(const ReportWrong& wrong);
/// The address of a runbook. Empty if nobody said where they are.
std::string runbook_address(const Report& report, const std::string& runbook);
/// Its address, or else its name.
std::string runbook_named(const Report& report, const std::string& runbook);
/// "1 foreign key", "10,000 foreign keys"
std::string counted(std::size_t number, std::string_view noun);
/// The answer in words: "proven, 3 limits", "unproven (limited)".
std::string answer_text(const ReportQuestion& question);
/// The evidence that an answer rests on: "1 violated, 12 proven; oldest evidence 3m20s ago".
std::string answer_note(const Report& report, const ReportQuestion& question);
/// "312 of 1,440 objects looked at". Empty while the number of objects is not known.
std::string pass_progress(const ReportCollector& collector);
/// "3 violated, 1 unproven, 40 proven", and the number of questions that nothing is configured to
/// answer.
std::string overall_note(const Report& report);
/// "public.orders is locked: 1 row count is unproven. canceling statement due to lock timeout"
std::string cause_text(const ReportCause& cause);
/// "PostgreSQL 15.13, primary". Empty while the version is not known.
std::string server_note(const ReportServer& server);

}  // namespace pg_integrity
