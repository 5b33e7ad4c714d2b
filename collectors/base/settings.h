// A collector's options as data, and the values that the user gave them. The Option tables drive
// three things: the reader of the configuration, its error messages (unknown key, nearest valid
// one), and its reference. Plain values; safe on any thread once built.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "collectors/base/instant.h"
#include "collectors/base/metric_rules.h"

namespace pg_integrity {

enum class OptionType : std::uint8_t {
  flag,           ///< true or false
  integer,        ///< a whole number
  number,         ///< a number, may be fractional
  duration,       ///< text such as "90s", "15m", "6h", "7d", "1h30m"
  size,           ///< bytes, or text such as "64MiB", "10GB"
  date,           ///< a day such as 2026-01-31, midnight UTC
  text,           ///< text
  zone,           ///< an IANA time zone such as "Europe/Berlin"
  texts,          ///< a list of texts
  record,         ///< one table of members
  records,        ///< an array of tables
  named_records,  ///< a table of tables, each under a name of the user's choice
};

/// One option, as data. `members` applies to record, records and named_records only.
struct Option {
  std::string_view name;
  OptionType type = OptionType::text;
  std::string_view fallback = {};  ///< the default, as a user would write it; empty: none
  std::string_view help = {};      ///< effect, in one sentence
  bool required = false;
  double min = 0;  ///< smallest value of integer, number, duration (seconds), size (bytes)
  double max = std::numeric_limits<double>::infinity();
  std::span<const Option> members = {};
};

/// The position of a value in a file. Line and column count from 1; 0 means that it comes from no
/// file.
struct Place {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// The configuration cannot be used. what() is one line.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Collects every fault of a configuration, so that the user sees all of them at once.
class Problems {
 public:
  /// @param message what is wrong, in lower case.
  /// @param hint what the user can do next, without "HINT:". May be empty.
  void add(const Place& place, const std::string& message, const std::string& hint = {});
  [[nodiscard]] bool empty() const noexcept { return lines_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return lines_.size(); }
  /// One line per problem, in the order of the file.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  struct Line {
    Place place;
    std::string text;
  };
  std::vector<Line> lines_;
};

/// Values by option name, each of the type that its option has.
/// @throws std::logic_error from every accessor, for a name or a type that the option table does
/// not have. This is a fault of the program, not of its user.
class Settings {
 public:
  using Value =
      std::variant<bool, double, std::string, std::vector<std::string>, std::vector<Settings>>;

  Settings() = default;
  explicit Settings(Place place, std::string name = {})
      : place_(std::move(place)), name_(std::move(name)) {}

  void put(std::string_view option, Value value, Place place);
  /// Removes an option, as if the user had not given it and it had no default.
  void drop(std::string_view option);
  /// Marks an option that the user gave with an invalid value. It counts neither as given nor as
  /// missing.
  void refuse(std::string_view option) { refused_.insert(std::string(option)); }
  [[nodiscard]] bool refused(std::string_view option) const {
    return refused_.find(option) != refused_.end();
  }

  /// Whether the option was given or has a default.
  [[nodiscard]] bool has(std::string_view option) const;
  [[nodiscard]] bool flag(std::string_view option) const;
  [[nodiscard]] double number(std::string_view option) const;  ///< integer, number, size, date
  [[nodiscard]] Seconds duration(std::string_view option) const;
  [[nodiscard]] const std::string& text(std::string_view option) const;
  [[nodiscard]] std::optional<double> maybe_number(std::string_view option) const;
  [[nodiscard]] std::optional<Seconds> maybe_duration(std::string_view option) const;
  /// Empty if the option was not given.
  [[nodiscard]] std::string text_or_empty(std::string_view option) const;
  /// Empty where the option was not given.
  [[nodiscard]] const std::vector<std::string>& texts(std::string_view option) const;
  [[nodiscard]] const std::vector<Settings>& records(std::string_view option) const;
  /// The value of an option of type record; nullptr if it was not given.
  [[nodiscard]] const Settings* record(std::string_view option) const;

  /// The place of the option; if it was not given, the place where this record begins.
  [[nodiscard]] const Place& place(std::string_view option) const;
  [[nodiscard]] const Place& place() const noexcept { return place_; }
  /// The name of a record among named_records; empty for others.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// Replaces each option that `over` also has by the one in `over`. A single record is merged
  /// member by member.
  void overlay(const Settings& over, std::span<const Option> options);
  /// Calls `visit` for each record of an option of a record type. Does nothing for other options.
  void for_each_record(std::string_view option, const std::function<void(Settings&)>& visit);
  void for_each_record(std::string_view option,
                       const std::function<void(const Settings&)>& visit) const;
  [[nodiscard]] const Value& value(std::string_view option) const;
  /// Keeps the records of an option that `keep` accepts, and removes the others.
  void keep_records(std::string_view option, const std::function<bool(const Settings&)>& keep);
  /// All values in one canonical text. Equal texts mean equal settings.
  [[nodiscard]] std::string canonical() const;

 private:
  struct Entry {
    Value value;
    Place place;
  };
  template <typename T>
  const T& get(std::string_view option) const;

  std::map<std::string, Entry, std::less<>> entries_;
  std::set<std::string, std::less<>> refused_;
  Place place_;
  std::string name_;
};

}  // namespace pg_integrity
