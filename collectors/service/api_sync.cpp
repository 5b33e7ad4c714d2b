// HTTP endpoints: whether they answer, how fast, and whether the count that they give is the
// database's. The database is counted before and after each request. A count between these two is
// in flight, not wrong.
#include <algorithm>
#include <cmath>
#include <map>

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/qualified_name.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/http.h"
#include "collectors/ports/json.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"
#include "collectors/postgres/schema.h"
#include "collectors/postgres/table_scan.h"
#include "collectors/service/api_config.h"
#include "collectors/service/api_request.h"
#include "collectors/service/count_comparison.h"
#include "collectors/service/joint_count.h"
#include "collectors/service/slow_runs.h"
#include "collectors/walk.h"

namespace pg_integrity::api_sync {

namespace {

/// The pause between the checks of a first pass, which has no earlier pass to go by. A count that
/// is off by the same number four times within two seconds is no matter of a moment.
constexpr Seconds kPause{0.7};

constexpr auto kUp =
    gauge("pg_integrity_api_up",
          "1 if the endpoint answers with a success (2xx), at the second try "
          "at the latest.",
          must_be(1).says("The endpoint {endpoint} does not answer with a success."), "endpoint");
constexpr auto kRows = gauge("pg_integrity_api_rows",
                             "The count that the endpoint gave at the last look.", "endpoint");
constexpr auto kDifference = gauge(
    "pg_integrity_api_row_difference",
    "Rows by which the endpoint's count lies above (or, negative, below) what was counted "
    "before and after in the configured tables; the label table is empty if they are several.",
    must_be(0).says(
        "The count of the endpoint {endpoint} differs by {value} {row|rows} from the database."),
    "endpoint", "schema", "table");
constexpr auto kUnconfirmed =
    gauge("pg_integrity_api_unconfirmed_row_difference",
          "A difference that the newest look found and the one before did not; it counts once the "
          "next look misses on the same side. 0: the newest look found both more and fewer rows.",
          "endpoint");
constexpr auto kDuration =
    gauge("pg_integrity_api_request_duration_seconds",
          "How long the newest answer took, redirects included.", "endpoint");
constexpr auto kDurationMax =
    gauge("pg_integrity_api_request_duration_max_seconds",
          "Configured objective: a request that takes longer, or times out, is slow.", "endpoint");
constexpr auto kSlowRatioMax = gauge("pg_integrity_api_slow_ratio_max",
                                     "Configured upper limit of api_slow_ratio.", "endpoint");
constexpr auto kSlowRatio = gauge(
    "pg_integrity_api_slow_ratio",
    "Slow requests among the last 20 (0 to 1); requests not yet made count as fast.",
    at_most(kSlowRatioMax)
        .says(
            "{value} of the last 20 requests to {endpoint} were too slow, at most {limit} may be."),
    "endpoint");
constexpr auto kFailures = counter("pg_integrity_api_failures_total",
                                   "Requests that failed, by reason.", "endpoint", "reason");

constexpr const MetricInfo* kMetrics[] = {&kUp,          &kRows,         &kDifference,
                                          &kUnconfirmed, &kDuration,     &kDurationMax,
                                          &kSlowRatio,   &kSlowRatioMax, &kFailures};

constexpr char kWatched[] = "endpoints";

constexpr std::string_view kIdentity[] = {"endpoint"};

std::array<std::string, 1> labels_of(const Endpoint& endpoint) {
  return {endpoint.label};
}

/// The table of a difference's labels; empty if the endpoint counts several tables together.
QualifiedName table_of(const Endpoint& endpoint) {
  return endpoint.tables.size() == 1 ? endpoint.tables.front() : QualifiedName();
}

/// The difference that the pass before found, confirmed or not; empty if no pass has compared.
std::optional<double> difference_before(const Sources& from, const Endpoint& endpoint) {
  const QualifiedName table = table_of(endpoint);
  auto found = from.previous(kUnconfirmed, labels_of(endpoint));
  if (!found)
    found = from.previous(kDifference, std::array{endpoint.label, table.schema, table.name});
  return found ? std::optional(found->value) : std::nullopt;
}

class ApiSync final : public Collector {
 public:
  explicit ApiSync(const Settings& settings)
      : slow_ratio_max_(settings.number("slow_ratio_max")),
        exact_up_to_(settings.number("exact_up_to")) {
    for (const Settings& record : settings.records("endpoints")) {
      Endpoint endpoint = endpoint_from(record);
      (endpoint.tables.empty() ? pages_ : counts_).push_back(std::move(endpoint));
    }
    for (auto* endpoints : {&pages_, &counts_})
      std::sort(endpoints->begin(), endpoints->end(),
                [](const Endpoint& a, const Endpoint& b) { return a.label < b.label; });
  }

