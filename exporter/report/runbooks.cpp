#include "exporter/report/runbooks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace pg_integrity {

namespace {

constexpr std::string_view kOfCustomQueries = "pg_integrity_custom_";

bool is_about_side(const Runbook& runbook, std::string_view relation) {
  if (runbook.side.empty()) return true;
  return runbook.side == "above" ? relation == "<=" : relation == ">=";
}

/// The variable of a label, as alerts/pg_integrity.tmpl and the runbooks have it.
std::string variable_of(const std::string& label) {
  if (label == "path") return "DIRECTORY";
  std::string upper;
  for (const char c : label)
    upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

std::string in_single_quotes(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// A name with a double quote or a dollar sign would leave its place in the command.
bool can_be_filled_in(const std::string& text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return c == '"' || c == '$' || c == '`' || c == '\\' || static_cast<unsigned char>(c) < ' ';
  });
}

}  // namespace

const Runbook* runbook_for(std::string_view metric, std::string_view relation) {
  const auto all = all_runbooks();
  const auto exact = std::find_if(all.begin(), all.end(), [&](const Runbook& one) {
    return one.metric == metric && is_about_side(one, relation);
  });
  if (exact != all.end()) return &*exact;
  if (!metric.starts_with(kOfCustomQueries)) return nullptr;
  const auto custom = std::find_if(
      all.begin(), all.end(), [](const Runbook& one) { return one.metric == kOfCustomQueries; });
  return custom == all.end() ? nullptr : &*custom;
}

std::string command_of(const Runbook& runbook, const std::map<std::string, std::string>& labels) {
  std::string variables;
  for (const auto& [label, value] : labels) {
    const std::string variable = variable_of(label);
    if (runbook.first_command.find("$" + variable) == std::string_view::npos) continue;
    if (!can_be_filled_in(value)) return std::string(runbook.first_command);
    variables += fmt::format(" {}={}", variable, in_single_quotes(value));
  }
  if (variables.empty()) return std::string(runbook.first_command);
  return fmt::format("export{}\n{}", variables, runbook.first_command);
}

}  // namespace pg_integrity
