#include "models/straggler.h"

#include <boost/math/distributions/normal.hpp>

#include "base/contract.h"

namespace stepcast {

double expected_maximum(int ranks) {
  STEPCAST_REQUIRES(ranks >= 1);
  if (ranks == 1) return 0.0;
  return boost::math::quantile(boost::math::normal(), (ranks - 0.375) / (ranks + 0.25));
}

}  // namespace stepcast
