// The page as it is sent. Its body is compressed once per change, and its tail is computed at each
// scrape. Both together are one plain text or one gzip member. Immutable once made. Safe on any
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/base/instant.h"
#include "collectors/ports/clock.h"
#include "exporter/evidence/snapshot.h"
#include "exporter/metrics/exposition.h"

namespace pg_integrity {

/// The text as one gzip member.
std::string gzipped(const std::string& text);

class PageBody {
 public:
  PageBody(std::shared_ptr<const Snapshot> snapshot, const Clock& clock);

  [[nodiscard]] const std::shared_ptr<const Snapshot>& snapshot() const { return snapshot_; }
  [[nodiscard]] const std::string& plain() const { return body_.text; }
  /// plain() as deflate blocks, without header and trailer. Further blocks may follow them.
  [[nodiscard]] const std::string& deflated() const { return deflated_; }
  [[nodiscard]] std::uint32_t crc() const { return crc_; }
  /// The time from which something in the body is too old to be shown.
  [[nodiscard]] Instant expires() const { return body_.expires; }

 private:
  std::shared_ptr<const Snapshot> snapshot_;
  BodyText body_;
  std::string deflated_;
  std::uint32_t crc_;
};

class Page {
 public:
  Page(std::shared_ptr<const PageBody> body, const ProcessFacts& facts, const Clock& clock,
       bool gzip);

  [[nodiscard]] std::size_t size() const;
  /// A piece of the page from `offset` on, at most `length` bytes. It is shorter where the head,
  /// the body or the tail ends. The page must outlive it.
  [[nodiscard]] std::string_view piece(std::size_t offset, std::size_t length) const;

 private:
  [[nodiscard]] const std::string& body() const;

  std::shared_ptr<const PageBody> body_;
  bool gzip_;
  std::string head_;
  std::string tail_;
};

}  // namespace pg_integrity
