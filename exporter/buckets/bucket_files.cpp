#include "exporter/buckets/bucket_files.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <map>

#include "collectors/base/errors.h"
#include "collectors/base/glob.h"

namespace pg_integrity {

namespace {

constexpr std::size_t kMaxObjects = 100000;           // of a listing, with those in folders
constexpr std::size_t kMaxPages = 1000;               // a storage may give pages that are not full
constexpr std::size_t kPiece = std::size_t{4} << 20;  // bytes of one request for a whole object
constexpr Seconds kForOnePage{2};  ///< with less time left, the listing goes on in the next step

/// The number of an object's content, as an inode is that of a file. It is a number that a double
/// holds.
double number_of_tag(const std::string& tag) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const char c : tag) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return static_cast<double>(hash & ((std::uint64_t{1} << 53) - 1));
}

bool is_gzip(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b");
}

/// The first `count` bytes of what a gzip file holds, fewer if `packed` ends before.
/// @param packed its first bytes.
std::string unpacked_head(const std::string& packed, std::size_t count, const std::string& path) {
  z_stream stream{};
  if (::inflateInit2(&stream, 15 + 16) != Z_OK)
    throw SourceError(Reason::limit, path + ": out of memory");
  std::string packed_bytes = packed;  // zlib wants them writable
  std::string out(count, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(packed_bytes.data());
  stream.avail_in = static_cast<uInt>(packed_bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = ::inflate(&stream, Z_SYNC_FLUSH);
  const std::size_t got = out.size() - stream.avail_out;
  ::inflateEnd(&stream);
  if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
    throw SourceError(Reason::decode, path + ": the compressed file is damaged");
  out.resize(got);
  return out;
}

FileEntry entry_of(const BucketObject& object, const std::string& name, UnixTime now) {
  FileEntry entry;
  entry.name = name;
  entry.kind = FileKind::file;
  entry.size = object.size;
  entry.modified = object.modified;
  entry.read_at = now;
  entry.inode = number_of_tag(object.tag);
  return entry;
}

/// Adds an object in a folder to the folder's entry, as files of a directory are added.
void add_to_folder(FileEntry& folder, const BucketObject& object, bool directly) {
  folder.kind = FileKind::directory;
  if (!directly) return;
  folder.size += object.size;
  folder.modified = std::max(folder.modified, object.modified);
}

}  // namespace

std::string BucketFiles::key_of(const std::string& path) const {
  const std::string top = state_->bucket().text();
  if (path == top) return "";
  if (!path.starts_with(top + "/")) throw SourceError(Reason::internal, path + " is not in " + top);
  return path.substr(top.size() + 1);
}

void BucketFiles::add_page(PartialListing& partial) {
  const std::string& prefix = state_->bucket().prefix;
  const std::string text = state_->bucket().text();
  BucketClient::Page page = client_.list(partial.next);
  for (BucketObject& object : page.page.objects) {
    if (!object.key.starts_with(prefix))
      throw SourceError(Reason::decode, text + ": its listing holds what was not asked for");
    object.key.erase(0, prefix.size());
    if (object.key.empty() || object.key.ends_with('/')) continue;  // stands for a folder
    partial.listing.objects.push_back(std::move(object));
  }
  if (partial.listing.objects.size() > kMaxObjects)
    throw SourceError(Reason::too_large,
                      fmt::format("{} holds more than {} objects. HINT: give backups a prefix of"
                                  " their own",
                                  text, kMaxObjects));
  if (!page.page.next.empty() && page.page.next == partial.next)
    throw SourceError(Reason::decode, text + ": its listing does not get further");
  partial.next = std::move(page.page.next);
  partial.listing.taken = clock_.now();
  partial.listing.taken_at = page.at;
}

std::shared_ptr<const BucketListing> BucketFiles::take_listing() {
  PartialListing partial =
      state_->take_partial(clock_.now()).value_or(PartialListing{{}, {}, clock_.now()});
  for (std::size_t pages = 1;; ++pages) {
    if (pages > kMaxPages)
      throw SourceError(Reason::decode, state_->bucket().text() + ": its listing does not end");
    if (pages > 1 && client_.left() < kForOnePage) {
      const std::size_t count = partial.listing.objects.size();
      state_->keep(std::move(partial));
      throw SourceError(Reason::pending,
                        fmt::format("{}: {} objects are listed so far, and the next check goes on",
                                    state_->bucket().text(), count));
    }
    const PartialListing before = partial;
    try {
      add_page(partial);
    } catch (const SourceError& error) {
      // A storage that is out of reach for a moment leaves the listing where it was.
      const bool passes = error.reason() == Reason::connect || error.reason() == Reason::timeout ||
                          error.reason() == Reason::limit;
      if (passes && !before.next.empty()) state_->keep(before);
      throw;
    }
    if (partial.next.empty()) break;
  }
  auto& objects = partial.listing.objects;
  const auto by_key = [](const BucketObject& a, const BucketObject& b) { return a.key < b.key; };
  std::stable_sort(objects.begin(), objects.end(), by_key);
  return std::make_shared<const BucketListing>(std::move(partial.listing));
}

const BucketListing& BucketFiles::listing() {
  if (!listing_) listing_ = state_->listing(clock_.now());
  if (!listing_) {
    listing_ = take_listing();
    state_->keep(listing_);
  }
  return *listing_;
}

std::vector<FileEntry> BucketFiles::list(const std::string& directory,
                                         const std::vector<std::string>& patterns,
                                         std::size_t limit) {
  const BucketListing& all = listing();
  const UnixTime now = all.taken_at + (clock_.now() - all.taken).count();
  const std::string key = key_of(directory);
  const std::string way = key.empty() ? "" : key + "/";
  std::map<std::string, FileEntry> entries;
  auto at = std::lower_bound(all.objects.begin(), all.objects.end(), way,
                             [](const BucketObject& a, const std::string& b) { return a.key < b; });
  for (; at != all.objects.end() && at->key.starts_with(way); ++at) {
    const std::string rest = at->key.substr(way.size());
    const std::size_t slash = rest.find('/');
    const std::string name = rest.substr(0, slash);
    if (name.empty() || !matches_any_glob(patterns, name)) continue;
    FileEntry& entry = entries[name];
    if (slash == std::string::npos) {
      entry = entry_of(*at, name, now);
    } else if (entry.kind != FileKind::file) {  // an object hides a folder of the same name
      entry.name = name;
      entry.read_at = now;
      add_to_folder(entry, *at, rest.find('/', slash + 1) == std::string::npos);
    }
    if (entries.size() > limit)
      throw SourceError(
          Reason::limit,
          fmt::format("{} holds more than {} entries. HINT: give backups a prefix of their own",
                      directory, limit));
  }
  std::vector<FileEntry> found;
  found.reserve(entries.size());
  for (auto& [name, entry] : entries) found.push_back(std::move(entry));
  return found;
}

const BucketObject& BucketFiles::object_at(const std::string& path) {
  const std::string key = key_of(path);
  const auto& objects = listing().objects;
  const auto found =
      std::lower_bound(objects.begin(), objects.end(), key,
                       [](const BucketObject& a, const std::string& b) { return a.key < b; });
  // A folder that lacks a file is none of a backup, as with directories.
  if (found == objects.end() || found->key != key)
    throw SourceError(Reason::io, path + ": there is no such object");
  return *found;
}

FileEnds BucketFiles::ends(const std::string& path, std::size_t head_bytes,
                           std::size_t tail_bytes) {
  const BucketObject& object = object_at(path);
  const auto size = static_cast<std::size_t>(object.size);
  FileEnds ends;
  ends.file = entry_of(object, "", listing().taken_at);
  if (size == 0) return ends;
  const std::size_t unpacked_bytes = head_bytes;  // it may be more than the object has
  head_bytes = std::min(head_bytes, size);
  tail_bytes = std::min(tail_bytes, size);
  // One request instead of two, where both ends are near each other.
  const bool at_once = head_bytes + tail_bytes >= size;
  std::string head;
  if (head_bytes > 0 || at_once) head = client_.read(object, 0, at_once ? size : head_bytes);
  if (tail_bytes > 0)
    ends.tail = at_once ? head.substr(size - tail_bytes)
                        : client_.read(object, size - tail_bytes, tail_bytes);
  ends.packed = is_gzip(head);
  ends.head = ends.packed ? unpacked_head(head, unpacked_bytes, path) : head.substr(0, head_bytes);
  return ends;
}

std::string BucketFiles::contents(const std::string& path, std::size_t max_bytes) {
  const BucketObject& object = object_at(path);
  const auto size = static_cast<std::size_t>(object.size);
  if (size > max_bytes)
    throw SourceError(Reason::limit, fmt::format("{} is larger than {} bytes", path, max_bytes));
  std::string text;
  while (text.size() < size)
    text += client_.read(object, text.size(), std::min(kPiece, size - text.size()));
  return text;
}

FileTree BucketFiles::tree(const std::string& directory, const TreeBounds& /*bounds*/,
                           const std::function<bool(const std::string& name)>& /*wanted*/) {
  throw SourceError(Reason::config, directory + ": a bucket is not read as a tree");
}

double BucketFiles::room(const std::string& directory) {
  throw SourceError(Reason::config, directory + ": a bucket does not tell how much room it has");
}

}  // namespace pg_integrity