  void declare(Batch& out) const override {
    for (const auto* endpoints : {&pages_, &counts_}) {
      for (const Endpoint& endpoint : *endpoints) {
        for (const Reason reason : {Reason::timeout, Reason::connect, Reason::http})
          out.count(kFailures, 0, endpoint.label, std::string(name_of(reason)));
        if (!endpoint.objective) continue;
        out.set(kDurationMax, endpoint.objective->count(), endpoint.label);
        out.set(kSlowRatioMax, slow_ratio_max_, endpoint.label);
      }
    }
  }

  Progress collect(Sources& from, Batch& out) override {
    const auto label = [](const Endpoint& endpoint) { return endpoint.label; };
    const auto look = [&](const Endpoint& endpoint) { look_at(from, endpoint, out); };
    Walk walk(from, Walk::Pace::singly);
    // Endpoints that need no database go first, because they can be asked while it is down.
    if (walk.each("1 pages", pages_, label, look) == Progress::more) return Progress::more;
    return walk.each("2 counts", counts_, label, look);
  }

 private:
  void look_at(Sources& from, const Endpoint& endpoint, Batch& out) {
    if (!from.wants(labels_of(endpoint))) return;
    out.weight(kUp, true, 0, endpoint.label);
    SlowRuns& slow = slow_[endpoint.label];
    slow.begin(from.previous(kSlowRatio, labels_of(endpoint)));
    out.attempt(kUp, labels_of(endpoint), [&] {
      if (endpoint.tables.empty())
        ask_page(from, endpoint, out);
      else
        compare_as_far_as_possible(from, endpoint, out);
    });
    if (!endpoint.objective) return;
    out.set(kSlowRatio, slow.ratio(), endpoint.label);
    slow.end(out.samples().back().observed_at);
  }

  void ask_page(Sources& from, const Endpoint& endpoint, Batch& out) {
    const auto answer = availability(from, endpoint, out);
    if (!answer || !endpoint.count) return;
    out.attempt(kRows, labels_of(endpoint),
                [&] { out.set(kRows, rows_in(from, endpoint, *answer), endpoint.label); });
  }

  /// A pass that fails begins anew with the pages, as often as the server is tried. So if there are
  /// pages, a lost session leaves the endpoint unproven and the pass goes on without the database.
  void compare_as_far_as_possible(Sources& from, const Endpoint& endpoint, Batch& out) {
    try {
      compare(from, endpoint, out);
    } catch (const SourceError& error) {
      if (!error.session_lost() || pages_.empty()) throw;
      out.unproven(kUp, error.reason(), error.what(), endpoint.label);
    }
  }

  void compare(Sources& from, const Endpoint& endpoint, Batch& out) {
    std::string sql;
    const auto count = [&] {
      return from.session().query(sql, Access::heap).only().number("rows");
    };
    double before = 0;
    std::optional<SourceError> uncounted;
    try {
      const auto schema = from.schema();
      sql = joint_count_sql(from.session(), *schema, endpoint.tables, exact_up_to_);
      before = count();
    } catch (const SourceError& error) {
      if (error.session_lost()) throw;
      uncounted = error;
    }
    const auto answer = availability(from, endpoint, out);
    if (!answer) return;
    // The endpoint answers, whatever becomes of its count.
    out.attempt(kRows, labels_of(endpoint), [&] {
      if (uncounted) throw SourceError(*uncounted);
      const auto known = difference_before(from, endpoint);
      CountComparison looks;
      double rows = rows_in(from, endpoint, *answer);
      for (;;) {
        const double after = count();
        looks.add(rows, before, after);
        before = after;
        if (looks.done()) break;
        if (!known) from.pause(kPause);
        rows = rows_in(from, endpoint, ask(from, endpoint, out));
      }
      judge(endpoint, looks, known, out);
      if (!looks.on_both_sides()) show(endpoint, rows, before, out);
    });
  }

  /// A cache can lag for longer than four checks take, so the pass before must have found the
  /// difference, too. Without such a pass each check must have found the same number.
  static void judge(const Endpoint& endpoint, const CountComparison& looks,
                    std::optional<double> known, Batch& out) {
    const QualifiedName table = table_of(endpoint);
    const double difference = looks.difference();
    if (looks.on_both_sides()) {
      out.set(kUnconfirmed, 0, endpoint.label);
      out.unproven(kRows, Reason::conflict,
                   "the endpoint's count was above the database's and then below it: neither equal"
                   " nor surely wrong",
                   endpoint.label);
    } else if (difference == 0 || (known ? *known * difference > 0 : looks.steady())) {
      out.set(kDifference, difference, endpoint.label, table.schema, table.name);
    } else {
      out.set(kUnconfirmed, difference, endpoint.label);
      out.unsettled(kRows,
                    "the endpoint's count is off by " + std::to_string(std::lround(difference)) +
                        ": it counts if the next look misses on the same side",
                    endpoint.label);
    }
  }

