// A small collector for tests of evidence. It has two judged metrics, an age, a past event and an
// objective. The label `thing` identifies its objects.
#pragma once

#include "collectors/base/batch.h"
#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_info.h"
#include "collectors/collector.h"
#include "collectors/ports/session.h"
#include "collectors/recovery/backup_metrics.h"
#include "exporter/config/options.h"
#include "exporter/evidence/evidence.h"
#include "exporter/evidence/news.h"
#include "exporter/evidence/snapshot.h"
#include "tests/support/clock.h"

namespace pg_integrity::test {

constexpr auto kBad = gauge("pg_integrity_sample_bad", "Bad things.",
                            must_be(0).says("{thing} has {value} bad things."), "thing");
constexpr auto kLevelMax = gauge("pg_integrity_sample_level_max", "Most.", "thing");
constexpr auto kLevelMin = gauge("pg_integrity_sample_level_min", "Least.", "thing");
constexpr auto kLevel = gauge(
    "pg_integrity_sample_level", "Level.",
    within(kLevelMin, kLevelMax).says("{thing} is at level {value}, it must be {limit}."), "thing");
constexpr auto kMaxAge = gauge("pg_integrity_sample_max_age_seconds", "Oldest.", "thing");
constexpr auto kAge =
    age("pg_integrity_sample_age_seconds", "Age.",
        at_most(kMaxAge).says("{thing} is {value} old, it may be {limit} old."), "thing");
constexpr auto kPast =
    past_event(gauge("pg_integrity_sample_last_timestamp_seconds", "When.", "thing"));
constexpr auto kSum =
    cumulative(gauge("pg_integrity_sample_sum", "Bad things so far.",
                     must_be(0).says("{thing} had {value} bad things."), "thing"));
constexpr auto kMost = learned(gauge("pg_integrity_sample_most", "Most ever seen.", "thing"));
constexpr auto kSize = gauge("pg_integrity_sample_size", "Size, not judged.", "thing");
constexpr auto kCount = counter("pg_integrity_sample_events_total", "Events.", "thing");
constexpr auto kTime = histogram("pg_integrity_sample_time_seconds", "Times.", "thing");

constexpr const MetricInfo* kSampleMetrics[] = {&kBad,    &kLevel, &kLevelMin, &kLevelMax,
                                                &kMaxAge, &kAge,   &kPast,     &kSum,
                                                &kMost,   &kSize,  &kCount,    &kTime};
constexpr std::string_view kSampleIdentity[] = {"thing"};
constexpr CollectorSpec kSampleSpec{.name = "sample",
                                    .summary = "made for tests",
                                    .report_section = "Samples",
                                    .question = Question::intact,
                                    .lane = Lane::scan,
                                    .scope = Scope::database,
                                    .interval = "1m",
                                    .deadline = "10s",
                                    .metrics = kSampleMetrics,
                                    .identity = kSampleIdentity,
                                    .reads = no_reads};

constexpr CollectorSpec remembering(CollectorSpec spec) {
  spec.remembers_red = true;
  return spec;
}
/// The same collector, with a memory for violated objects that vanish.
constexpr CollectorSpec kRememberingSpec = remembering(kSampleSpec);

/// Evidence of that one collector on server "s", database "d". Its interval is ten minutes.
struct SampleEvidence {
  explicit SampleEvidence(ServerOptions options = {}) {
    options.name = "s";
    server = std::make_shared<const ServerOptions>(std::move(options));
    evidence = std::make_unique<Evidence>(clock, std::vector{server}, &news);
  }

  void add(
      const std::function<void(Batch&)>& declare = [](Batch&) {},
      const CollectorSpec& spec = kSampleSpec) {
    Batch declared(clock.now());
    declare(declared);
    evidence->add_database("s", "d");
    evidence->add(id, spec, server, Seconds(600), 1, declared);
  }

  /// Makes one pass with a single step.
  std::vector<StateChange> pass(const std::function<void(Batch&)>& look) {
    evidence->pass_began(id);
    clock.advance(Seconds(0.001));
    Batch batch(clock.now());
    look(batch);
    auto changes = evidence->accept(id, batch, false, evidence->era("s"));
    evidence->pass_complete(id, evidence->era("s"));
    return changes.value();
  }

  /// Tells the evidence that a session reached that cluster. The session was opened at `opened`, by
  /// default now.
  Answerer answers(const std::string& system_identifier, std::uint32_t timeline,
                   std::optional<Instant> opened = {}) {
    ServerInfo found;
    found.system_identifier = system_identifier;
    found.timeline = timeline;
    found.read_at = opened.value_or(clock.now());
    return evidence->identify("s", found);
  }

  void fail(Reason reason) { evidence->failed(id, SourceError(reason, "it failed")); }

  SteppedClock clock;
  News news;
  CollectorId id{"s", "d", "sample"};
  std::shared_ptr<const ServerOptions> server;
  std::unique_ptr<Evidence> evidence;
};

}  // namespace pg_integrity::test
