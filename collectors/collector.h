// A collector and what the runtime knows of it. A collector looks at objects (tables, keys,
// backups) step by step and says what it saw; it never decides when it runs, never logs, and opens
// nothing itself.
//
// Threading: one thread at a time calls a collector; different collectors run in parallel.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/options/server.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"

namespace pg_integrity {

class Clock;
class Files;
class Http;
class Json;
class MetricSet;
class Processes;
class ScanPlan;
struct Reads;
struct Schema;
class Session;
class TableScans;

/// Which question an answer belongs to.
enum class Question : std::uint8_t {
  intact,       ///< is the data intact?
  recoverable,  ///< could we get it back?
  service,  ///< does it answer as promised? Judged, but neither intact nor recoverable depend on it
};

/// Which of a server's two lanes a collector runs in: cheap reads never wait behind scans.
enum class Lane : std::uint8_t { quick, scan };

/// What a collector looks at, and hence which labels its metrics carry.
enum class Scope : std::uint8_t { server, database };

/// What can change a collector's answer; a set of flags.
enum class DependsOn : std::uint8_t { tables = 1, statistics = 2, time = 4, outside = 8 };

constexpr DependsOn operator|(DependsOn a, DependsOn b) {
  return static_cast<DependsOn>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}

enum class Progress : std::uint8_t { done, more };

/// What one step may use. Valid during that step only.
class Sources {
 public:
  virtual ~Sources() = default;
  Sources() = default;
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;

  /// A session with the collector's database, opened when first asked for.
  /// @throws SourceError if there is none to be had; session_lost() is true then.
  virtual Session& session() = 0;
  /// A session with the copy of the database that `replicas` configures under that name, opened
  /// when first asked for and anew when it was lost.
  /// @throws SourceError if there is none to be had. Neither this nor what the session throws is a
  /// session_lost(): that speaks of the collector's own database.
  virtual Session& replica(const std::string& name) = 0;
  virtual std::shared_ptr<const Schema> schema() = 0;
  virtual TableScans& scans() = 0;
  virtual Files& files() = 0;
  virtual Http& http() = 0;
  virtual Processes& processes() = 0;
  [[nodiscard]] virtual const Json& json() const = 0;
  [[nodiscard]] virtual const Clock& clock() const = 0;

  /// Lets time pass between two checks: the one way for a collector to wait.
  /// @throws SourceError: timeout when the step's deadline comes before that time is over, and at
  /// once, with session_lost(), when the exporter stops.
  virtual void pause(Seconds time) = 0;
  /// The step has done its share: return Progress::more at the next opportunity.
  [[nodiscard]] virtual bool step_is_full() const = 0;
  /// How old a shared observation may be to be taken instead of a look of one's own.
  [[nodiscard]] virtual Seconds reusable_age() const = 0;
  /// A pass may be about some objects only (violated ones are looked at again soon).
  /// @param identity the values of the spec's identity labels that the object has, in the spec's
  /// order.
  [[nodiscard]] virtual bool wants(std::span<const std::string> identity) const = 0;
  /// The last object done in this pass; empty at its start. Kept between the steps of a pass, moved
  /// on only if the step's batch was accepted.
  virtual std::string& position() = 0;
  /// How far the pass has come: of `known` items it has looked at `done`. Only shown to people.
  virtual void note_progress(std::size_t /*done*/, std::size_t /*known*/) {}
  /// The series' value in the newest accepted evidence, that of earlier processes included.
  [[nodiscard]] virtual std::optional<Sample> previous(
      const MetricInfo& metric, std::span<const std::string> labels) const = 0;

  template <std::size_t N>
  [[nodiscard]] bool wants(const std::array<std::string, N>& identity) const {
    return wants(std::span<const std::string>(identity));
  }
  template <std::size_t N>
  [[nodiscard]] std::optional<Sample> previous(const MetricInfo& metric,
                                               const std::array<std::string, N>& labels) const {
    return previous(metric, std::span<const std::string>(labels));
  }
};

class Collector {
 public:
  virtual ~Collector() = default;
  Collector() = default;
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  /// Series that follow from the configuration alone (objectives, counters at 0). On the page from
  /// the start, whatever happens later.
  virtual void declare(Batch& out) const = 0;