  static void show(const Endpoint& endpoint, double rows, double counted, Batch& out) {
    out.set(kRows, rows, endpoint.label);
    const std::string tables =
        endpoint.tables.size() == 1
            ? "table " + endpoint.tables.front().display() + " has "
            : std::to_string(endpoint.tables.size()) + " tables together have ";
    out.evidence(kRows,
                 "it counts " + std::to_string(std::lround(rows)) + ", " + tables +
                     std::to_string(std::lround(counted)),
                 endpoint.label);
  }

  /// A success, or nothing if the endpoint is down.
  std::optional<HttpResponse> availability(Sources& from, const Endpoint& endpoint, Batch& out) {
    try {
      HttpResponse answer = ask(from, endpoint, out);
      out.set(kUp, 1, endpoint.label);
      out.set(kDuration, answer.took.count(), endpoint.label);
      return answer;
    } catch (const SourceError& error) {
      if (!says_down(error.reason())) throw;
      out.set(kUp, 0, endpoint.label);
      // An earlier difference stands, because it was not disproved.
      out.unproven(kUp, error.reason(), error.what(), endpoint.label);
      return std::nullopt;
    }
  }

  /// A success, at the second try at the latest, because one lost connection is no finding. An
  /// endpoint that refuses us is not asked twice, because a second wrong secret may lock an
  /// account. One that wants to be left alone for a while is, and stays down meanwhile.
  HttpResponse ask(Sources& from, const Endpoint& endpoint, Batch& out) {
    Rest& rest = rests_[endpoint.label];
    const auto is_resting = [&] { return from.clock().now() < rest.until; };
    if (is_resting()) return ask_endpoint(from, endpoint, rest);
    try {
      return ask_once(from, endpoint, rest, out);
    } catch (const SourceError& error) {
      if (!says_down(error.reason()) || error.reason() == Reason::auth || is_resting()) throw;
      return ask_once(from, endpoint, rest, out);
    }
  }

  HttpResponse ask_once(Sources& from, const Endpoint& endpoint, Rest& rest, Batch& out) {
    SlowRuns& slow = slow_[endpoint.label];
    try {
      HttpResponse answer = ask_endpoint(from, endpoint, rest);
      slow.remember(endpoint.objective && answer.took > *endpoint.objective);
      return answer;
    } catch (const SourceError& error) {
      out.count(kFailures, 1, endpoint.label, std::string(name_of(error.reason())));
      // An endpoint that cannot be reached is down, not slow.
      if (error.reason() == Reason::timeout) slow.remember(true);
      throw;
    }
  }

  static double rows_in(Sources& from, const Endpoint& endpoint, const HttpResponse& answer) {
    if (!answer.complete)
      throw SourceError(Reason::too_large,
                        endpoint.request.name + ": the answer is longer than max_body");
    return from.json().count(answer.body, *endpoint.count);
  }

  double slow_ratio_max_;
  double exact_up_to_;
  std::vector<Endpoint> pages_;   ///< sorted by name
  std::vector<Endpoint> counts_;  ///< those with tables; sorted by name
  std::map<std::string, SlowRuns> slow_;
  std::map<std::string, Rest> rests_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<ApiSync>(given.own);
}

void add_reads(const Configuration& given, Session& /*session*/, const Schema& schema,
               Reads& reads) {
  for (const Settings& record : given.own.records("endpoints"))
    for (const QualifiedName& table : endpoint_from(record).tables) reads.add(schema, table);
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{
    .name = "api_sync",
    .summary = "whether HTTP endpoints answer, how fast, and whether they count what is there",
    .object_noun = "endpoint",
    .report_section = "Synchronization",
    .question = Question::service,
    .lane = Lane::scan,
    .scope = Scope::database,
    .depends_on = DependsOn::tables | DependsOn::outside,
    .interval = "1m",
    .deadline = "30s",
    .metrics = kMetrics,
    .identity = kIdentity,
    .options = kApiOptions,
    .wanted = has_records<kWatched>,
    .wanted_hint = "name what must answer: [[server.collectors.api_sync.endpoints]]",
    .wanted_snippet = R"([[server.collectors.api_sync.endpoints]]
name = "orders"
url = "https://api.example/orders/count"
tables = ["public.orders"]
count = "/count"
objective = "500ms")",
    .check = [](const Configuration& given,
                Problems& problems) { check_endpoints(given.own, problems); },
    .reads = add_reads,
    .make = make};

}  // namespace pg_integrity::api_sync
