#include "exporter/clock.h"
#include "exporter/report.h"

namespace pg_integrity {

namespace {

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="60">
<title>pg_integrity_exporter</title>
<style>
:root { color-scheme: light dark; --bad: #b3261e; --unsure: #8a5a00; --good: #1b6e3c; --dim: #666; --line: #8884; }
@media (prefers-color-scheme: dark) { :root { --bad: #ff8a80; --unsure: #ffc46b; --good: #7bd88f; --dim: #aaa; } }
body { font: 16px/1.45 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.15rem; border-bottom: 1px solid var(--line); } h3 { font-size: 1rem; margin-bottom: .2rem; }
.violated { color: var(--bad); } .unproven, .accepted { color: var(--unsure); } .proven { color: var(--good); }
.state { font-weight: 600; } .dim { color: var(--dim); } .dim, li, td { overflow-wrap: anywhere; }
.questions { display: flex; flex-wrap: wrap; gap: .5rem; padding: 0; list-style: none; }
.questions li { border: 1px solid var(--line); border-left: .4rem solid currentColor; border-radius: .3rem; padding: .4rem .8rem; }
ul.objects { padding-left: 1.2rem; } ul.objects > li { margin: .3rem 0; } ul.objects > li:target { outline: 2px solid currentColor; }
.text { color: CanvasText; } details > ul { margin: .2rem 0; } code { font-size: .9em; } summary { cursor: pointer; }
</style>
</head>
<body>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string state_span(State state) {
  const std::string name(name_of(state));
  return "<span class=\"state " + name + "\">" + name + "</span>";
}

void append_list(std::string& out, const std::vector<std::string>& texts, std::string_view tag) {
  for (const std::string& text : texts)
    out +=
        "<div><" + std::string(tag) + ">" + escaped(text) + "</" + std::string(tag) + "></div>\n";
}

void append_object(std::string& out, const Report& report, const ReportObject& object) {
  out += "<li id=\"" + escaped(object.anchor) + "\">" + state_span(object.state);
  if (object.reason)
    out += " <span class=\"dim\">(" + std::string(name_of(*object.reason)) + ")</span>";
  out += " <a class=\"text\" href=\"#" + escaped(object.anchor) + "\">" + escaped(object.name) +
         "</a>";
  out += " <span class=\"dim\">" +
         (object.evidence_time ? "evidence " + how_long_ago(report, *object.evidence_time)
                               : std::string("no evidence yet")) +
         "</span>\n";
  append_list(out, object.findings, "span");
  if (!object.lines.empty() || !object.values.empty()) {
    out += "<details><summary class=\"dim\">evidence</summary>\n";
    append_list(out, object.lines, "span");
    append_list(out, object.values, "code");
    out += "</details>\n";
  }
  out += "</li>\n";
}

void append_collector(std::string& out, const Report& report, const ReportCollector& collector) {
  out += "<section>\n<h3>" + state_span(collector.state) + " " + escaped(collector.section) +
         " <span class=\"dim\">(" + escaped(collector.name) + ")</span></h3>\n<div class=\"dim\">" +
         escaped(collector.summary) + ": " + escaped(object_counts(collector)) + "; ";
  out += collector.last_success
             ? "last complete pass " + how_long_ago(report, *collector.last_success) + ", every " +
                   format_duration(collector.interval)
             : std::string("first pass under way");
  out += "</div>\n";
  if (collector.failure)
    out += "<div class=\"unproven\">newest attempt failed: " + escaped(*collector.failure) +
           "</div>\n";
  if (!collector.objects.empty()) {
    const State worst = collector.objects.front().state;
    const bool open = worst == State::violated || worst == State::unproven;
    out += std::string("<details") + (open ? " open" : "") + "><summary>" +
           std::to_string(collector.objects.size()) +
           " objects</summary>\n<ul class=\"objects\">\n";
    for (const ReportObject& object : collector.objects) append_object(out, report, object);
    out += "</ul>\n</details>\n";
  }
  out += "</section>\n";
}

void append_database(std::string& out, const Report& report, const ReportServer& server,
                     const ReportDatabase& database) {
  out += "<h2>" + escaped(server.name);
  if (!database.name.empty()) out += " / " + escaped(database.name);
  out += database.out_of_reach ? " <span class=\"violated\">out of reach</span></h2>\n" : "</h2>\n";
  if (!database.questions.empty()) out += "<ul class=\"questions\">\n";
  for (const ReportQuestion& question : database.questions)
    out += "<li class=\"" + std::string(name_of(question.state)) + "\"><span class=\"text\">" +
           escaped(question_text(question.question)) + "</span> " + state_span(question.state) +
           (question.configured
                ? ""
                : " <span class=\"dim\">nothing is configured that could prove it</span>") +
           "</li>\n";
  if (!database.questions.empty()) out += "</ul>\n";
  for (const ReportCollector& collector : database.collectors)
    append_collector(out, report, collector);
}

}  // namespace

std::string report_as_html(const Report& report) {
  std::string out(kHead);
  out += "<h1>pg_integrity_exporter: " + state_span(report.overall) +
         "</h1>\n<p class=\"dim\">as of " + format_utc(report.made_at) +
         " &middot; <a href=\"/metrics\">metrics</a> &middot; <a href=\"/report.md\">Markdown</a>"
         " &middot; <a href=\"/report.json\">JSON</a></p>\n";
  for (const ReportServer& server : report.servers) {
    for (auto database = server.databases.rbegin(); database != server.databases.rend(); ++database)
      if (!database->collectors.empty() || !database->questions.empty())
        append_database(out, report, server, *database);
    if (server.not_watched.empty()) continue;
    out += "<h2>" + escaped(server.name) + ": not watched</h2>\n<ul>\n";
    for (const auto& unwatched : server.not_watched)
      out += "<li>" + escaped(unwatched.collector) +
             " <span class=\"dim\">HINT: " + escaped(unwatched.hint) + "</span></li>\n";
    out += "</ul>\n";
  }
  return out + "</body>\n</html>\n";
}

}  // namespace pg_integrity
