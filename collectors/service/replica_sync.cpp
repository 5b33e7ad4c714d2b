// Copies of a database (standbys, subscribers, restored copies), compared with it: whether they
// answer, how far they are behind, and whether they hold the same rows. Rows on their way are no
// difference. So a copy is read between two readings of the database, once it has come as far as
// the first of them.
#include <algorithm>
#include <map>
#include <optional>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/glob.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/options/replicas.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/service/comparison_plan.h"
#include "collectors/service/replica_link.h"
#include "collectors/service/table_comparison.h"
#include "collectors/walk.h"

namespace pg_integrity::replica_sync {

namespace {

constexpr auto kUp =
    gauge("pg_integrity_replica_up", "1 if the copy lets us in and answers.",
          must_be(1).says("The copy {replica} does not let us in or does not answer."), "replica");
constexpr auto kLagMax = gauge("pg_integrity_replica_lag_max_seconds",
                               "Configured upper limit of replica_lag_seconds.", "replica");
constexpr auto kLag =
    gauge("pg_integrity_replica_lag_seconds",
          "0 if the copy has all that the database has written, else the age of the newest that it "
          "is known to have. Absent for copies that neither replay nor subscribe.",
          at_most(kLagMax).says("The copy {replica} is {value} behind, it may be {limit} behind."),
          "replica");
constexpr auto kDifference = gauge(
    "pg_integrity_replica_row_difference",
    "Rows that the copy has more (or, negative, less) than the database and that are not on "
    "their way.",
    must_be(0).says(
        "{schema}.{table} on the copy {replica} differs by {value} {row|rows} from the database."),
    "replica", "schema", "table");
constexpr auto kMatches = gauge(
    "pg_integrity_replica_content_matches",
    "1 if the copy's rows have the same content as the database's.",
    must_be(1).says(
        "{schema}.{table} has rows with other content on the copy {replica} than in the database."),
    "replica", "schema", "table");

constexpr auto kUnconfirmed =
    gauge("pg_integrity_replica_unconfirmed_row_difference",
          "Rows that the copy has more (or less) in a table that looks can tell from the "
          "database's, 0 if only the content is another; it counts once a later look agrees.",
          "replica", "schema", "table");

constexpr const MetricInfo* kMetrics[] = {&kUp,         &kLag,     &kLagMax,
                                          &kDifference, &kMatches, &kUnconfirmed};

constexpr std::string_view kIdentity[] = {"replica", "schema", "table"};

/// How long we wait before asking a copy a second time. It must be longer than the session pool's
/// first retry (1 s), or the second try would fail without trying.
constexpr Seconds kSecondTry{1.2};

using Labels = std::array<std::string, 3>;

/// The facts about a copy for the length of a pass.
struct Link {
  CopyFacts facts;
  bool behind = false;                 ///< it was waited for in vain
  std::optional<SourceError> trouble;  ///< why the rest is not known
};

/// A table whose comparison goes on in the next step.
struct Running {
  Labels labels;
  Instant began;
  TableComparison comparison;
};

bool is_chosen(const Replica& replica, const Table& table) {
  return replica.tables.empty() || matches_any_glob(replica.tables, table.name.display());
}

constexpr Option kOptions[] = {
    {.name = "exact_up_to",
     .type = OptionType::size,
     .fallback = "1GiB",
     .help = "tables with a larger heap are only compared in slices, which needs a primary key that"
             " begins with a number, a uuid, a date or a timestamp, indexed on both sides"},
    {.name = "whole_up_to",
     .type = OptionType::size,
     .fallback = "64MiB",
     .help = "tables with a larger heap are compared in slices where they can be"},
    {.name = "slice_rows",
     .type = OptionType::integer,
     .fallback = "100000",
     .help = "rows of one slice",
     .min = 1,
     .max = 1e9}};

constexpr std::string_view kServerOptions[] = {"replicas"};

class ReplicaSync final : public Collector {
 public:
  explicit ReplicaSync(const Configuration& given)
      : limits_{given.own.number("exact_up_to"), given.own.number("whole_up_to"),
                given.own.number("slice_rows")},
        replicas_(given.server.replicas) {
    std::sort(replicas_.begin(), replicas_.end(),
              [](const Replica& a, const Replica& b) { return a.name < b.name; });
  }

  void declare(Batch& out) const override {
    for (const Replica& replica : replicas_)
      if (replica.max_lag) out.set(kLagMax, replica.max_lag->count(), replica.name);
  }

