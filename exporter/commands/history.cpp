#include "exporter/commands/history.h"

#include <fmt/format.h>

#include <cstdio>
#include <iterator>

#include "collectors/base/errors.h"
#include "collectors/base/units.h"
#include "exporter/commands/on_record.h"
#include "exporter/history/verification.h"
#include "exporter/io/atomic_file.h"
#include "exporter/io/clock.h"
#include "exporter/io/console.h"
#include "exporter/io/files.h"
#include "exporter/report/period.h"
#include "exporter/report/printable.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kLargestExport = std::size_t{1} << 30;  // bytes
constexpr std::size_t kHexDigits = 64;

std::string exported(const HistoryView& view) {
  std::string text;
  for (const KeptLine& line : view.lines) text.append(line->text).append("\n");
  return text;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

/// @return nothing after printing on standard error what is wrong.
std::optional<UnixTime> beginning_of(const std::string& since, UnixTime now) {
  if (const auto day = parse_date(since); day && *day < now) return day;
  if (const auto span = parse_duration(since)) return now - span->count();
  say(
      fmt::format("--since: \"{}\" is neither a span of time nor a day that has begun. HINT: write "
                  "it as 7d or as 2026-11-22",
                  since));
  return std::nullopt;
}

std::string input_text(const std::string& path) {
  if (path != "-") return contents_of(path, kLargestExport);
  std::string text;
  for (int c = std::getchar(); c != EOF && text.size() < kLargestExport; c = std::getchar())
    text += static_cast<char>(c);
  return text;
}

}  // namespace

ExitCode report_period(const PeriodCommand& command) {
  auto options = options_or_complain(command.config_path);
  if (!options) return ExitCode::usage;
  const SystemClock clock;
  const auto since = beginning_of(command.since, clock.unix_now());
  if (!since) return ExitCode::usage;
  const OnRecord record(std::move(*options), clock);
  if (!record.is_there()) return ExitCode::usage;
  const HistoryView view = record.history();
  print(period_as_markdown(record.report(), view, *since));
  if (command.export_file.empty()) return ExitCode::proven;
  try {
    replace_file(command.export_file, exported(view));
  } catch (const SourceError& error) {
    say(error.what());
    return ExitCode::usage;
  }
  return ExitCode::proven;
}

ExitCode export_history(const std::string& config_path) {
  auto options = options_or_complain(config_path);
  if (!options) return ExitCode::usage;
  const SystemClock clock;
  const OnRecord record(std::move(*options), clock);
  if (!record.is_there()) return ExitCode::usage;
  print(exported(record.history()));
  return ExitCode::proven;
}

ExitCode verify_history(const VerifyCommand& command) {
  if (!command.hash.empty() &&
      (command.hash.size() != kHexDigits ||
       command.hash.find_first_not_of("0123456789abcdef") != std::string::npos)) {
    say(
        fmt::format("--hash: \"{}\" is no SHA-256. HINT: it has 64 digits from 0 to f, as the "
                    "report prints it",
                    printable(command.hash)));
    return ExitCode::usage;
  }
  try {
    const Verification found =
        verify_history(input_text(command.file), command.hash, command.number);
    print(printable(found.text) + "\n");
    if (found.fits == Fits::yes) return ExitCode::proven;
    return found.fits == Fits::no ? ExitCode::violated : ExitCode::unproven;
  } catch (const SourceError& error) {
    say(error.what());
    return ExitCode::usage;
  }
}

}  // namespace pg_integrity
