#include "exporter/decoding/conversation.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

namespace pg_integrity::decoding {

namespace {

constexpr std::size_t kFilePiece = std::size_t{256} << 10;
constexpr std::uint64_t kDropEvery = std::uint64_t{4} << 20;
constexpr double kLongestTurn = 0.5;  ///< seconds

double monotonic_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace

struct FileBytes::Digest {
  Digest() : context(::EVP_MD_CTX_new()) {
    if (context == nullptr || ::EVP_DigestInit_ex(context, ::EVP_sha256(), nullptr) != 1)
      throw Unknown(Reason::internal, "SHA-256 is not at hand");
  }
  ~Digest() { ::EVP_MD_CTX_free(context); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  EVP_MD_CTX* context;
};

void prepare_digests() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  ::EVP_Digest("", 0, digest.data(), nullptr, ::EVP_sha256(), nullptr);
}

DecoderMessage Conversation::receive() {
  auto message = receive_message(socket_);
  if (!message) throw Alone();
  return std::move(*message);
}

DecoderMessage Conversation::backup() {
  return receive();
}

DecoderMessage Conversation::file_named(const std::string& name) {
  say({DecoderWord::need, 0, 0, name, Descriptor()});
  DecoderMessage answer = receive();
  while (answer.word == DecoderWord::go) {  // it was said before the question was read
    allowed_ = answer.number;
    since_ = monotonic_now();
    answer = receive();
  }
  if (answer.word == DecoderWord::refuse) throw Unknown(Reason::io, answer.text);
  return answer;
}

void Conversation::ask_for(std::uint64_t bytes) {
  if (allowed_ == 0 || monotonic_now() - since_ > kLongestTurn) {
    if (since_ > 0) say({DecoderWord::more, bytes_, rows_, {}, Descriptor()});
    allowed_ = receive().number;
    since_ = monotonic_now();
  }
  allowed_ -= bytes < allowed_ ? bytes : allowed_;
  bytes_ += bytes;
}

void Conversation::say(DecoderMessage message) {
  if (!send_message(socket_, message)) throw Alone();
}

FileBytes::FileBytes(Conversation& with, DecoderMessage file, std::string name)
    : with_(with),
      file_(std::move(file.descriptor)),
      size_(file.number),
      name_(std::move(name)),
      buffer_(kFilePiece, '\0') {
  if (!file_.open()) throw Unknown(Reason::internal, "no file came");
  if (file.second != 0) digest_ = std::make_unique<Digest>();
  ::posix_fadvise(file_.number(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

FileBytes::~FileBytes() {
  ::posix_fadvise(file_.number(), 0, 0, POSIX_FADV_DONTNEED);
}

std::string_view FileBytes::next() {
  if (position_ < size_) with_.ask_for(std::min<std::uint64_t>(buffer_.size(), size_ - position_));
  ssize_t count = 0;
  do {
    count = ::pread(file_.number(), buffer_.data(), buffer_.size(), static_cast<off_t>(position_));
  } while (count < 0 && errno == EINTR);
  // A disk that cannot read a sector has lost what was there.
  if (count < 0 && errno == EIO) throw Damage("the disk cannot read it (input/output error)");
  if (count < 0) throw Unknown(Reason::io, name_ + " cannot be read");
  const auto got = static_cast<std::size_t>(count);
  if (digest_ && ::EVP_DigestUpdate(digest_->context, buffer_.data(), got) != 1)
    throw Unknown(Reason::internal, "SHA-256 failed");
  position_ += got;
  if (position_ - dropped_ >= kDropEvery) {
    ::posix_fadvise(file_.number(), static_cast<off_t>(dropped_),
                    static_cast<off_t>(position_ - dropped_), POSIX_FADV_DONTNEED);
    dropped_ = position_;
  }
  return {buffer_.data(), got};
}

void FileBytes::finish() {
  while (!next().empty()) continue;
  if (!digest_) return;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (::EVP_DigestFinal_ex(digest_->context, digest.data(), &size) != 1)
    throw Unknown(Reason::internal, "SHA-256 failed");
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kDigits[digest.at(i) >> 4U];
    text += kDigits[digest.at(i) & 15U];
  }
  with_.say({DecoderWord::digest, 0, 0, text + " " + name_, Descriptor()});
}

}  // namespace pg_integrity::decoding
