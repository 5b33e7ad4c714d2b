#include "exporter/http/passwords.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace pg_integrity {

namespace {

constexpr std::size_t kMostGood = 64;  // credentials that are remembered
constexpr std::size_t kLongestCredentials = 512;

std::string base64_decoded(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return {};
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
  if (size < 0) return {};
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

bool bcrypt_agrees(const std::string& password, const std::string& hash) {
  const auto data = std::make_unique<crypt_data>();
  const char* made = ::crypt_r(password.c_str(), hash.c_str(), data.get());
  const bool same = made != nullptr && std::string_view(made).size() == hash.size() &&
                    ::CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
  ::OPENSSL_cleanse(data.get(), sizeof *data);
  return same;
}

}  // namespace

Passwords::Passwords(std::map<std::string, std::string> users) : users_(std::move(users)) {
  if (::RAND_bytes(secret_.data(), static_cast<int>(secret_.size())) != 1)
    throw std::runtime_error("no random numbers are to be had");
  std::map<std::string, std::size_t> costs;
  for (const auto& [name, hash] : users_) ++costs[hash.substr(0, 7)];
  const auto most = std::max_element(
      costs.begin(), costs.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  hash_of_nobody_ = (most == costs.end() ? "$2y$10$" : most->first) +
                    "QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi";
}

std::optional<Passwords::Credentials> Passwords::credentials_in(const std::string& authorization) {
  constexpr std::string_view kScheme = "basic ";
  std::string_view rest = authorization;
  if (rest.size() > kLongestCredentials || rest.size() < kScheme.size()) return std::nullopt;
  std::string scheme(rest.substr(0, kScheme.size()));
  for (char& c : scheme) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (scheme != kScheme) return std::nullopt;
  const std::string text = base64_decoded(rest.substr(kScheme.size()));
  const std::size_t colon = text.find(':');
  // crypt() reads up to a NUL, so what stands behind one would not count.
  if (colon == std::string::npos || text.find('\0') != std::string::npos) return std::nullopt;
  return Credentials{text.substr(0, colon), text.substr(colon + 1)};
}

Passwords::Mark Passwords::mark_of(const Credentials& credentials) const {
  // The length of the name keeps "a:b" + "c" from "a" + "b:c".
  const std::string text =
      std::to_string(credentials.name.size()) + ':' + credentials.name + ':' + credentials.password;
  Mark mark{};
  unsigned size = 0;
  ::HMAC(::EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mark.data(), &size);
  return mark;
}

std::optional<bool> Passwords::known(const std::string& authorization) const {
  const auto credentials = credentials_in(authorization);
  if (!credentials) return false;
  const Mark mark = mark_of(*credentials);
  const MutexLock lock(mutex_);
  if (std::find(good_.begin(), good_.end(), mark) != good_.end()) return true;
  return std::nullopt;
}

bool Passwords::check(const std::string& authorization) {
  const auto credentials = credentials_in(authorization);
  if (!credentials) return false;
  const auto user = users_.find(credentials->name);
  const bool agrees =
      bcrypt_agrees(credentials->password, user == users_.end() ? hash_of_nobody_ : user->second);
  if (!agrees || user == users_.end()) return false;
  const Mark mark = mark_of(*credentials);
  const MutexLock lock(mutex_);
  if (std::find(good_.begin(), good_.end(), mark) != good_.end()) return true;
  good_.push_back(mark);
  if (good_.size() > kMostGood) good_.pop_front();
  return true;
}

}  // namespace pg_integrity
