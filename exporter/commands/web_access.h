// Keeps the web configuration of the HTTP server in force: reads it at the start and on demand, and
// again by itself when one of its files has changed. A file system that hangs costs the news and
// nothing else. Safe on any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "collectors/base/thread_annotations.h"
#include "exporter/http/server.h"
#include "exporter/io/condition.h"
#include "exporter/io/disposable_workers.h"
#include "exporter/io/folder_watch.h"
#include "exporter/io/mutex.h"

namespace pg_integrity {

class WebAccess {
 public:
  /// @param path of the web configuration; empty: there is none.
  /// The others must outlive this object.
  WebAccess(std::string path, HttpServer& server, const WaitableClock& clock,
            DisposableWorkers& workers);

  /// Reads the files and puts them in force.
  /// @return one line for each fault. Then the old ones stay.
  std::vector<std::string> read();
  /// Looks at the files from now on, and reads them again when they change.
  /// @param done gets the faults of each reading, on a thread of its own.
  void watch(std::function<void(const std::vector<std::string>& faults)> done);

 private:
  /// A look at them may outlive this object.
  struct Files {
    Mutex mutex;
    std::vector<std::string> of_newest_reading GUARDED_BY(mutex);
  };

  const std::string path_;
  HttpServer& server_;
  const WaitableClock& clock_;
  DisposableWorkers& workers_;
  Mutex one_at_a_time_;
  const std::shared_ptr<Files> files_ = std::make_shared<Files>();
  std::unique_ptr<FolderWatch> watch_;
};

/// Reads a web configuration, its certificates and keys, and says what is wrong. Blocks.
std::vector<std::string> faults_of_web_config(const std::string& path);

}  // namespace pg_integrity
