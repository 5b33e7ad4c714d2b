#include "exporter/buckets/credentials.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "collectors/base/errors.h"
#include "exporter/buckets/address.h"
#include "exporter/buckets/temporary_credentials.h"
#include "exporter/io/files.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;  // bytes
constexpr const char* kHint =
    " HINT: `s3 = { credentials_file = … }`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the"
    " environment";

std::string_view without_spaces(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

/// The keys go into headers, so they are one line.
void require_one_word(const Credentials& found, const std::string& where) {
  const auto is_odd = [](char c) { return c <= ' ' || c >= '\x7f'; };
  for (const std::string* text : {&found.key_id, &found.secret, &found.session_token})
    if (std::any_of(text->begin(), text->end(), is_odd))
      throw SourceError(Reason::config, where + ": a key holds a space or a control character");
}

bool exists(const std::string& file) {
  std::error_code ignored;
  return !file.empty() && std::filesystem::exists(file, ignored);
}

std::string usual_file() {
  std::string file = environment("AWS_SHARED_CREDENTIALS_FILE");
  if (!file.empty()) return file;
  const std::string home = environment("HOME");
  return home.empty() ? "" : home + "/.aws/credentials";
}

std::optional<Credentials> environment_credentials() {
  Credentials found{environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY"),
                    environment("AWS_SESSION_TOKEN")};
  if (found.key_id.empty() || found.secret.empty()) return std::nullopt;
  return found;
}

/// @param named whether the configuration names the file or the profile, which must then be there.
std::optional<Credentials> profile_credentials(const Bucket& bucket, bool named) {
  const std::string file = bucket.credentials_file.empty() ? usual_file() : bucket.credentials_file;
  std::string profile = bucket.profile;
  if (profile.empty()) profile = environment("AWS_PROFILE");
  if (profile.empty()) profile = "default";
  if (!named && !exists(file)) return std::nullopt;
  std::string text;
  try {
    text = contents_of(file, kMaxFile);
  } catch (const SourceError& error) {
    throw SourceError(error.reason() == Reason::permission ? Reason::permission : Reason::config,
                      fmt::format("{}: no credentials: {}.{}", bucket.text(), error.what(), kHint));
  }
  auto found = credentials_in(text, profile);
  if (!found && named)
    throw SourceError(Reason::config, fmt::format("{}: {} holds no key of the profile {}",
                                                  bucket.text(), file, profile));
  return found;
}

}  // namespace

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string environment_region() {
  const std::string region = environment("AWS_REGION");
  return region.empty() ? environment("AWS_DEFAULT_REGION") : region;
}

std::optional<Credentials> credentials_in(std::string_view text, std::string_view profile) {
  Credentials found;
  bool here = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = without_spaces(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('[')) {
      const std::string_view name = without_spaces(line.substr(1, line.find(']') - 1));
      here = name == profile;
      continue;
    }
    const std::size_t equals = line.find('=');
    if (!here || line.starts_with('#') || line.starts_with(';') || equals == std::string_view::npos)
      continue;
    const std::string_view name = without_spaces(line.substr(0, equals));
    const std::string_view value = without_spaces(line.substr(equals + 1));
    if (name == "aws_access_key_id") found.key_id = value;
    if (name == "aws_secret_access_key") found.secret = value;
    if (name == "aws_session_token") found.session_token = value;
  }
  if (found.key_id.empty() || found.secret.empty()) return std::nullopt;
  return found;
}

Credentials find_credentials(const Bucket& bucket) {
  const bool named = !bucket.credentials_file.empty() || !bucket.profile.empty();
  std::optional<Credentials> found;
  if (!named) found = environment_credentials();
  if (!named && !found)
    found = web_identity_credentials(address_of(bucket, environment_region()).region);
  if (!found) found = profile_credentials(bucket, named);
  if (!found) found = container_credentials();
  if (!found) found = instance_credentials();
  if (!found)
    throw SourceError(Reason::config, bucket.text() + ": there are no credentials." + kHint);
  require_one_word(*found, bucket.text());
  return std::move(*found);
}

}  // namespace pg_integrity
