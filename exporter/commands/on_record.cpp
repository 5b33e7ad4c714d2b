#include "exporter/commands/on_record.h"
#include "exporter/commands/shown.h"

#include <fmt/format.h>

#include <utility>

#include "exporter/config/acceptances.h"
#include "exporter/evidence/acceptances_section.h"
#include "exporter/evidence/evidence_section.h"
#include "exporter/evidence/state_file.h"
#include "exporter/io/console.h"

namespace pg_integrity {

OnRecord::OnRecord(Options options, const SystemClock& clock)
    : clock_(clock), state_dir_(options.state_dir), resources_(clock) {
  const SavedState state = state_on_record(options.state_dir, clock);
  is_there_ = state.saved_at > 0;
  history_.restore(state);
  add_acceptances(acceptances_on_record(state), clock.unix_now(), options);
  runtime_ =
      std::make_unique<Runtime>(std::move(options), resources_, evidence_on_record(state, clock));
  runtime_->scheduler().prepare();
}

bool OnRecord::is_there() const {
  if (!is_there_)
    say(
        fmt::format("there is nothing on record in {}. HINT: run it beside the exporter, as its "
                    "user; the configuration names its state_dir",
                    state_dir_.empty() ? "the state_dir" : state_dir_));
  return is_there_;
}

Report OnRecord::report() const {
  const HistoryView view = history();
  return make_report(*runtime_->evidence()->snapshot(), clock_,
                     {&view, report_places(runtime_->options())});
}

}  // namespace pg_integrity
