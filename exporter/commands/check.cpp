#include "exporter/commands/check.h"

#include <cstdio>
#include <optional>

#include "exporter/commands/sampling.h"
#include "exporter/commands/shown.h"
#include "exporter/config/acceptances.h"
#include "exporter/evidence/acceptances_section.h"
#include "exporter/evidence/evidence_section.h"
#include "exporter/evidence/state_file.h"
#include "exporter/evidence/verdict.h"
#include "exporter/history/history.h"
#include "exporter/io/clock.h"
#include "exporter/io/console.h"
#include "exporter/io/signals.h"
#include "exporter/report/next_step.h"
#include "exporter/report/report.h"
#include "exporter/scheduler/runtime.h"
#include "exporter/scheduler/scheduler.h"

namespace pg_integrity {

namespace {

ExitCode exit_code(const Report& report, ReportFormat format) {
  if (format == ReportFormat::nagios) return static_cast<ExitCode>(nagios_status(report));
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
    case ReportFormat::nagios:
      return report_as_nagios(report);
  }
  return {};
}

void print_to_output(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

/// As options_or_complain(). Nagios reads standard output only, so it gets a line there.
std::optional<Options> options_for(const CheckCommand& command) {
  if (command.format != ReportFormat::nagios) return options_or_complain(command.config_path);
  ReadOptions read = read_options_with_acceptances(command.config_path);
  if (auto* options = std::get_if<Options>(&read)) return std::move(*options);
  const auto& problems = std::get<std::vector<std::string>>(read);
  print_to_output(nagios_line(NagiosStatus::unknown, problems.empty()
                                                         ? "the configuration cannot be used"
                                                         : problems.front()) +
                  "\n");
  return std::nullopt;
}

}  // namespace

ExitCode check(const CheckCommand& command) {
  auto options = options_for(command);
  if (!options) return ExitCode::usage;
  take_signals();
  const SystemClock clock;
  auto resources = std::make_unique<ProcessResources>(clock);
  const SavedState state = state_on_record(options->state_dir, clock);
  add_acceptances(acceptances_on_record(state), clock.unix_now(), *options);
  const auto saved = evidence_on_record(state, clock);
  Runtime runtime(std::move(*options), *resources, saved);
  if (command.recorded.value_or(command.format == ReportFormat::nagios)) {
    runtime.scheduler().prepare();
  } else if (const int signal = sample_once(runtime, clock, true)) {
    say("interrupted; not everything was checked");
    leave(interrupted_by(signal));
  }
  History history(true);
  history.restore(state);
  const HistoryView view = history.view();
  Report report =
      make_report(*runtime.evidence()->snapshot(), clock,
                  {state.saved_at > 0 ? &view : nullptr, report_places(runtime.options())});
  if (command.only_bad) report = only_bad(std::move(report));
  print_to_output(rendered(report, command.format));
  if (command.format == ReportFormat::text) print_to_output(last_words(report));
  const ExitCode code = exit_code(report, command.format);
  if (resources->workers.given_up() > 0) leave(code);
  return code;
}

}  // namespace pg_integrity
