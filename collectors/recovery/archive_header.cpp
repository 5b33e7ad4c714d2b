#include "collectors/recovery/archive_header.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

#include "collectors/recovery/archive_format.h"

namespace pg_integrity {

namespace {

std::optional<UnixTime> to_unix(const WallTime& wall, const Clock& clock, const std::string& zone) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02d %02d:%02d:%02d", wall.year, wall.month,
                wall.day, wall.hour, wall.minute, wall.second);
  return clock.to_unix(std::string(text.data()), zone);
}

// A backup is made in one of these years. Any other number is not a date of a backup.
constexpr int kFirstYear = 1990;
constexpr int kLastYear = 2200;
constexpr UnixTime kFirstMoment = 631152000;       // 1990-01-01
constexpr UnixTime kAfterLastMoment = 7289654400;  // 2201-01-01

std::optional<ArchiveTime> exactly(std::optional<UnixTime> when) {
  if (!when || *when < kFirstMoment || *when >= kAfterLastMoment) return std::nullopt;
  return ArchiveTime{*when, *when};
}

/// pg_dump --verbose writes "-- Started on 2025-12-03 00:00:00 UTC" near the top of a plain dump.
std::optional<ArchiveTime> plain_header(std::string_view head, const Clock& clock,
                                        const std::string& zone) {
  constexpr std::string_view kStarted = "\n-- Started on ";
  constexpr std::size_t kTimeLength = 19;
  const std::size_t at = head.find(kStarted);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view line = head.substr(at + kStarted.size());
  line = line.substr(0, line.find('\n'));
  if (line.size() < kTimeLength) return std::nullopt;
  const std::string_view abbreviation = line.substr(kTimeLength);
  const bool utc = abbreviation == " UTC" || abbreviation == " GMT";
  return exactly(clock.to_unix(std::string(line.substr(0, kTimeLength)), utc ? "UTC" : zone));
}

/// Whether a line begins so.
bool has_line(std::string_view head, std::string_view beginning) {
  for (std::size_t at = head.find(beginning); at != std::string_view::npos;
       at = head.find(beginning, at + 1))
    if (at == 0 || head[at - 1] == '\n') return true;
  return false;
}

/// Takes `count` digits and the separator before them; -1 if they are not there.
int take_digits(std::string_view& text, std::size_t count, std::string_view separators) {
  std::string_view rest = text;
  if (!rest.empty() && separators.find(rest.front()) != std::string_view::npos)
    rest.remove_prefix(1);
  if (rest.size() < count) return -1;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (std::isdigit(static_cast<unsigned char>(rest[i])) == 0) return -1;
    value = value * 10 + (rest[i] - '0');
  }
  text = rest.substr(count);
  return value;
}

bool is_digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) != 0;
}

std::optional<ArchiveTime> read_name_at(std::string_view text, const Clock& clock,
                                        const std::string& zone) {
  WallTime wall;
  wall.year = take_digits(text, 4, "");
  wall.month = take_digits(text, 2, "-_.");
  wall.day = take_digits(text, 2, "-_.");
  if (wall.year < kFirstYear || wall.year > kLastYear || wall.month < 1 || wall.month > 12 ||
      wall.day < 1 || wall.day > 31)
    return std::nullopt;
  const int hour = take_digits(text, 2, "-_.T ");
  const int minute = hour < 0 ? -1 : take_digits(text, 2, "-_.:h");
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59) {
    const WallTime last_second{wall.year, wall.month, wall.day, 23, 59, 59};
    const auto first = to_unix(wall, clock, zone);
    const auto last = to_unix(last_second, clock, zone);
    if (!first || !last) return std::nullopt;
    return ArchiveTime{*first, *last};
  }
  wall.hour = hour;
  wall.minute = minute;
  const int second = take_digits(text, 2, "-_.:m");
  const bool to_the_second = second >= 0 && second <= 59;
  wall.second = to_the_second ? second : 0;
  const auto when = to_unix(wall, clock, text.starts_with('Z') ? "UTC" : zone);
  if (!when) return std::nullopt;
  return ArchiveTime{*when, to_the_second ? *when : *when + 59};
}

}  // namespace

bool is_archive(std::string_view head) {
  return archive_header(unwrapped_archive(head)).has_value();
}

bool is_compressed(std::string_view head) {
  constexpr std::array<std::string_view, 4> kCompressed{
      "\x28\xb5\x2f\xfd", "\x04\x22\x4d\x18", std::string_view("\xfd\x37zXZ\0", 6), "BZh91AY&SY"};
  return std::any_of(kCompressed.begin(), kCompressed.end(),
                     [&](const auto magic) { return head.starts_with(magic); });
}

std::string_view encrypted_by(std::string_view head) {
  const auto byte = [&](std::size_t at) {
    return at < head.size() ? static_cast<unsigned char>(head[at]) : 0U;
  };
  if (head.starts_with("age-encryption.org/") ||
      head.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"))
    return "age";
  if (head.starts_with("Salted__")) return "openssl";
  if (head.starts_with("-----BEGIN PGP MESSAGE-----")) return "gpg";
  // RFC 4880, 4.2 and 5.1 to 5.3: a packet with an encrypted session key, by its tag and version.
  // The tag is in an octet of the old form with a length of one or two octets, or of the new form.
  const bool for_key = byte(0) == 0x84 || byte(0) == 0x85 || byte(0) == 0xc1;
  const bool for_passphrase = byte(0) == 0x8c || byte(0) == 0xc3;
  const unsigned version =
      byte(0) == 0x85 || (byte(0) == 0xc1 && byte(1) >= 192) ? byte(3) : byte(2);
  const bool openpgp = (for_key && version == 3) ||
                       (for_passphrase && (version == 4 || version == 5)) ||
                       (for_key && version == 6);
  return openpgp ? "gpg" : "";
}

bool shows_data(std::string_view head) {
  if (is_archive(head)) return archive_contents(unwrapped_archive(head)).data;
  return has_line(head, "COPY ") || has_line(head, "INSERT INTO ") ||
         has_line(head, "SELECT pg_catalog.lo_create(") ||
         has_line(head, "SELECT pg_catalog.lo_open(");
}

bool is_backup(std::string_view head) {
  return is_compressed(head) || is_archive(head) || is_tar_of(head, "backup_label") ||
         has_line(head, "-- PostgreSQL database dump") ||
         has_line(head, "-- PostgreSQL database cluster dump");
}

std::optional<ArchiveTime> header_time(std::string_view head, const Clock& clock,
                                       const std::string& zone) {
  const auto archive = archive_header(unwrapped_archive(head));
  if (!archive) return plain_header(head, clock, zone);
  return exactly(to_unix(archive->started, clock, zone));
}

std::optional<ArchiveTime> name_time(const std::string& name, const Clock& clock,
                                     const std::string& zone) {
  const std::string_view text = name;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_digit_at(text, at) || (at > 0 && is_digit_at(text, at - 1))) continue;
    if (const auto found = read_name_at(text.substr(at), clock, zone)) return found;
  }
  return std::nullopt;
}

}  // namespace pg_integrity
