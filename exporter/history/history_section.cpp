#include "exporter/history/history_section.h"

#include <utility>

#include "collectors/base/json_value.h"
#include "exporter/io/json_reader.h"
#include "exporter/io/json_writer.h"

namespace pg_integrity {

namespace {

constexpr const KnownSection& kHistory = kStateSections[3];
static_assert(kHistory.name == "history");

}  // namespace

StateSection section_of(const Chain& chain, const WatchedStates& states) {
  JsonValue::Elements lines;
  for (const KeptLine& line : chain.lines()) lines.push_back({line->text});
  StateSection section{std::string(kHistory.name), kHistory.version, {}};
  append_json({JsonValue::Members{{"lines", {std::move(lines)}}, {"states", states.saved()}}},
              section.content);
  return section;
}

RecordedHistory history_on_record(const SavedState& state) {
  RecordedHistory recorded;
  read_section(state, kHistory.name, [&](const StateSection& section) {
    const JsonValue content = SaxJson().read(section.content);
    RecordedHistory read;
    for (const JsonValue& line : content.at("lines").elements()) read.lines.push_back(line.text());
    read.states.restore(content.at("states"));
    recorded = std::move(read);
  });
  return recorded;
}

}  // namespace pg_integrity
