// Renderings of the report, shared by everybody who asks while the same evidence is shown. They are
// made one at a time, and what slow clients still hold is bounded. One thread at a time, except
// that renderings may be dropped on any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pg_integrity {

class Renderings {
 public:
  using Text = std::shared_ptr<const std::string>;

  /// @param edition identifies the evidence that is shown now. nullptr: nobody knows, so nothing is
  /// shared.
  explicit Renderings(std::function<std::shared_ptr<const void>()> edition)
      : edition_(std::move(edition)) {}

  /// The rendering of that name, made by `render` if it is not there yet.
  /// @return nullptr if clients still hold too much of older ones.
  Text get(const std::string& name, const std::function<std::string()>& render);
  /// Keeps none that no client holds.
  void forget() { kept_.reset(); }

 private:
  struct Made {
    std::weak_ptr<const void> edition;
    std::weak_ptr<const std::string> text;
  };

  [[nodiscard]] std::size_t held();

  const std::function<std::shared_ptr<const void>()> edition_;
  std::map<std::string, Made> newest_;
  std::vector<std::weak_ptr<const std::string>> given_out_;
  Text kept_;  ///< the newest of all, so that the next client finds it
};

}  // namespace pg_integrity
