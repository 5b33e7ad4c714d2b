#include "exporter/commands/check.h"

#include <atomic>
#include <cstdio>

#include "exporter/evidence/evidence_section.h"
#include "exporter/evidence/state_file.h"
#include "exporter/evidence/verdict.h"
#include "exporter/io/clock.h"
#include "exporter/io/signals.h"
#include "exporter/report/report.h"
#include "exporter/scheduler/runtime.h"
#include "exporter/scheduler/scheduler.h"

namespace pg_integrity {

namespace {

ExitCode exit_code(const Report& report) {
  switch (report.overall) {
    case State::violated:
      return ExitCode::violated;
    case State::proven:
      return ExitCode::proven;
    default:
      return ExitCode::unproven;
  }
}

std::string rendered(const Report& report, ReportFormat format) {
  switch (format) {
    case ReportFormat::text:
      return report_as_text(report);
    case ReportFormat::markdown:
      return report_as_markdown(report);
    case ReportFormat::json:
      return report_as_json(report);
  }
  return {};
}

/// Samples once. SIGINT or SIGTERM cancels its queries and ends it early.
/// @return false if it was interrupted.
bool sample_once(Scheduler& scheduler) {
  std::atomic<bool> interrupted = false;
  const SignalThread signals([&] {
    if (!interrupted.exchange(true)) scheduler.cancel();
  });
  scheduler.run_once();
  return !interrupted;
}

}  // namespace

ExitCode check(const CheckCommand& command) {
  auto options = options_or_complain(command.config_path);
  if (!options) return ExitCode::usage;
  take_signals();
  const SystemClock clock;
  auto resources = std::make_unique<ProcessResources>(clock);
  const auto saved = evidence_on_record(state_on_record(options->state_dir, clock), clock);
  Runtime runtime(std::move(*options), *resources, saved);
  if (command.recorded)
    runtime.scheduler().prepare();
  else if (!sample_once(runtime.scheduler()))
    leave(ExitCode::unproven);
  const Report report = make_report(*runtime.evidence()->snapshot(), clock);
  const std::string text = rendered(report, command.format);
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (resources->workers.given_up() > 0) leave(exit_code(report));
  return exit_code(report);
}

}  // namespace pg_integrity
