#include "base/input_error.h"

#include <catch2/catch.hpp>

namespace stepcast {

TEST_CASE("an input error says where, what, why and the way out", "[base]") {
  const InputError error(
      {"scenarios/validation/gpt_76b.json", "/plan"},
      "the plan uses 512 GPUs, the cluster has 1024", "data_parallel 32 uses them all",
      {"tensor_parallel 8 x pipeline_parallel 4 x data_parallel 16 = 512", "128 nodes x 8 GPUs"});
  REQUIRE(std::string(error.what()) ==
          "scenarios/validation/gpt_76b.json: at /plan: the plan uses 512 GPUs, the cluster has "
          "1024\n"
          "  tensor_parallel 8 x pipeline_parallel 4 x data_parallel 16 = 512\n"
          "  128 nodes x 8 GPUs\n"
          "  hint: data_parallel 32 uses them all");
  REQUIRE(error.place().pointer == "/plan");
  REQUIRE(error.problem() == "the plan uses 512 GPUs, the cluster has 1024");
  REQUIRE(error.hint() == "data_parallel 32 uses them all");
  REQUIRE(error.details().size() == 2);
}

TEST_CASE("the root of a file prints as a slash", "[base]") {
  REQUIRE(std::string(InputError({"x.json", ""}, "wrong").what()) == "x.json: at /: wrong");
}

TEST_CASE("an error of no file starts with the pointer", "[base]") {
  REQUIRE(std::string(InputError({"", "/plan"}, "wrong").what()) == "at /plan: wrong");
}

TEST_CASE("keys in a pointer are escaped as RFC 6901 asks", "[base]") {
  const InputPlace root{"x.json", ""};
  REQUIRE(child_of(root, "a/b").pointer == "/a~1b");
  REQUIRE(child_of(root, "m~n").pointer == "/m~0n");
  REQUIRE(child_of(root, "").pointer == "/");
  REQUIRE(child_of(child_of(root, "runs"), std::size_t{3}).pointer == "/runs/3");
  REQUIRE(child_of(root, "a").file == "x.json");
}

}  // namespace stepcast
