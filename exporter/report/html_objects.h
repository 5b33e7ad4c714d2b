// Objects on the HTML page. Pure functions. Safe on any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collectors/base/instant.h"
#include "exporter/evidence/verdict.h"
#include "exporter/report/report.h"

namespace pg_integrity {

std::string_view sign(State state);
/// The state as a sign and a word. The colour comes from the class around it.
std::string state_text(State state);
std::string state_span(State state);
std::string ago(const Report& report, UnixTime when);

/// Whether the object is unfolded. Unproven objects are told by their cause.
bool needs_somebody(State state);

/// Adds texts as a list, or nothing if there are none.
/// @param type the class of the list.
/// @param tag the element of each text.
void append_texts(std::string& out, const std::vector<std::string>& texts, std::string_view type,
                  std::string_view tag);

/// What is wrong with a server as a list, with runbooks and first commands; empty if nothing is.
std::string wrong_list(const Report& report, const ReportServer& server);

/// What is not watched as a list, with lines of configuration to copy.
std::string unwatched_list(const ReportServer& server);

/// What changed since yesterday as a list; empty if no history is kept.
std::string change_list(const Report& report, const ReportServer& server);

/// A link from what a cause stops to the cause; empty if there is none.
std::string cause_link(const ReportServer& server, std::optional<std::size_t> cause);

/// The causes of a server as a list; empty if there are none.
std::string cause_list(const Report& report, const ReportServer& server);

/// A collector on the page, and its server.
struct PlacedCollector {
  const ReportServer* server = nullptr;
  const ReportCollector* collector = nullptr;
};

/// The objects that the page has room for, the worst of the whole report first.
class Selection {
 public:
  Selection(const Report& report, const std::vector<PlacedCollector>& collectors);

  /// The chosen objects of a collector as a list. Empty if there are none.
  [[nodiscard]] std::string list(const ReportCollector& collector, bool needy) const;

 private:
  std::map<std::pair<const ReportCollector*, State>, std::vector<std::string>> items_;
};

}  // namespace pg_integrity
