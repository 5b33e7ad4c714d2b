#include "exporter/evidence/state_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "collectors/base/errors.h"
#include "collectors/base/json_value.h"
#include "exporter/evidence/recorded_times.h"
#include "exporter/io/atomic_file.h"
#include "exporter/io/files.h"
#include "exporter/io/json_writer.h"
#include "exporter/io/logging.h"

namespace pg_integrity {

namespace {

using nlohmann::json;

constexpr std::size_t kLargestStateFile = std::size_t{1} << 30;  // bytes
constexpr int kFormat = 2;
constexpr int kOneSection = 1;  ///< the format of 0.1.0, with evidence only
constexpr const char* kFileName = "/evidence.json";

void leave_out(std::string_view name, const std::string& why) {
  log(LogLevel::warning, "a section of the state file is not used",
      {{"section", std::string(name)}, {"error", why}});
}

std::string text_of(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Converts the content of a file of 0.1.0 to the section of today. Its fingerprints were numbers
/// that a double cannot hold.
StateSection only_section(json& state) {
  for (json& collector : state.at("collectors"))
    collector.at("fingerprint") = std::to_string(collector.at("fingerprint").get<std::uint64_t>());
  return {"evidence", 1,
          text_of({{"servers", std::move(state.at("servers"))},
                   {"collectors", std::move(state.at("collectors"))}})};
}

void take_section(const std::string& name, const json& section, std::span<const KnownSection> known,
                  SavedState& state) {
  const auto ours = std::find_if(known.begin(), known.end(),
                                 [&](const KnownSection& one) { return one.name == name; });
  if (ours == known.end()) {
    state.of_others.emplace(name, text_of(section));
    return;
  }
  try {
    const int version = section.at("version").get<int>();
    if (version <= ours->version)
      state.sections.push_back({name, version, text_of(section.at("content"))});
    else
      leave_out(name, "it was written by a newer program");
  } catch (const json::exception&) {
    leave_out(name, "it is damaged");
  }
}

/// @return nothing if there is no such file.
std::string content_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0 && errno == ENOENT) return {};
  std::string text = contents_of(path, kLargestStateFile);
  if (text.empty()) throw SourceError(Reason::decode, path + ": damaged");
  return text;
}

/// Appends "name": content as a further member.
void append_member(const std::string& name, const std::string& content, std::string& text) {
  if (text.back() != '{') text += ',';
  append_json({name}, text);
  text.append(":").append(content);
}

}  // namespace

void save_state(const std::string& directory, const SavedState& state) {
  std::string text = R"({"format":)" + std::to_string(kFormat) + R"(,"saved_at":)";
  append_json({state.saved_at}, text);
  text += R"(,"sections":{)";
  for (const StateSection& section : state.sections)
    append_member(section.name,
                  R"({"version":)" + std::to_string(section.version) + R"(,"content":)" +
                      section.content + "}",
                  text);
  for (const auto& [name, section] : state.of_others) append_member(name, section, text);
  text += "}}\n";
  replace_file(directory + kFileName, text);
}

SavedState load_state(const std::string& directory, std::span<const KnownSection> known) {
  const std::string path = directory + kFileName;
  const std::string text = content_of(path);
  SavedState state;
  if (text.empty()) return state;
  try {
    json file = json::parse(text);
    const int format = file.at("format").get<int>();
    if (format != kFormat && format != kOneSection)
      throw SourceError(Reason::decode, path + ": written by another version");
    state.saved_at = file.at("saved_at").get<double>();
    if (format == kOneSection)
      state.sections.push_back(only_section(file));
    else
      for (const auto& [name, section] : file.at("sections").items())
        take_section(name, section, known, state);
  } catch (const json::exception&) {
    throw SourceError(Reason::decode, path + ": damaged");
  }
  return state;
}

SavedState state_on_record(const std::string& directory, const Clock& clock) {
  try {
    SavedState state = load_state(directory);
    if (RecordedTimes(state.saved_at, clock).clock_was_set_back())
      log(LogLevel::warning,
          "the clock was set back: recorded evidence is of unknown age, thus old");
    return state;
  } catch (const SourceError& error) {
    log(LogLevel::warning, "recorded evidence is not used", {{"error", error.what()}});
    return {};
  }
}

void read_section(const SavedState& state, std::string_view name,
                  const std::function<void(const StateSection& section)>& read) {
  for (const StateSection& section : state.sections) {
    if (section.name != name) continue;
    try {
      read(section);
    } catch (const SourceError& error) {
      leave_out(name, error.what());
    }
  }
}

}  // namespace pg_integrity
