// A collector, and everything the runtime knows about it. A collector checks objects (tables, keys,
// backups) step by step and reports what it observed. The runtime decides when it runs. A collector
// never logs and opens nothing itself.
//
// Threading: one thread at a time calls a collector. Different collectors run in parallel.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/options/server.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"

namespace pg_integrity {

class Buckets;
class Clock;
class Decoder;
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

/// The question that a collector helps to answer.
enum class Question : std::uint8_t {
  intact,       ///< is the data intact?
  recoverable,  ///< could we get it back?
  service,      ///< does it answer as promised? Judged, but the other two do not depend on it
};

/// The lane of its server that a collector runs in. Each server has three, so that cheap reads
/// never wait behind scans, nor either behind the reading of backups.
enum class Lane : std::uint8_t { quick, scan, reading };

/// Whether a collector checks a server or a database. Its metrics carry the labels of that scope.
enum class Scope : std::uint8_t { server, database };

/// The things that can change a collector's answer; a set of flags. If it depends on tables alone,
/// its answer stays true while nothing is committed, and the runtime then leaves out its passes.
/// Ages grow by themselves; they do not depend on the time. See also Batch::changes_by_itself().
enum class DependsOn : std::uint8_t { tables = 1, statistics = 2, time = 4, outside = 8 };

constexpr DependsOn operator|(DependsOn a, DependsOn b) {
  return static_cast<DependsOn>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}

enum class Progress : std::uint8_t { done, more };

/// Everything one step may use. Valid during that step only.
class Sources {
 public:
  virtual ~Sources() = default;
  Sources() = default;
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;

  /// A session with the collector's database, opened when it is first needed.
  /// @throws SourceError with session_lost() if no session can be opened.
  virtual Session& session() = 0;
  /// A session with a copy of the database, configured under that name in `replicas`. It is opened
  /// when it is first needed, and again after it was lost.
  /// @throws SourceError if no session can be opened. For a copy, session_lost() is always false.
  /// It speaks only of the collector's own database.
  virtual Session& replica(const std::string& name) = 0;
  virtual std::shared_ptr<const Schema> schema() = 0;
  virtual TableScans& scans() = 0;
  virtual Files& files() = 0;
  virtual Buckets& buckets() = 0;
  virtual Http& http() = 0;
  virtual Processes& processes() = 0;
  /// Reads a backup to its end. The same one in all steps of the collectors of a server.
  virtual Decoder& decoder() = 0;
  [[nodiscard]] virtual const Json& json() const = 0;
  [[nodiscard]] virtual const Clock& clock() const = 0;

  /// Waits between two checks. A collector waits in no other way.
  /// @throws SourceError{timeout} when the step's deadline comes before that time is over; at once,
  /// with session_lost(), when the exporter stops.
  virtual void pause(Seconds time) = 0;
  /// Whether the step has used up its time. The collector then returns Progress::more at the next
  /// opportunity.
  [[nodiscard]] virtual bool step_is_full() const = 0;
  /// The greatest age at which the collector may reuse a shared observation instead of making its
  /// own.
  [[nodiscard]] virtual Seconds reusable_age() const = 0;
  /// Whether this pass includes an object. A pass may be limited to some objects, because violated
  /// ones are rechecked soon.
  /// @param identity the object's values of the spec's identity labels, in the spec's order.
  [[nodiscard]] virtual bool wants(std::span<const std::string> identity) const = 0;
  /// The last object done in this pass; empty at the start of the pass. It is kept between the
  /// steps of a pass. It moves on only if the step's batch was accepted.
  virtual std::string& position() = 0;
  /// Reports how far the pass has come: `done` of `known` items. Only shown to people.
  virtual void note_progress(std::size_t /*done*/, std::size_t /*known*/) {}
  /// The series' value in the newest accepted evidence, including evidence of earlier processes.
  [[nodiscard]] virtual std::optional<Sample> previous(
      const MetricInfo& metric, std::span<const std::string> labels) const = 0;
  /// The text that Batch::remember() kept, also in an earlier process or under another
  /// configuration. nullptr if there is none.
  [[nodiscard]] virtual std::shared_ptr<const std::string> remembered() const { return nullptr; }
  /// The text that another collector of the server or database remembers. nullptr if there is none.
  [[nodiscard]] virtual std::shared_ptr<const std::string> remembered_by(
      std::string_view /*collector*/) const {
    return nullptr;
  }
  /// The newest values of a metric of any collector of the database.
  [[nodiscard]] virtual std::vector<Sample> observed(std::string_view /*metric*/) const {
    return {};
  }
  /// Whether any collector of the database has a violated object about that table, accepted ones
  /// included.
  [[nodiscard]] virtual bool is_red(const QualifiedName& /*table*/) const { return false; }
  /// The newest values of a metric for the collector's violated objects, those that have vanished
  /// included.
  [[nodiscard]] virtual std::vector<Sample> violated(const MetricInfo& /*metric*/) const {
    return {};
  }

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

