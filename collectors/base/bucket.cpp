#include "collectors/base/bucket.h"

#include <algorithm>

namespace pg_integrity {

namespace {

constexpr std::string_view kScheme = "s3://";
constexpr std::size_t kMaxName = 255;     // older buckets of AWS have names of that length
constexpr std::size_t kMaxPrefix = 1000;  // a key has 1024 bytes at most

bool is_bucket_name(std::string_view name) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' && name.front() != '-' &&
         name.find_first_not_of(kLetters) == std::string_view::npos;
}

/// Whether every part between slashes is a name, as that of a folder.
bool is_folder_path(std::string_view path) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  if (path.size() > kMaxPrefix || std::any_of(path.begin(), path.end(), is_control)) return false;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part.empty() || part == "." || part == "..") return false;
    at = end + 1;
  }
  return true;
}

}  // namespace

std::string Bucket::text() const {
  std::string text = std::string(kScheme) + name;
  if (!prefix.empty()) text += "/" + prefix.substr(0, prefix.size() - 1);
  return text;
}

std::optional<Bucket> parse_bucket(std::string_view text) {
  if (!text.starts_with(kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  const std::size_t slash = text.find('/');
  Bucket bucket;
  bucket.name = text.substr(0, slash);
  if (!is_bucket_name(bucket.name)) return std::nullopt;
  std::string_view path = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  if (path.ends_with('/')) path.remove_suffix(1);
  if (path.empty()) return bucket;
  if (!is_folder_path(path)) return std::nullopt;
  bucket.prefix = std::string(path) + "/";
  return bucket;
}

}  // namespace pg_integrity