  Progress collect(Sources& from, Batch& out) override {
    const auto schema = from.schema();
    if (from.position().empty()) {
      links_.clear();
      running_.reset();
      own_ = database_facts(from.session());
    }
    bool looked = false;
    // Like Walk, but for a check that takes several steps.
    const auto each = [&](const std::string& key, auto look) {
      if (!from.position().empty() && key <= from.position()) return true;
      if (looked && from.step_is_full()) return false;
      looked = true;
      if (!look()) return false;
      from.position() = key;
      return true;
    };
    for (const Replica& replica : replicas_) {
      if (!each(walk_key(replica.name), [&] { return look_at_link(from, replica, *schema, out); }))
        return Progress::more;
      for (const Table& table : schema->tables) {
        if (!is_chosen(replica, table)) continue;
        const Labels labels{replica.name, table.name.schema, table.name.name};
        if (!each(walk_key(labels[0], labels[1], labels[2]),
                  [&] { return look_at_table(from, replica, table, labels, out); }))
          return Progress::more;
      }
    }
    return Progress::done;
  }

 private:
  /// The link is found out once a pass, and so is its failure. Nobody waits for a dead copy table
  /// by table.
  Link& link_of(Sources& from, const Replica& replica) {
    const auto [known, added] = links_.try_emplace(replica.name);
    Link& link = known->second;
    for (int tries = added ? 2 : 0; tries > 0; --tries) {
      try {
        link.facts = copy_facts(own_, from.replica(replica.name), from.clock().now());
        link.trouble.reset();
        break;
      } catch (const SourceError& error) {
        link.trouble = error;
        // One lost connection is no finding, so the copy is tried again. A refused login is not,
        // because a second wrong secret may lock an account.
        const bool again = says_down(error.reason()) && error.reason() != Reason::auth;
        if (error.session_lost() || !again) break;
        if (tries > 1) from.pause(kSecondTry);
      }
    }
    if (link.trouble) throw SourceError(*link.trouble);
    return link;
  }

  bool look_at_link(Sources& from, const Replica& replica, const Schema& schema, Batch& out) {
    const std::array<std::string, 1> labels{replica.name};
    if (!from.wants(labels)) return true;
    out.attempt(kUp, labels, [&] {
      CopyKind kind{};
      try {
        kind = link_of(from, replica).facts.kind;
      } catch (const SourceError& error) {
        if (error.session_lost() || !says_down(error.reason())) throw;
        out.set(kUp, 0, replica.name);
        // Findings about its tables stand, because they were not disproved.
        out.unproven(kUp, error.reason(), error.what(), replica.name);
        return;
      }
      out.set(kUp, 1, replica.name);
      if (std::none_of(schema.tables.begin(), schema.tables.end(),
                       [&](const Table& table) { return is_chosen(replica, table); }))
        out.unproven(kUp, Reason::missing, "there is no table to compare", replica.name);
      if (kind == CopyKind::plain) return;
      out.attempt(kLag, labels, [&] {
        const Seconds lag = lag_of(from, from.replica(replica.name), kind);
        out.set(kLag, lag.count(), replica.name);
      });
    });
    return true;
  }

  /// @return whether nothing is left to do.
  bool look_at_table(Sources& from, const Replica& replica, const Table& table,
                     const Labels& labels, Batch& out) {
    if (!from.wants(labels)) return true;
    bool more = false;
    out.weight(kMatches, !replica.tables.empty(), table.estimated_rows.value_or(0), labels[0],
               labels[1], labels[2]);
    out.attempt(kMatches, labels, [&] {
      Link& link = link_of(from, replica);
      if (!running_ || running_->labels != labels) {
        running_.reset();
        auto what = what_to_compare(from.session(), from.replica(replica.name), replica, table,
                                    link.facts, limits_);
        if (!what) return out.excluded(1);
        running_.emplace(Running{labels, from.clock().now(), TableComparison(*std::move(what))});
      }
      do {
        more = running_->comparison.step(from, link.behind);
      } while (more && !from.step_is_full());
      if (more) return;
      out.observed_at(running_->began);
      conclude(from, replica, *running_, link.facts.kind, out);
    });
    if (!more) running_.reset();
    return !more;
  }

