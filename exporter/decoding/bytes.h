// Where decoded bytes come from: a file, or what a decompressor makes of one. Used by one thread.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "collectors/base/errors.h"

namespace pg_integrity::decoding {

/// The backup is at fault. The file is the one that is being read, up to where it has been read.
class Damage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The backup cannot be judged. It is not known to be at fault.
class Unknown : public std::runtime_error {
 public:
  Unknown(Reason reason, const std::string& why) : std::runtime_error(why), reason_(reason) {}
  [[nodiscard]] Reason reason() const noexcept { return reason_; }

 private:
  Reason reason_;
};

class Bytes {
 public:
  virtual ~Bytes() = default;
  Bytes() = default;
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;

  /// The next bytes, at least one, until the end. They are valid until the next call.
  /// @return an empty text at the end.
  virtual std::string_view next() = 0;
  /// Whether checksums cover all bytes so far.
  [[nodiscard]] virtual bool covered() const = 0;
  /// How many bytes of the file were used.
  /// @param unread bytes of the last piece that were not.
  [[nodiscard]] virtual std::uint64_t used(std::size_t unread) const = 0;
};

/// Reads fields from bytes.
class Reader {
 public:
  explicit Reader(Bytes& from) : from_(from) {}

  /// The bytes that are at hand, at least one. take() them.
  /// @return an empty text at the end.
  std::string_view at_hand() {
    if (rest_.empty()) rest_ = from_.next();
    return rest_;
  }
  void take(std::size_t count) {
    rest_.remove_prefix(count);
    position_ += count;
  }
  bool ended() { return at_hand().empty(); }

  /// @throws Damage at the end
  unsigned char byte() {
    if (ended()) throw Damage("its end is missing");
    const auto value = static_cast<unsigned char>(rest_.front());
    take(1);
    return value;
  }
  /// Hands over exactly that many bytes, piece by piece.
  template <typename Use>
  void exactly(std::uint64_t count, Use use) {
    while (count > 0) {
      const std::string_view piece = at_hand().substr(0, count);
      if (piece.empty()) throw Damage("its end is missing");
      use(piece);
      count -= piece.size();
      take(piece.size());
    }
  }
  std::string text(std::uint64_t count) {
    std::string text;
    exactly(count, [&](std::string_view piece) { text += piece; });
    return text;
  }
  void skip(std::uint64_t count) {
    exactly(count, [](std::string_view /*piece*/) {});
  }
  /// Bytes taken so far.
  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] bool covered() const { return from_.covered(); }
  /// Bytes of the file that were used.
  [[nodiscard]] std::uint64_t used() const { return from_.used(rest_.size()); }

 private:
  Bytes& from_;
  std::string_view rest_;
  std::uint64_t position_ = 0;
};

}  // namespace pg_integrity::decoding
