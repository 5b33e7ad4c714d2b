#include "exporter/decoding/unpacked.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <string>

namespace pg_integrity::decoding {

namespace {

constexpr std::size_t kUnpackedPiece = std::size_t{256} << 10;
constexpr int kLargestZstdWindow = 23;  ///< 8 MiB: what zstd makes up to its level 19
constexpr std::uint64_t kLargestXz = std::uint64_t{20} << 20;  ///< xz -6 needs 9 MiB

[[noreturn]] void damaged(const char* by) {
  throw Damage(std::string("what ") + by + " compressed cannot be decompressed");
}

[[noreturn]] void needs_memory(const char* by) {
  throw Unknown(Reason::limit, std::string("what ") + by +
                                   " compressed needs more memory than a reading may have. HINT: "
                                   "a lower level of compression needs less");
}

/// One step of a decompressor: takes from `in`, fills `out`.
struct Turn {
  std::size_t taken = 0;
  std::size_t made = 0;
  bool stream_ended = false;
};

/// The loop that all decompressors share.
class Unpacked : public Bytes {
 public:
  explicit Unpacked(Reader& packed) : packed_(packed), out_(kUnpackedPiece, '\0') {}

  std::string_view next() override {
    while (true) {
      const std::string_view in = packed_.at_hand();
      if (!in_stream_ && (in.empty() || !begin_stream(in))) return {};
      in_stream_ = true;
      // Output may wait inside the decompressor when all input was taken.
      const Turn turn = unpack(in, out_.data(), out_.size());
      packed_.take(turn.taken);
      if (turn.stream_ended) in_stream_ = false;
      if (turn.made > 0) return std::string_view(out_).substr(0, turn.made);
      if (turn.taken == 0 && !turn.stream_ended) throw Damage("its end is missing");
    }
  }
  [[nodiscard]] bool covered() const override { return covered_; }
  [[nodiscard]] std::uint64_t used(std::size_t /*unread*/) const override { return packed_.used(); }

 protected:
  /// Gets ready for the stream that begins with these bytes.
  /// @return false if only padding follows.
  virtual bool begin_stream(std::string_view head) = 0;
  virtual Turn unpack(std::string_view in, char* out, std::size_t room) = 0;
  void not_covered() { covered_ = false; }

  /// Zeros that fill a last block of a tape.
  bool only_zeros_follow() {
    while (true) {
      const std::string_view in = packed_.at_hand();
      if (in.empty()) return true;
      const std::size_t other = in.find_first_not_of('\0');
      if (other != std::string_view::npos) return false;
      packed_.take(in.size());
    }
  }

 private:
  Reader& packed_;
  std::string out_;
  bool in_stream_ = false;
  bool covered_ = true;
};

class Zlib final : public Unpacked {
 public:
  Zlib(Reader& packed, bool gzip) : Unpacked(packed), gzip_(gzip) {
    constexpr int kWindow = 15;
    constexpr int kGzip = 16;
    if (::inflateInit2(&stream_, gzip ? kWindow + kGzip : kWindow) != Z_OK) needs_memory(name());
  }
  ~Zlib() override { ::inflateEnd(&stream_); }
  Zlib(const Zlib&) = delete;
  Zlib& operator=(const Zlib&) = delete;

 protected:
  bool begin_stream(std::string_view head) override {
    if (begun_ && !gzip_) throw Damage("bytes follow the end of a compressed stream");
    if (begun_ && head.front() == '\0') {
      if (only_zeros_follow()) return false;
      throw Damage("bytes follow the end of what gzip compressed");
    }
    begun_ = true;
    return ::inflateReset(&stream_) == Z_OK;
  }
  Turn unpack(std::string_view in, char* out, std::size_t room) override {
    // zlib does not change what it reads.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(room);
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_MEM_ERROR) needs_memory(name());
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) damaged(name());
    return {in.size() - stream_.avail_in, room - stream_.avail_out, result == Z_STREAM_END};
  }

 private:
  [[nodiscard]] const char* name() const { return gzip_ ? "gzip" : "zlib"; }

  const bool gzip_;
  bool begun_ = false;
  z_stream stream_{};
};

class Zstd final : public Unpacked {
 public:
  explicit Zstd(Reader& packed) : Unpacked(packed), context_(::ZSTD_createDCtx()) {
    if (context_ == nullptr) needs_memory("zstd");
    ::ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kLargestZstdWindow);
  }
  ~Zstd() override { ::ZSTD_freeDCtx(context_); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;

 protected:
  bool begin_stream(std::string_view head) override {
    // RFC 8878, 3.1.1: a magic number, then the descriptor, whose bit 2 tells of a checksum. The
    // numbers from 0x184D2A50 on begin what is to be skipped.
    constexpr std::size_t kMagic = 4;
    constexpr unsigned char kChecksum = 4;
    if (head.size() > kMagic && head.front() == '\x28' &&
        (static_cast<unsigned char>(head[kMagic]) & kChecksum) == 0)
      not_covered();
    if (head.size() <= kMagic) not_covered();
    ::ZSTD_DCtx_reset(context_, ZSTD_reset_session_only);
    return true;
  }
  Turn unpack(std::string_view in, char* out, std::size_t room) override {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out, room, 0};
    const std::size_t result = ::ZSTD_decompressStream(context_, &to, &from);
    if (::ZSTD_isError(result) != 0) {
      const std::string_view error = ::ZSTD_getErrorName(result);
      if (error.find("memory") != std::string_view::npos) needs_memory("zstd");
      damaged("zstd");
    }
    return {from.pos, to.pos, result == 0};
  }

 private:
  ZSTD_DCtx* context_;
};

