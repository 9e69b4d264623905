#include "base/contract.h"

#include <cstdio>
#include <cstdlib>

namespace stepcast {

void contract_broken(const char* condition, std::source_location where) {
  std::fprintf(stderr, "stepcast: internal fault: requires %s, at %s:%u in %s\n", condition,
               where.file_name(), static_cast<unsigned>(where.line()), where.function_name());
  std::abort();
}

}  // namespace stepcast