  /// Adds the series that follow from the configuration alone (objectives, counters at 0). They are
  /// on the page from the start, whatever happens later.
  virtual void declare(Batch& out) const = 0;

  /// Metrics that the configuration declares, beyond those of the spec; nullptr if there are none.
  /// An owner of samples of these metrics must also keep this pointer.
  [[nodiscard]] virtual std::shared_ptr<const MetricSet> own_metrics() const { return nullptr; }

  /// Makes one bounded step of a pass. The runtime calls it again while it returns `more`. It adds
  /// to `out` only observed values, never a 0 for an unknown one. The collector's own state moves
  /// on only after the batch was accepted.
  /// @throws SourceError if nothing trustworthy could be read. The observations of this step are
  /// then discarded, and its events are kept.
  virtual Progress collect(Sources& from, Batch& out) = 0;
};

/// The part of the configuration that a collector receives.
struct Configuration {
  const Settings& own;          ///< its own options, complete
  const WatchedServer& server;  ///< those of its server
};

/// Adds everything that a collector with this configuration reads of a database beyond the catalog.
/// The function reads nothing but the catalog through the session. The type has no default
/// constructor, so that no collector can forget it.
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

/// For a collector that reads only the catalog, or no database at all.
inline void no_reads(const Configuration& /*given*/, Session& /*session*/, const Schema& /*schema*/,
                     Reads& /*reads*/) {}

/// Everything the runtime knows about a collector. Each collector file has one such constant.
struct CollectorSpec {
  std::string_view name;  ///< file stem = configuration table = `collector` label
  std::string_view summary;
  /// What one of its objects is, for people. An "s" makes several of it.
  std::string_view object_noun = "object";
  std::string_view report_section;  ///< heading in the report
  Question question = Question::intact;
  Lane lane = Lane::scan;
  Scope scope = Scope::database;
  DependsOn depends_on{};     ///< what can change its answer, or-ed
  std::string_view interval;  ///< default target between complete passes
  std::string_view deadline;  ///< default bound of one step
  int version = 1;            ///< evidence of another version is not reloaded
  std::span<const MetricInfo* const> metrics = {};
  /// The labels that identify its objects. An object is named by those of these labels that the
  /// metric has.
  std::span<const std::string_view> identity = {};
  std::span<const Option> options = {};
  /// Options of [[server]] that its answers depend on. Evidence is not reloaded if they have
  /// changed since.
  std::span<const std::string_view> server_options = {};
  /// Whether the configuration gives the collector something to watch. nullptr means always.
  bool (*wanted)(const Configuration& given) = nullptr;
  std::string_view wanted_hint = {};  ///< how the user gives it something to watch
  /// The same as lines of configuration to copy to the end of a [[server]], with names to replace.
  std::string_view wanted_snippet = {};
  /// Finds faults that single options cannot show. May be nullptr.
  void (*check)(const Configuration& given, Problems& problems) = nullptr;
  /// Says what the collector reads beyond the catalog: no_reads, or a function. It has no default.
  ReadsOf reads;
  /// If not nullptr, the collector also checks restored copies, whatever is watched in production.
  /// Called if pg_restore made the copy, so its server has checked all valid keys and unique
  /// indexes. Returns true if the collector must check it all the same. Every other copy is checked
  /// in full.
  bool (*on_copy)(const Configuration& given, const Schema& copy) = nullptr;
  /// Whether an object of a copy that it cannot check leaves the drill unproven. It does not if
  /// production has the same object, which cannot be checked there either.
  bool doubts_copy = true;
  /// A violated object that vanishes stays violated until the user accepts it. A dropped table or
  /// key repairs no rows. Other things, such as an unexpected superuser, are repaired by removal.
  bool remembers_red = false;
  /// Its question is proven only if an object of such a collector is. The other collectors of the
  /// question tell what would be lost, and when, but not whether anything can be got back.
  bool proves = false;
  /// The names of what its memory (Batch::remember()) tells as lost, as `accept` takes them behind
  /// the collector's name. nullptr if its objects alone can be accepted.
  std::vector<std::string> (*losses)(const std::string& memory) = nullptr;
  std::unique_ptr<Collector> (*make)(const Configuration& given, ScanPlan& plan) = nullptr;
};

/// A function for `wanted`, for a collector that watches nothing but the records of one option of
/// its own: `.wanted = has_records<kLogs>` with `constexpr char kLogs[] = "logs"`.
template <const char* Name>
bool has_records(const Configuration& given) {
  return !given.own.records(Name).empty();
}

/// The options that every collector has. The last one is only for those that depend on tables
/// alone.
inline constexpr std::array<Option, 4> kCommonOptions{
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
           .max = 86400},
    Option{
        .name = "full_check_interval",
        .type = OptionType::duration,
        .fallback = "7d",
        .help = "longest time that passes are left out because nothing was committed; 0s: none is",
        .min = 0,
        .max = 30.0 * 86400}};

}  // namespace pg_integrity
