// Subscriptions whose tables are not filled yet. The first copy of a table may fail again and
// again, and then the table stays empty or half filled while the subscription looks alive.
#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "collectors/base/batch.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric.h"
#include "collectors/base/metric_info.h"
#include "collectors/base/settings.h"
#include "collectors/collector.h"
#include "collectors/ports/clock.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/read_set.h"

namespace pg_integrity::subscriptions {

namespace {

constexpr auto kMax =
    gauge("pg_integrity_subscription_filling_max_seconds",
          "Configured upper limit of subscription_filling_seconds.", "subscription");
constexpr auto kFilling = gauge(
    "pg_integrity_subscription_filling_seconds",
    "How long tables of the subscription have been waiting for the end of their first copy, as far"
    " as passes saw it; 0 if all are filled.",
    at_most(kMax).says("The subscription {subscription} has been filling tables for {value}, it may"
                       " take {limit}."),
    "subscription");
constexpr auto kUnfilled =
    gauge("pg_integrity_subscription_unfilled_tables",
          "Tables of the subscription whose first copy has not ended.", "subscription");

constexpr const MetricInfo* kMetrics[] = {&kFilling, &kMax, &kUnfilled};

constexpr std::string_view kIdentity[] = {"subscription"};

constexpr Option kOptions[] = {{.name = "max_filling",
                                .type = OptionType::duration,
                                .fallback = "24h",
                                .help = "how long the first copy of tables may take"}};

// A table is filled in the states s and r. Everybody may read all these columns.
constexpr std::string_view kSubscriptions = R"(
SELECT s.subname AS subscription, s.subenabled AS enabled,
  count(r.srrelid) FILTER (WHERE r.srsubstate NOT IN ('r', 's')) AS unfilled,
  min(format('%I.%I', n.nspname, c.relname)) FILTER (WHERE r.srsubstate NOT IN ('r', 's')) AS first
FROM pg_subscription s LEFT JOIN pg_subscription_rel r ON r.srsubid = s.oid
  LEFT JOIN pg_class c ON c.oid = r.srrelid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
GROUP BY s.subname, s.subenabled ORDER BY 1 LIMIT 1000)";

class Subscriptions final : public Collector {
 public:
  explicit Subscriptions(Seconds max_filling) : max_filling_(max_filling) {}

  void declare(Batch& /*out*/) const override {}

  Progress collect(Sources& from, Batch& out) override {
    const Rows rows = from.session().query(kSubscriptions);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Row row = rows[i];
      const std::array<std::string, 1> name{row.text("subscription")};
      if (!from.wants(name)) continue;
      const double unfilled = row.number("unfilled");
      out.set(kMax, max_filling_.count(), name);
      out.set(kUnfilled, unfilled, name);
      out.set(kFilling, unfilled > 0 ? filling_for(from, name).count() : 0, name);
      if (!row.flag("enabled")) out.evidence(kFilling, "it is disabled", name);
      if (const auto& first = row.maybe_text("first"))
        out.evidence(kFilling, *first + " is not filled", name);
    }
    return Progress::done;
  }

 private:
  /// Counts from the first pass that met an unfilled table.
  static Seconds filling_for(const Sources& from, const std::array<std::string, 1>& name) {
    const auto unfilled = from.previous(kUnfilled, name);
    const auto before = from.previous(kFilling, name);
    if (!unfilled || unfilled->value <= 0 || !before) return Seconds(0);
    return Seconds(before->value) + std::max(Seconds(0), from.clock().now() - before->observed_at);
  }

  Seconds max_filling_;
};

std::unique_ptr<Collector> make(const Configuration& given, ScanPlan& /*plan*/) {
  return std::make_unique<Subscriptions>(given.own.duration("max_filling"));
}

}  // namespace

extern const CollectorSpec kSpec;
constexpr CollectorSpec kSpec{.name = "subscriptions",
                              .summary = "tables that a subscription has not filled yet",
                              .report_section = "Replication",
                              .question = Question::service,
                              .lane = Lane::quick,
                              .scope = Scope::database,
                              .depends_on = DependsOn::statistics | DependsOn::time,
                              .interval = "1m",
                              .deadline = "10s",
                              .metrics = kMetrics,
                              .identity = kIdentity,
                              .options = kOptions,
                              .reads = no_reads,
                              .make = make};

}  // namespace pg_integrity::subscriptions
