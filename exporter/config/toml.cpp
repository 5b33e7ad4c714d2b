#include "exporter/config/toml.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sstream>

#if __has_include(<toml++/toml.hpp>)
#include <toml++/toml.hpp>
#else
#include <toml++/toml.h>
#endif

#include "collectors/base/errors.h"
#include "collectors/base/instant.h"
#include "collectors/base/metric_rules.h"
#include "collectors/base/units.h"
#include "exporter/config/spelling.h"
#include "exporter/io/clock.h"
#include "exporter/io/files.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::size_t kMaxLine = 8 << 10;

std::string_view expected(OptionType type) {
  switch (type) {
    case OptionType::flag:
      return "true or false";
    case OptionType::integer:
      return "a whole number";
    case OptionType::number:
      return "a number";
    case OptionType::duration:
      return "a duration such as \"90s\", \"15m\", \"6h\" or \"7d\"";
    case OptionType::size:
      return "a size such as \"64MiB\", or a number of bytes";
    case OptionType::date:
      return "a day such as 2026-01-31";
    case OptionType::text:
      return "text";
    case OptionType::zone:
      return "an IANA time zone such as \"UTC\" or \"Europe/Berlin\"";
    case OptionType::texts:
      return "a list of texts";
    case OptionType::record:
      return "a table";
    case OptionType::records:
      return "an array of tables";
    case OptionType::named_records:
      return "a table of tables";
  }
  return "";
}

class Reader {
 public:
  Reader(std::string file, Problems& problems) : file_(std::move(file)), problems_(problems) {}

  Settings read(const toml::table& table, std::span<const Option> options, const std::string& where,
                std::string name = {}) {
    Settings settings(place(table.source()), std::move(name));
    for (const auto& [key, node] : table) {
      const std::string_view text = key.str();
      const auto option = std::find_if(options.begin(), options.end(),
                                       [&](const Option& o) { return o.name == text; });
      if (option == options.end())
        problems_.add(place(key.source()), fmt::format("unknown key \"{}\" {}", text, where),
                      key_hint(text, options));
      else
        read_option(node, *option, settings, place(key.source()));
    }
    return settings;
  }

 private:
  [[nodiscard]] Place place(const toml::source_region& source) const {
    return {file_, source.begin.line, source.begin.column};
  }

  static std::string in_table(const Option& option) {
    return fmt::format("in \"{}\"", option.name);
  }

  void read_option(const toml::node& node, const Option& option, Settings& into,
                   const Place& key_place) {
    std::optional<Settings::Value> value;
    switch (option.type) {
      case OptionType::record:
        if (const toml::table* table = node.as_table())
          value = std::vector<Settings>{read(*table, option.members, in_table(option))};
        break;
      case OptionType::records:
        value = read_records(node, option);
        break;
      case OptionType::named_records:
        value = read_named_records(node, option);
        break;
      case OptionType::texts:
        value = read_texts(node);
        break;
      default:
        value = read_scalar(node, option);
    }
    const bool usable = value && in_range(*value, option, node);
    if (usable)
      into.put(option.name, std::move(*value), key_place);
    else
      into.refuse(option.name);
    if (!value)
      problems_.add(place(node.source()),
                    fmt::format("\"{}\" should be {}", option.name, expected(option.type)));
  }

  std::optional<Settings::Value> read_records(const toml::node& node, const Option& option) {
    const toml::array* array = node.as_array();
    if (array == nullptr) return std::nullopt;
    std::vector<Settings> records;
    for (const toml::node& element : *array) {
      const toml::table* table = element.as_table();
      if (table == nullptr) return std::nullopt;
      records.push_back(read(*table, option.members, in_table(option)));
    }
    return records;
  }

  std::optional<Settings::Value> read_named_records(const toml::node& node, const Option& option) {
    const toml::table* tables = node.as_table();
    if (tables == nullptr) return std::nullopt;
    std::vector<Settings> records;
    for (const auto& [key, element] : *tables) {
      const toml::table* table = element.as_table();
      if (table == nullptr) return std::nullopt;
      records.push_back(read(*table, option.members, in_table(option), std::string(key.str())));
    }
    return records;
  }

  static std::optional<Settings::Value> read_texts(const toml::node& node) {
    const toml::array* array = node.as_array();
    if (array == nullptr) return std::nullopt;
    std::vector<std::string> texts;
    for (const toml::node& element : *array) {
      const auto text = element.value_exact<std::string>();
      if (!text) return std::nullopt;
      texts.push_back(*text);
    }
    return texts;
  }