  void conclude(Sources& from, const Replica& replica, const Running& done, CopyKind kind,
                Batch& out) {
    const TableComparison& found = done.comparison;
    const Labels& labels = done.labels;
    const auto rows_differ_by = [&](double difference) {
      out.set(kDifference, difference, labels[0], labels[1], labels[2]);
    };
    const auto content_matches = [&](bool matches) {
      if (replica.content) out.set(kMatches, matches ? 1 : 0, labels[0], labels[1], labels[2]);
    };
    if (found.different()) {
      if (const auto since = unconfirmed_since(from, replica, done, kind)) {
        out.observed_at(*since);
        out.set(kUnconfirmed, found.row_difference(), labels[0], labels[1], labels[2]);
        out.unsettled(kMatches, found.summary() + ": it counts if a later look agrees", labels[0],
                      labels[1], labels[2]);
      } else {
        rows_differ_by(found.row_difference());
        content_matches(false);
        out.evidence(kMatches, found.summary(), labels[0], labels[1], labels[2]);
      }
      fingerprints_[labels] = found.fingerprint();
    } else if (found.behind()) {
      out.unsettled(kMatches, "the copy is behind: what it lacks may be on its way", labels[0],
                    labels[1], labels[2]);
    } else if (found.moving()) {
      if (found.same_rows_where_moving()) rows_differ_by(0);
      if (replica.content || !found.same_rows_where_moving())
        out.unproven(kMatches, Reason::conflict,
                     "it is written to all the time: nothing to compare holds still", labels[0],
                     labels[1], labels[2]);
    } else {
      fingerprints_.erase(labels);
      rows_differ_by(0);
      content_matches(true);
    }
  }

  /// Whether a difference that a series of checks found must be found again before it counts.
  /// If the copy tells its position, it counts at once, unless the table was sound before. Then a
  /// second series must find it.
  /// A plain copy may be filled now and then. So the same two contents must be found again, at
  /// least `max_lag` after the first time if that is given.
  /// @return the time since when the difference is known; empty if it counts.
  [[nodiscard]] std::optional<Instant> unconfirmed_since(const Sources& from,
                                                         const Replica& replica,
                                                         const Running& done, CopyKind kind) const {
    const auto known = replica.content ? from.previous(kMatches, done.labels)
                                       : from.previous(kDifference, done.labels);
    const bool violated = known && known->value != (replica.content ? 1 : 0);
    const auto doubt = from.previous(kUnconfirmed, done.labels);
    if (kind != CopyKind::plain) {
      if (!known || violated || doubt) return std::nullopt;
      return done.began;
    }
    const auto before = fingerprints_.find(done.labels);
    const bool unchanged =
        before != fingerprints_.end()
            ? before->second == done.comparison.fingerprint()
            : violated || (doubt && doubt->value == done.comparison.row_difference());
    if (!unchanged) return done.began;
    if (violated) return std::nullopt;
    if (!doubt) return done.began;
    const bool for_long = done.began - doubt->observed_at >= replica.max_lag.value_or(Seconds(0));
    return for_long ? std::nullopt : std::optional(doubt->observed_at);
  }

  ComparisonLimits limits_;
  DatabaseFacts own_;                  ///< as of the beginning of this pass
  std::vector<Replica> replicas_;      ///< sorted by name
  std::map<std::string, Link> links_;  ///< of this pass
  std::optional<Running> running_;
  std::map<Labels, std::string> fingerprints_;  ///< of the newest differences
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<ReplicaSync>(given);
}

/// The reads of the database. A copy has grants of its own.
void add_reads(const Configuration& given, Session& /*session*/, const Schema& schema,
               Reads& reads) {
  for (const Replica& replica : given.server.replicas) {
    for (const Table& table : schema.tables) {
      if (!is_chosen(replica, table)) continue;
      std::vector<std::string> columns;
      if (replica.content)
        for (const Column& column : table.columns) columns.push_back(column.name);
      reads.add(schema, table.name, columns);
    }
  }
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "replica_sync",
    .summary = "whether copies of the database answer, keep up and hold the same rows",
    .object_noun = "compared table",
    .report_section = "Copies",
    .question = Question::service,
    .lane = Lane::scan,
    .scope = Scope::database,
    .depends_on = DependsOn::tables | DependsOn::outside,
    .interval = "15m",
    .deadline = "60s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kOptions,
    .server_options = kServerOptions,
    .wanted = [](const Configuration& given) { return !given.server.replicas.empty(); },
    .wanted_hint = "say where a copy is: [[server.replicas]] with name and dsn",
    .wanted_snippet = R"([[server.replicas]]
name = "standby"
dsn = "host=standby.example dbname=shop user=pgintegrity sslmode=verify-full"
max_lag = "1m")",
    .reads = add_reads,
    .make = make};

}  // namespace pg_integrity::replica_sync
