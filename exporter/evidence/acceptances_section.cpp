#include "exporter/evidence/acceptances_section.h"

#include <string>
#include <utility>

#include "collectors/base/json_value.h"
#include "exporter/io/json_reader.h"
#include "exporter/io/json_writer.h"

namespace pg_integrity {

namespace {

constexpr const KnownSection& kAcceptances = kStateSections[2];
static_assert(kAcceptances.name == "acceptances");

}  // namespace

StateSection section_of(const std::vector<ServerAcceptance>& acceptances) {
  JsonValue::Elements elements;
  for (const auto& [server, damage] : acceptances)
    elements.push_back({JsonValue::Members{{"server", {server}},
                                           {"database", {damage.database}},
                                           {"object", {damage.object}},
                                           {"at_most", {damage.at_most}},
                                           {"until", {damage.until}},
                                           {"reason", {damage.reason}},
                                           {"by", {damage.by}}}});
  StateSection section{std::string(kAcceptances.name), kAcceptances.version, {}};
  append_json({std::move(elements)}, section.content);
  return section;
}

std::vector<ServerAcceptance> acceptances_on_record(const SavedState& state) {
  std::vector<ServerAcceptance> acceptances;
  read_section(state, kAcceptances.name, [&](const StateSection& section) {
    const JsonValue content = SaxJson().read(section.content);
    std::vector<ServerAcceptance> read;
    for (const JsonValue& element : content.elements())
      read.push_back({element.at("server").text(),
                      {element.at("object").text(), element.at("database").text(),
                       element.at("at_most").number(), element.at("until").number(),
                       element.at("reason").text(), element.at("by").text()}});
    acceptances = std::move(read);
  });
  return acceptances;
}

}  // namespace pg_integrity
