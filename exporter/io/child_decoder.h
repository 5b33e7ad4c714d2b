// Lets a child process read a backup to its end. The child is this program under a hidden
// subcommand: it starts without our environment and our descriptors, and gives up the rest itself
// (exporter/decoding). We open the files and hand it the descriptors. One thread.
#pragma once

#include <memory>
#include <string>

#include "collectors/ports/decoder.h"
#include "exporter/io/disposable_workers.h"

namespace pg_integrity {

/// The child ends when the thread that called begin() ends.
class ChildDecoder final : public Decoder {
 public:
  /// @param workers must outlive this object.
  /// @param program this program, which knows the hidden subcommand.
  ChildDecoder(DisposableWorkers& workers, const WaitableClock& clock, std::string program);
  ~ChildDecoder() override;
  ChildDecoder(const ChildDecoder&) = delete;
  ChildDecoder& operator=(const ChildDecoder&) = delete;

  void begin(const DecodeTarget& target) override;
  [[nodiscard]] bool reading() const override { return reading_ != nullptr; }
  Decoded read_on(double bytes) override;
  void end() override;

 private:
  struct Reading;

  DisposableWorkers& workers_;
  const WaitableClock& clock_;
  const std::string program_;
  std::shared_ptr<Reading> reading_;  ///< a worker that hangs keeps it
};

}  // namespace pg_integrity
