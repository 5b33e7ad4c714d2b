#include "exporter/metrics/page.h"

#include <zlib.h>

#include <array>
#include <stdexcept>

#include "collectors/ports/clock.h"
#include "exporter/evidence/snapshot.h"

namespace pg_integrity {

namespace {

constexpr int kGzipLevel = 1;
constexpr std::array<char, 10> kGzipHeader{'\x1f', '\x8b', 8, 0, 0, 0, 0, 0, 0, 3};

/// @param last If true, closes the deflate stream. Otherwise ends at a byte border, so that others
/// may follow.
std::string deflated(const std::string& text, bool last) {
  z_stream stream{};
  if (deflateInit2(&stream, kGzipLevel, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib cannot be initialised");
  std::string out(deflateBound(&stream, text.size()) + 16, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, last ? Z_FINISH : Z_FULL_FLUSH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::uint32_t crc_of(const std::string& text) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

void append_little_endian(std::string& out, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>((number >> shift) & 0xffU);
}

}  // namespace

std::string gzipped(const std::string& text) {
  std::string out(kGzipHeader.begin(), kGzipHeader.end());
  out += deflated(text, true);
  append_little_endian(out, crc_of(text));
  append_little_endian(out, static_cast<std::uint32_t>(text.size()));
  return out;
}

PageBody::PageBody(std::shared_ptr<const Snapshot> snapshot, const Clock& clock)
    : snapshot_(std::move(snapshot)),
      body_(render_body(*snapshot_, clock)),
      deflated_(::pg_integrity::deflated(body_.text, false)),
      crc_(crc_of(body_.text)) {}

Page::Page(std::shared_ptr<const PageBody> body, const ProcessFacts& facts, const Clock& clock,
           bool gzip)
    : body_(std::move(body)), gzip_(gzip) {
  const std::string text = render_tail(*body_->snapshot(), facts, clock);
  if (!gzip) {
    tail_ = text;
    return;
  }
  head_.assign(kGzipHeader.begin(), kGzipHeader.end());
  tail_ = deflated(text, true);
  const auto length = static_cast<z_off_t>(text.size());
  append_little_endian(
      tail_, static_cast<std::uint32_t>(crc32_combine(body_->crc(), crc_of(text), length)));
  append_little_endian(tail_, static_cast<std::uint32_t>(body_->plain().size() + text.size()));
}

const std::string& Page::body() const {
  return gzip_ ? body_->deflated() : body_->plain();
}

std::size_t Page::size() const {
  return head_.size() + body().size() + tail_.size();
}

std::string_view Page::piece(std::size_t offset, std::size_t length) const {
  for (const std::string* part : {&head_, &body(), &tail_}) {
    if (offset < part->size()) return std::string_view(*part).substr(offset, length);
    offset -= part->size();
  }
  return {};
}

}  // namespace pg_integrity
