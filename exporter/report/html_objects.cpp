#include "exporter/report/html_objects.h"
#include "exporter/evidence/spoken.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "exporter/io/clock.h"
#include "exporter/report/html_escape.h"
#include "exporter/report/printable.h"
#include "exporter/report/report_history.h"

namespace pg_integrity {

namespace {

// Bounds that let the browser of a phone cope with the page. /report.json has everything.
constexpr std::size_t kMostBytes = 700'000;  // of all objects
constexpr std::size_t kMostNeedy = 500;      // objects of a state and collector
constexpr std::size_t kMostGood = 100;       // the same, of states that need nobody
constexpr std::size_t kMostTexts = 20;       // findings, lines or values of an object
constexpr std::size_t kMostCauses = 200;     // of a server

std::string object_item(const Report& report, const ReportServer& server,
                        const ReportObject& object) {
  std::string out = fmt::format(R"(<li id="{}" class="{}">{})", object.anchor,
                                name_of(object.state), state_span(object.state));
  if (object.reason)
    out += fmt::format(R"( <span class="dim">({})</span>)", name_of(*object.reason));
  out +=
      fmt::format(R"( <a href="#{}">{}</a> <span class="dim">)", object.anchor, named(object.name));
  out += object.evidence_time ? "evidence " + ago(report, *object.evidence_time)
                              : std::string("no evidence yet");
  if (object.since)
    out += fmt::format("; {} for {}", name_of(object.state), age_of(report, *object.since));
  out += "</span>" + cause_link(server, object.cause) + "\n";
  if (!object.cause) append_texts(out, object.findings, "findings", "span");
  append_texts(out, object.lines, "lines", "span");
  std::vector<std::string> values;
  for (const ReportValue& value : object.values) values.push_back(value.text);
  append_texts(out, values, "values dim", "code");
  return out + "</li>\n";
}

std::string cause_item(const Report& report, const ReportCause& cause) {
  std::string out = fmt::format(R"(<li id="{}" class="{}">{} <span class="dim">({})</span> {})",
                                cause.anchor, name_of(cause.state), state_span(cause.state),
                                name_of(cause.reason), escaped(cause_text(cause)));
  if (cause.since)
    out += fmt::format(R"( <span class="dim">for {}</span>)", age_of(report, *cause.since));
  return out + "</li>\n";
}

}  // namespace

std::string_view sign(State state) {
  constexpr std::array<std::string_view, 6> kSigns{"✓", "✗", "?", "!", "·", "–"};
  return kSigns.at(static_cast<std::size_t>(state));
}

std::string state_text(State state) {
  return fmt::format(R"(<span aria-hidden="true">{}</span> {})", sign(state), name_of(state));
}

std::string state_span(State state) {
  return fmt::format(R"(<span class="state {}">{}</span>)", name_of(state), state_text(state));
}

std::string ago(const Report& report, UnixTime when) {
  return fmt::format(R"(<time datetime="{0}" title="{0}">{1} ago</time>)", format_utc(when),
                     age_of(report, when));
}

bool needs_somebody(State state) {
  return state == State::violated || state == State::accepted;
}

void append_texts(std::string& out, const std::vector<std::string>& texts, std::string_view type,
                  std::string_view tag) {
  if (texts.empty()) return;
  out += fmt::format(R"(<ul class="{}">)", type);
  const std::size_t shown = std::min(texts.size(), kMostTexts);
  for (std::size_t i = 0; i < shown; ++i)
    out += fmt::format("<li><{0}>{1}</{0}></li>\n", tag, escaped(texts[i]));
  if (shown < texts.size())
    out += fmt::format("<li>and {} more</li>\n", grouped(texts.size() - shown));
  out += "</ul>\n";
}

namespace {

/// The runbook's name, and the command to begin with.
std::string first_step(const Report& report, const ReportWrong& wrong) {
  if (wrong.runbook.empty()) return {};
  const std::string address = runbook_address(report, wrong.runbook);
  const std::string name = escaped(wrong.runbook);
  std::string out = address.empty()
                        ? fmt::format("runbook {}", name)
                        : fmt::format(R"(<a href="{}">runbook {}</a>)", escaped(address), name);
  out = fmt::format(" <span class=\"dim\">&middot; {}</span>", out);
  if (!wrong.command.empty())
    out += fmt::format("\n<details><summary>first command</summary><pre>{}</pre></details>",
                       escaped_lines(wrong.command));
  return out;
}

/// The lines to copy, or where they stand if something before needs the same.
/// @param places the collectors by their lines. It gets this one.
std::string snippet_of(const ReportUnwatched& unwatched,
                       std::map<std::string, std::string>& places) {
  if (unwatched.snippet.empty()) return {};
  const auto [first, is_new] = places.emplace(unwatched.snippet, unwatched.collector);
  if (!is_new)
    return fmt::format(R"( <span class="dim">with the lines of <code>{}</code></span>)",
                       escaped(first->second));
  return fmt::format("\n<details><summary>configuration to copy</summary><pre>{}</pre></details>",
                     escaped_lines(unwatched.snippet));
}

}  // namespace

std::string unwatched_list(const ReportServer& server) {
  if (server.not_watched.empty()) return {};
  std::string out = "<ul class=\"hints\">\n";
  std::map<std::string, std::string> places;
  for (const ReportUnwatched& unwatched : server.not_watched) {
    out += fmt::format("<li>{} (<code>{}</code>) <span class=\"dim\">HINT: {}</span>",
                       escaped(unwatched.section), escaped(unwatched.collector),
                       escaped(unwatched.hint));
    out += snippet_of(unwatched, places);
    out += "</li>\n";
  }
  return out + "</ul>\n";
}

std::string wrong_list(const Report& report, const ReportServer& server) {
  if (server.wrong.empty()) return {};
  std::string out = "<ul class=\"wrong\">\n";
  const std::size_t shown = std::min(server.wrong.size(), kMostCauses);
  for (std::size_t i = 0; i < shown; ++i) {
    const ReportWrong& wrong = server.wrong[i];
    const std::string place =
        wrong.database.empty() ? "the whole server" : "database " + named(wrong.database);
    out += fmt::format(
        "<li class=\"violated\">{} <a href=\"#{}\">{}</a> <span class=\"dim\">{}</span>{}</li>\n",
        state_span(State::violated), wrong.anchor, escaped(wrong_text(wrong)), place,
        first_step(report, wrong));
  }
  if (shown < server.wrong.size())
    out += fmt::format(
        "<li>{} more: all of them are in <a href=\"/report.json\">/report.json</a></li>\n",
        grouped(server.wrong.size() - shown));
  return out + "</ul>\n";
}

std::string change_list(const Report& report, const ReportServer& server) {
  if (!report.history) return {};
  std::map<std::pair<std::string, std::string>, std::string> anchors;  // by database and name
  for (const ReportDatabase& database : server.databases)
    for (const ReportCollector& collector : database.collectors)
      for (const ReportObject& object : collector.objects)
        anchors.emplace(std::pair(database.name, object.name), object.anchor);
  std::string out = "<ul class=\"wrong\">\n";
  if (server.changes.empty())
    out += fmt::format("<li>{}</li>\n", no_change_text(*report.history, report.made_at));
  const std::size_t shown = std::min(server.changes.size(), kShownChanges);
  for (std::size_t i = 0; i < shown; ++i) {
    const HistoryEntry& change = server.changes[i];
    const auto anchor = anchors.find({change.database, change.subject});
    const std::string text = escaped(change_text(change));
    out += fmt::format(
        "<li class=\"{}\"><span class=\"dim\">{}</span> {} <span class=\"dim\">{}</span></li>\n",
        change.to.empty() ? "observed" : escaped(change.to), format_utc(change.time),
        anchor == anchors.end() ? text
                                : fmt::format(R"(<a href="#{}">{}</a>)", anchor->second, text),
        change.database.empty() ? "the whole server" : "database " + named(change.database));
  }
  if (shown < server.changes.size())
    out += fmt::format(
        "<li>{} more: all of them are in <a href=\"/report.json\">/report.json</a></li>\n",
        grouped(server.changes.size() - shown));
  return out + "</ul>\n";
}

std::string cause_link(const ReportServer& server, std::optional<std::size_t> cause) {
  if (!cause) return {};
  return fmt::format(R"( <a href="#{}">why</a>)", server.causes.at(*cause).anchor);
}

std::string cause_list(const Report& report, const ReportServer& server) {
  if (server.causes.empty()) return {};
  std::string out = "<ul class=\"causes objects\">\n";
  const std::size_t shown = std::min(server.causes.size(), kMostCauses);
  for (std::size_t i = 0; i < shown; ++i) out += cause_item(report, server.causes[i]);
  if (shown < server.causes.size())
    out += fmt::format(
        "<li>{} more: all of them are in "
        "<a href=\"/report.json\">/report.json</a></li>\n",
        grouped(server.causes.size() - shown));
  return out + "</ul>\n";
}

Selection::Selection(const Report& report, const std::vector<PlacedCollector>& collectors) {
  // The text about a collector itself takes about 1 kB.
  std::size_t bytes = std::min(collectors.size() * 1'000, kMostBytes / 2);
  for (const State state : worst_first())
    for (const auto& [server, collector] : collectors) {
      std::size_t left = needs_somebody(state) ? kMostNeedy : kMostGood;
      for (const ReportObject& object : collector->objects) {
        if (object.state != state) continue;
        if (left-- == 0 || bytes > kMostBytes) break;
        items_[{collector, state}].push_back(object_item(report, *server, object));
        bytes += items_[{collector, state}].back().size();
      }
    }
}

std::string Selection::list(const ReportCollector& collector, bool needy) const {
  std::string items;
  for (const State state : worst_first()) {
    const auto found = items_.find({&collector, state});
    const auto count = collector.counts.find(state);
    if (needs_somebody(state) != needy || count == collector.counts.end()) continue;
    const std::size_t shown = found == items_.end() ? 0 : found->second.size();
    for (std::size_t i = 0; i < shown; ++i) items += found->second[i];
    if (shown < count->second)
      items += fmt::format(
          "<li class=\"{}\">{} {} more: all of them are in "
          "<a href=\"/report.json\">/report.json</a></li>\n",
          name_of(state), state_span(state), grouped(count->second - shown));
  }
  return items.empty() ? items : fmt::format("<ul class=\"objects\">\n{}</ul>\n", items);
}

}  // namespace pg_integrity