class Lz4 final : public Unpacked {
 public:
  explicit Lz4(Reader& packed) : Unpacked(packed) {
    if (::LZ4F_isError(::LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)) != 0)
      needs_memory("lz4");
  }
  ~Lz4() override { ::LZ4F_freeDecompressionContext(context_); }
  Lz4(const Lz4&) = delete;
  Lz4& operator=(const Lz4&) = delete;

 protected:
  bool begin_stream(std::string_view head) override {
    // The frame's descriptor follows the magic number. Bit 2 tells of a checksum of the content,
    // bit 4 of one of each block.
    constexpr std::size_t kMagic = 4;
    constexpr unsigned char kChecksums = 4 | 16;
    if (head.size() <= kMagic ||
        (head.front() == '\x04' && (static_cast<unsigned char>(head[kMagic]) & kChecksums) == 0))
      not_covered();
    ::LZ4F_resetDecompressionContext(context_);
    return true;
  }
  Turn unpack(std::string_view in, char* out, std::size_t room) override {
    std::size_t taken = in.size();
    std::size_t made = room;
    const std::size_t result = ::LZ4F_decompress(context_, out, &made, in.data(), &taken, nullptr);
    if (::LZ4F_isError(result) != 0) {
      const std::string_view error = ::LZ4F_getErrorName(result);
      if (error.find("allocation") != std::string_view::npos) needs_memory("lz4");
      damaged("lz4");
    }
    return {taken, made, result == 0};
  }

 private:
  LZ4F_dctx* context_ = nullptr;
};

class Xz final : public Unpacked {
 public:
  explicit Xz(Reader& packed) : Unpacked(packed) {}
  ~Xz() override { ::lzma_end(&stream_); }
  Xz(const Xz&) = delete;
  Xz& operator=(const Xz&) = delete;

 protected:
  bool begin_stream(std::string_view head) override {
    if (begun_ && head.front() == '\0') {
      if (only_zeros_follow()) return false;
      throw Damage("bytes follow the end of what xz compressed");
    }
    begun_ = true;
    if (::lzma_stream_decoder(&stream_, kLargestXz, LZMA_TELL_NO_CHECK) != LZMA_OK)
      needs_memory("xz");
    return true;
  }
  Turn unpack(std::string_view in, char* out, std::size_t room) override {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out);
    stream_.avail_out = room;
    lzma_ret result = ::lzma_code(&stream_, LZMA_RUN);
    if (result == LZMA_NO_CHECK) {
      not_covered();
      result = LZMA_OK;
    }
    if (result == LZMA_MEMLIMIT_ERROR || result == LZMA_MEM_ERROR) needs_memory("xz");
    if (result != LZMA_OK && result != LZMA_STREAM_END && result != LZMA_BUF_ERROR) damaged("xz");
    return {in.size() - stream_.avail_in, room - stream_.avail_out, result == LZMA_STREAM_END};
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool begun_ = false;
};

class Bzip2 final : public Unpacked {
 public:
  explicit Bzip2(Reader& packed) : Unpacked(packed) {}
  ~Bzip2() override {
    if (begun_) ::BZ2_bzDecompressEnd(&stream_);
  }
  Bzip2(const Bzip2&) = delete;
  Bzip2& operator=(const Bzip2&) = delete;

 protected:
  bool begin_stream(std::string_view /*head*/) override {
    if (begun_) ::BZ2_bzDecompressEnd(&stream_);
    stream_ = {};
    begun_ = ::BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK;
    if (!begun_) needs_memory("bzip2");
    return true;
  }
  Turn unpack(std::string_view in, char* out, std::size_t room) override {
    stream_.next_in = const_cast<char*>(in.data());  // it does not change what it reads
    stream_.avail_in = static_cast<unsigned>(in.size());
    stream_.next_out = out;
    stream_.avail_out = static_cast<unsigned>(room);
    const int result = ::BZ2_bzDecompress(&stream_);
    if (result == BZ_MEM_ERROR) needs_memory("bzip2");
    if (result != BZ_OK && result != BZ_STREAM_END) damaged("bzip2");
    return {in.size() - stream_.avail_in, room - stream_.avail_out, result == BZ_STREAM_END};
  }

 private:
  bz_stream stream_{};
  bool begun_ = false;
};

}  // namespace

Packing packing_of(std::string_view head) {
  using namespace std::string_view_literals;
  if (head.starts_with("\x1f\x8b"sv)) return Packing::gzip;
  if (head.starts_with("\x28\xb5\x2f\xfd"sv)) return Packing::zstd;
  if (head.starts_with("\x04\x22\x4d\x18"sv)) return Packing::lz4;
  if (head.starts_with("\xfd\x37zXZ\0"sv)) return Packing::xz;
  if (head.starts_with("BZh"sv)) return Packing::bzip2;
  return Packing::none;
}

std::unique_ptr<Bytes> unpacked(Packing packing, Reader& packed) {
  switch (packing) {
    case Packing::gzip:
      return std::make_unique<Zlib>(packed, true);
    case Packing::zlib:
      return std::make_unique<Zlib>(packed, false);
    case Packing::zstd:
      return std::make_unique<Zstd>(packed);
    case Packing::lz4:
      return std::make_unique<Lz4>(packed);
    case Packing::xz:
      return std::make_unique<Xz>(packed);
    case Packing::bzip2:
      return std::make_unique<Bzip2>(packed);
    case Packing::none:
      break;
  }
  throw Unknown(Reason::internal, "nothing is compressed there");
}

}  // namespace pg_integrity::decoding
