// Reads the XML answers of object storages. What they say is not trusted: a document type, deep
// nesting, long texts and too many entries are refused. Pure functions; safe on any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/base/instant.h"

namespace pg_integrity {

struct BucketObject {
  std::string key;
  double size = 0;  ///< bytes
  UnixTime modified = 0;
  std::string tag;  ///< changes with the content (ETag), without quotes; empty if not told
};

/// One page of a listing (ListObjectsV2).
struct ListingPage {
  std::vector<BucketObject> objects;
  std::string next;  ///< where the next page begins; empty if this is the last one
};

/// The words of a storage that refuses a request.
struct Refusal {
  std::string code;      ///< such as NoSuchBucket
  std::string message;   ///< for people
  std::string region{};  ///< where the bucket is, if it says so
};

/// The most objects that a page may hold. We ask for so many.
inline constexpr std::size_t kPageObjects = 1000;
/// No page is larger: every key has 1024 bytes at most, and three times as many if it is encoded.
inline constexpr std::size_t kMaxPageBytes = std::size_t{4} << 20;

/// @throws SourceError{decode}
ListingPage read_listing_page(std::string_view xml);

/// Empty if the text is no such answer.
std::optional<Refusal> read_refusal(std::string_view xml);

/// The texts of the elements with these names, wherever they are, in the order of the names. Used
/// for small answers. An element that is missing gives an empty text.
/// @throws SourceError{decode}
std::vector<std::string> read_elements(std::string_view xml, const std::vector<std::string>& names);

/// "2026-11-29T17:00:00.000Z". Empty if it is no such time.
std::optional<UnixTime> parse_iso_time(std::string_view text);

}  // namespace pg_integrity