  static std::optional<Settings::Value> read_scalar(const toml::node& node, const Option& option) {
    const auto text = node.value_exact<std::string>();
    const auto integer = node.value_exact<std::int64_t>();
    const auto number = [](std::optional<double> found) {
      return found ? std::optional<Settings::Value>(*found) : std::nullopt;
    };
    switch (option.type) {
      case OptionType::flag:
        if (const auto flag = node.value_exact<bool>()) return *flag;
        return std::nullopt;
      case OptionType::integer:
        return integer ? number(static_cast<double>(*integer)) : std::nullopt;
      case OptionType::number:
        return integer ? number(static_cast<double>(*integer)) : number(node.value_exact<double>());
      case OptionType::duration: {
        const auto duration = text ? parse_duration(*text) : std::nullopt;
        return duration ? number(duration->count()) : std::nullopt;
      }
      case OptionType::size:
        if (integer && *integer >= 0) return number(static_cast<double>(*integer));
        return text ? number(parse_size(*text)) : std::nullopt;
      case OptionType::date:
        return read_date(node, text);
      case OptionType::zone:
        if (!text || !is_known_zone(*text)) return std::nullopt;
        return *text;
      default:
        if (!text) return std::nullopt;
        return *text;
    }
  }

  static std::optional<Settings::Value> read_date(const toml::node& node,
                                                  const std::optional<std::string>& text) {
    std::string day = text.value_or("");
    if (const auto date = node.value_exact<toml::date>()) {
      char buffer[16];
      std::snprintf(buffer, sizeof buffer, "%04d-%02d-%02d", static_cast<int>(date->year),
                    static_cast<int>(date->month), static_cast<int>(date->day));
      day = buffer;
    }
    const auto time = parse_date(day);
    if (!time) return std::nullopt;
    return *time;
  }

  bool in_range(const Settings::Value& value, const Option& option, const toml::node& node) {
    const double* number = std::get_if<double>(&value);
    if (number == nullptr || option.type == OptionType::date) return true;
    if (std::isfinite(*number) && *number >= option.min && *number <= option.max) return true;
    const auto written = [&](double bound) {
      if (option.type == OptionType::duration)
        return fmt::format("\"{}\"", format_duration(Seconds(bound)));
      std::string text = std::to_string(bound);
      text.erase(text.find_last_not_of('0') + 1);
      return text.ends_with('.') ? text.substr(0, text.size() - 1) : text;
    };
    problems_.add(place(node.source()), fmt::format("\"{}\" is out of range", option.name),
                  std::isfinite(option.max)
                      ? fmt::format("from {} to {}", written(option.min), written(option.max))
                      : fmt::format("at least {}", written(option.min)));
    return false;
  }

  std::string file_;
  Problems& problems_;
};

/// The file's text.
/// @return nothing, after a fault in `problems`, if it cannot be read.
std::optional<std::string> read_text(const std::string& path, Problems& problems) {
  try {
    return contents_of(path, kMaxBytes);
  } catch (const SourceError& error) {
    std::string said = error.what();  // it begins with the path, which is the place
    if (error.reason() == Reason::limit) said = "larger than 1 MiB";
    if (said.starts_with(path)) said.erase(0, path.size() + 2);
    std::string hint;
    if (said.starts_with("No such file")) hint = "name an existing file with --config";
    if (error.reason() == Reason::permission) hint = "check who may read it";
    problems.add(Place{path}, said, hint);
    return std::nullopt;
  }
}

/// Reports what the parser must not see.
bool is_parsable(const std::string& text, const std::string& name, Problems& problems) {
  std::uint32_t line = 1;
  std::size_t length = 0;
  for (const char c : text) {
    length = c == '\n' ? 0 : length + 1;
    if (c == '\0' || length > kMaxLine) {
      problems.add({name, line, static_cast<std::uint32_t>(length)},
                   c == '\0' ? "holds a NUL byte" : "the line is longer than 8 KiB",
                   c == '\0' ? "save it as UTF-8" : "");
      return false;
    }
    if (c == '\n') ++line;
  }
  return true;
}

}  // namespace

Settings read_toml(const std::string& path, std::span<const Option> options, Problems& problems) {
  const auto text = read_text(path, problems);
  return text ? parse_toml(*text, path, options, problems) : Settings();
}

Settings parse_toml(const std::string& text, const std::string& name,
                    std::span<const Option> options, Problems& problems) {
  if (!is_parsable(text, name, problems)) return {};
  try {
    const toml::table table = toml::parse(text, name);
    return Reader(name, problems).read(table, options, "at the top of the file");
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    problems.add({name, begin.line, begin.column}, std::string(error.description()));
    return {};
  }
}

std::vector<std::string> toml_files(const std::string& directory) {
  return files_ending(directory, {".toml"});
}

std::vector<std::string> files_ending(const std::string& directory,
                                      std::initializer_list<std::string_view> endings) {
  std::vector<std::string> files;
  std::error_code missing;
  if (directory.empty() || (!std::filesystem::exists(directory, missing) && !missing)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    const auto fits = [&](std::string_view ending) { return name.ends_with(ending); };
    if (!name.starts_with('.') && std::any_of(endings.begin(), endings.end(), fits))
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string toml_string(std::string_view text) {
  std::ostringstream written;
  written << toml::value<std::string>(std::string(text));
  return written.str();
}

}  // namespace pg_integrity
