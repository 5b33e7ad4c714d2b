#include "collectors/base/batch.h"

namespace pg_integrity {

void Batch::discard_observations() {
  samples_.clear();
  unproven_.clear();
  evidence_.clear();
  weights_.clear();
  excluded_ = 0;
}

}  // namespace pg_integrity
