// An object storage for tests, on a free port of 127.0.0.1. It speaks as much of the protocol of S3
// as the exporter asks for, and verifies each signature by a computation of its own. It can be
// slow, overloaded, broken or gone.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "collectors/base/instant.h"
#include "tests/support/api_server.h"
#include "tests/support/temporary.h"

namespace pg_integrity::test {

/// A request as its signature covers it.
struct SignedRequest {
  std::string method;
  std::string target;                          ///< path and query as they were sent
  std::map<std::string, std::string> headers;  ///< names in lower case
};

/// The signature of version 4 that AWS defines, computed with OpenSSL.
/// @param signed_headers names in lower case, sorted, joined by ";".
/// @param scope "20130524/us-east-1/s3/aws4_request".
std::string aws4_signature(const SignedRequest& request, const std::string& signed_headers,
                           const std::string& scope, const std::string& secret);

class ObjectStore {
 public:
  explicit ObjectStore(const Certificate* certificate = nullptr);
  ~ObjectStore();
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;

  /// @param hours_old how long ago it was put there.
  void put(const std::string& key, const std::string& content, double hours_old = 1);
  void remove(const std::string& key);

  /// It stops listening and ends all connections.
  void stop();
  /// It listens again, on the same port.
  void start();

  [[nodiscard]] std::string endpoint() const;
  /// A file as ~/.aws/credentials, with the right keys.
  [[nodiscard]] std::string credentials() const;
  /// An entry of `backups` for the bucket, as the configuration has it. It ends with a newline.
  [[nodiscard]] std::string source(const std::string& more = {}, const std::string& s3 = {}) const;

  std::atomic<int> requests = 0;
  std::atomic<int> listings = 0;
  std::atomic<int> refused = 0;  ///< whose signature was wrong
  // Faults and facts, to be set between requests.
  std::atomic<int> delay_ms = 0;
  std::atomic<int> break_after = -1;  ///< so many more answers are whole; -1: all
  std::atomic<int> status = 0;        ///< of every answer, if it is not 0
  std::string refusal;                ///< the code of those answers
  std::size_t page_objects = 1000;
  std::string region = "us-east-1";
  std::string key_id = "AKIDEXAMPLE";
  std::string secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  std::string session_token;  ///< required if it is not empty
  std::string raw_listing;    ///< is sent instead of a listing, if it is not empty
  bool gives_parts = true;    ///< whether it honours ranges

 private:
  struct Impl;
  struct Stored {
    std::string content;
    UnixTime modified = 0;
  };

  void serve();
  [[nodiscard]] std::string listing(const std::map<std::string, std::string>& asked) const;
  [[nodiscard]] std::string fault_of(const SignedRequest& request) const;

  const Certificate* certificate_;
  std::unique_ptr<Impl> impl_;
  int port_ = 0;
  std::thread thread_;
  mutable std::mutex mutex_;
  std::map<std::string, Stored> objects_;
  TemporaryDirectory directory_;
};

}  // namespace pg_integrity::test
