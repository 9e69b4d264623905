#include "base/near_names.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace stepcast {

namespace {

const std::vector<std::string> degrees{"tensor_parallel", "data_parallel", "expert_parallel"};

}  // namespace

TEST_CASE("a misspelt name has the name it was meant to be near it", "[base]") {
  REQUIRE(did_you_mean("tensor_paralel", degrees) == "did you mean \"tensor_parallel\"?");
  REQUIRE(did_you_mean("global_bacth", std::vector<std::string>{"global_batch", "micro_batch"}) ==
          "did you mean \"global_batch\"?");
}

TEST_CASE("a name far from all others has none near it", "[base]") {
  REQUIRE(near_names("colour", degrees).empty());
  REQUIRE(did_you_mean("tp", degrees).empty());
  REQUIRE(did_you_mean("anything", {}).empty());
}

TEST_CASE("near names come nearest first and at most three", "[base]") {
  // Edits from "gpu_a": gpu_a1 one; gpu_ab1 two; gpu_b one; gpu_c one. The limit is 1 + 5 / 5 = 2.
  const std::vector<std::string> known{"gpu_ab1", "gpu_a1", "gpu_b", "gpu_c"};
  REQUIRE(near_names("gpu_a", known) == std::vector<std::string>{"gpu_a1", "gpu_b", "gpu_c"});
  REQUIRE(did_you_mean("gpu_a", known) == "did you mean \"gpu_a1\", \"gpu_b\" or \"gpu_c\"?");
}

TEST_CASE("a part of a name is near it", "[base]") {
  const std::vector<std::string> nodes{"dgx_h100", "dgx_a100_80gb"};
  REQUIRE(near_names("a100", nodes) == std::vector<std::string>{"dgx_a100_80gb"});
}

TEST_CASE("a name of ten million characters is compared at once", "[base]") {
  std::string name;
  name.resize(10'000'000, 'x');
  REQUIRE(near_names(name, degrees).empty());
}

}  // namespace stepcast