  /// Metrics that the configuration declares, beyond those of the spec; nullptr: none. Whoever
  /// keeps a sample of them keeps them too.
  [[nodiscard]] virtual std::shared_ptr<const MetricSet> own_metrics() const { return nullptr; }

  /// One bounded step of a pass; called again while it returns `more`. Adds to `out` only what was
  /// observed, never a stand-in zero. The collector's own state moves on only after the batch was
  /// accepted.
  /// @throws SourceError if nothing trustworthy could be read; observations of this step are
  /// discarded, events are kept.
  virtual Progress collect(Sources& from, Batch& out) = 0;
};

/// What the configuration gives a collector.
struct Configuration {
  const Settings& own;          ///< its own options, complete
  const WatchedServer& server;  ///< those of its server
};

/// Adds what a collector under this configuration reads of that database beyond the catalog. It
/// asks the session for nothing but the catalog. Without a default, so that no collector can forget
/// to say it.
class ReadsOf {
 public:
  using Function = void (*)(const Configuration& given, Session& session, const Schema& schema,
                            Reads& reads);

  // NOLINTNEXTLINE(google-explicit-constructor): a collector's spec names the function alone.
  constexpr ReadsOf(Function function) : function_(function) {}

  void operator()(const Configuration& given, Session& session, const Schema& schema,
                  Reads& reads) const {
    function_(given, session, schema, reads);
  }
  friend constexpr bool operator==(ReadsOf, ReadsOf) = default;

 private:
  Function function_;
};

/// Of a collector that reads the catalog alone, or no database at all.
inline void no_reads(const Configuration& /*given*/, Session& /*session*/, const Schema& /*schema*/,
                     Reads& /*reads*/) {}

/// Everything the runtime knows of a collector: one constant per collector file.
struct CollectorSpec {
  std::string_view name;  ///< file stem = configuration table = `collector` label
  std::string_view summary;
  std::string_view report_section;  ///< heading in the report
  Question question = Question::intact;
  Lane lane = Lane::scan;
  Scope scope = Scope::database;
  DependsOn depends_on{};     ///< what can change its answer, or-ed
  std::string_view interval;  ///< default target between complete passes
  std::string_view deadline;  ///< default bound of one step
  int version = 1;            ///< evidence of another version is not reloaded
  std::span<const MetricInfo* const> metrics = {};
  /// The labels that tell its objects apart. An object is named by those of them that a metric has.
  std::span<const std::string_view> identity = {};
  std::span<const Option> options = {};
  /// Options of [[server]] that its answers depend on: evidence taken under others is not reloaded.
  std::span<const std::string_view> server_options = {};
  /// There is something to watch. May be nullptr: always.
  bool (*wanted)(const Configuration& given) = nullptr;
  std::string_view wanted_hint = {};  ///< how to give it something
  /// Finds faults that single options cannot show. May be nullptr.
  void (*check)(const Configuration& given, Problems& problems) = nullptr;
  /// What it reads beyond the catalog: no_reads, or a function. Without a default.
  ReadsOf reads;
  /// Not nullptr: it also checks restored copies, whatever is watched in production. It is asked
  /// about a copy whose server has itself checked every valid key and every unique index when all
  /// rows were there: is there more to check? Any other copy it checks as a whole.
  bool (*on_copy)(const Configuration& given, const Schema& copy) = nullptr;
  std::unique_ptr<Collector> (*make)(const Configuration& given, ScanPlan& plan) = nullptr;
};

/// As `wanted` of a collector whose records of that own option are all that it watches:
/// `.wanted = has_records<kLogs>` with `constexpr char kLogs[] = "logs"`.
template <const char* Name>
bool has_records(const Configuration& given) {
  return !given.own.records(Name).empty();
}

/// The options that every collector has.
inline constexpr std::array<Option, 3> kCommonOptions{
    Option{.name = "enabled",
           .type = OptionType::flag,
           .fallback = "true",
           .help = "false: this collector does not run; the report lists it as not watched"},
    Option{.name = "interval",
           .type = OptionType::duration,
           .help = "target between complete passes",
           .min = 1,
           .max = 30.0 * 86400},
    Option{.name = "deadline",
           .type = OptionType::duration,
           .help = "bound of one step, that is of one statement or one look at a directory",
           .min = 0.1,
           .max = 86400}};

}  // namespace pg_integrity
