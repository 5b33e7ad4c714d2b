#include "exporter/scheduler/step_sources.h"

#include <algorithm>

#include "collectors/base/metric_info.h"
#include "collectors/ports/session.h"
#include "collectors/postgres/schema.h"
#include "exporter/io/logging.h"

namespace pg_integrity {

namespace {

constexpr Seconds kStepShare{0.1};  ///< a step that has taken this long ends at the next object

}  // namespace

StepSources::StepSources(const StepOf& of, Pass& pass, Instant began)
    : of_(of),
      pass_(pass),
      began_(began),
      deadline_(began + of.options.deadline),
      files_(of.server.workers, deadline_),
      buckets_(of.server.buckets, of.server.workers, of.server.clock, deadline_),
      http_(of.server.workers, of.server.clock, deadline_),
      processes_(of.server.workers, deadline_) {}

Session& StepSources::session() {
  if (!lease_) {
    asked_for_session_ = true;
    lease();
    busy_before_ = lease_->session().busy();
    lease_->session().set_deadline(deadline_);
  }
  return lease_->session();
}

Session& StepSources::replica(const std::string& name) {
  auto& session = replicas_[name];
  if (session && session->lost()) {
    busy_with_replicas_ += session->busy();
    session.reset();
  }
  if (!session) session = of_.server.replicas.open(of_.database.name(), name, deadline_);
  return *session;
}

std::shared_ptr<const Schema> StepSources::schema() {
  if (!schema_) {
    schema_ = pass_.reads->schema.get(session(), of_.server.clock.now());
    pass_.oldest_input = std::min(pass_.oldest_input, schema_->loaded_at);
  }
  return schema_;
}

bool StepSources::step_is_full() const {
  return of_.server.clock.now() - began_ > kStepShare;
}

Seconds StepSources::reusable_age() const {
  return pass_.only ? Seconds(0) : of_.options.interval / 2;
}

bool StepSources::wants(std::span<const std::string> identity) const {
  return !pass_.only || pass_.only->contains(ObjectKey(identity.begin(), identity.end()));
}

void StepSources::pause(Seconds time) {
  const Instant until = of_.server.clock.now() + time;
  if (!of_.server.stopping.wait_until(of_.server.clock, std::min(until, deadline_)))
    throw SourceError(Reason::connect, "the exporter is stopping", SourceError::Scope::session);
  if (until > deadline_)
    throw SourceError(Reason::timeout, "the step's deadline has passed between two checks");
}

void StepSources::note_progress(std::size_t done, std::size_t known) {
  pass_.done = done;
  pass_.known = known;
}

std::optional<Sample> StepSources::previous(const MetricInfo& metric,
                                            std::span<const std::string> labels) const {
  return of_.server.evidence.newest(of_.id, metric, labels);
}

std::shared_ptr<const std::string> StepSources::remembered() const {
  return of_.server.evidence.remembered(of_.id);
}

std::shared_ptr<const std::string> StepSources::remembered_by(std::string_view collector) const {
  return of_.server.evidence.remembered({of_.id.server, of_.id.database, std::string(collector)});
}

std::vector<Sample> StepSources::observed(std::string_view metric) const {
  return of_.server.evidence.observed(of_.id, metric);
}

bool StepSources::is_red(const QualifiedName& table) const {
  return of_.server.evidence.is_red_table(of_.id, table);
}

std::vector<Sample> StepSources::violated(const MetricInfo& metric) const {
  return of_.server.evidence.violated(of_.id, metric);
}

Seconds StepSources::busy() const {
  return lease_ ? lease_->session().busy() - busy_before_ : Seconds(0);
}

Seconds StepSources::busy_with_replicas() const {
  Seconds busy = busy_with_replicas_;
  for (const auto& [name, session] : replicas_)
    if (session) busy += session->busy();
  return busy;
}

void StepSources::lease() {
  for (;;) {
    connect();
    const std::string& name = of_.id.server;
    const ServerInfo& info = lease_->session().server();
    const Answerer answerer = of_.server.evidence.identify(name, info);
    if (answerer == Answerer::another) {
      log(LogLevel::warning, "another cluster or timeline answers: its evidence starts anew",
          {{"server", name}, {"system_identifier", info.system_identifier}});
      if (of_.server.evidence_lost) of_.server.evidence_lost();
    }
    if (answerer != Answerer::outdated) return;
    lease_->discard();
    lease_.reset();
  }
}

/// An outage may have begun with a session that was lost. So its first refused login is told, not
/// the first moment at which the database is not up.
void StepSources::tell_out_of_reach(const SourceError& error) {
  const std::string& database = of_.database.name();
  of_.server.evidence.set_up(of_.id.server, database, false);
  if (of_.database.set_told_lost(true)) return;
  log(LogLevel::warning, "database is out of reach",
      {{"server", of_.id.server},
       {"database", database},
       {"reason", std::string(name_of(error.reason()))},
       {"error", error.what()}});
}

void StepSources::connect() {
  const std::string& database = of_.database.name();
  try {
    lease_.emplace(of_.server.pool.lease(database, deadline_));
  } catch (const SourceError& error) {
    pass_.without_session = true;
    // If we have no session left, that says nothing about the server.
    if (!of_.server.stopping.stopped() && error.reason() != Reason::limit) tell_out_of_reach(error);
    throw;
  }
  of_.database.set_told_lost(false);
  if (!of_.database.set_reached(true) && of_.server.database_back) of_.server.database_back();
  if (of_.server.evidence.set_up(of_.id.server, database, true))
    log(LogLevel::info, "database is up", {{"server", of_.id.server}, {"database", database}});
}

}  // namespace pg_integrity
