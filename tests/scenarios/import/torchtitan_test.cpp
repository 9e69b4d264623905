#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/input_error.h"
#include "scenarios/import/imported.h"
#include "tests/scenarios/import/mentions.h"

using namespace stepcast;
using nlohmann::json;
using stepcast::test::mentions;

namespace {

// As torchtitan's train_configs/llama3_70b.toml is written.
constexpr const char* llama3_70b = R"(
[job]
dump_folder = "./outputs"

[model]
name = "llama3"
flavor = "70B"
converters = ["float8"]

[optimizer]
name = "AdamW"
lr = 1.5e-4

[training]
local_batch_size = 8
global_batch_size = 512
seq_len = 8192
steps = 1000
compile = true

[parallelism]
data_parallel_replicate_degree = 1
data_parallel_shard_degree = -1
tensor_parallel_degree = 8
enable_async_tensor_parallel = true

[activation_checkpoint]
mode = "full"
made_up = 3
)";

}  // namespace

TEST_CASE("torchtitan's job file: plan, batch, recompute, and the flavor's model", "[scenarios]") {
  const Imported imported = read_torchtitan_job(llama3_70b, "job.toml");
  const json& scenario = *imported.scenario;
  CHECK(scenario["framework"] == "torchtitan");
  CHECK(scenario["precision"] == "fp8");
  CHECK(scenario["batch"] ==
        json({{"global_batch", 512}, {"micro_batch", 8}, {"sequence_length", 8192}}));
  CHECK(scenario["plan"] == json({{"tensor_parallel", 8},
                                  {"sequence_parallel", true},
                                  {"zero_stage", 3},
                                  {"recompute", "full"}}));
  CHECK(scenario["runtime"]["torch_compile"] == true);
  CHECK(imported.usual.front().json == "\"llama3_70b\"");
}

TEST_CASE("what torchtitan's job file says beyond a scenario is listed", "[scenarios]") {
  const Imported imported = read_torchtitan_job(llama3_70b, "job.toml");
  CHECK(mentions(imported.not_carried, "enable_async_tensor_parallel"));
  CHECK(mentions(imported.not_carried, "without effect on a step: job"));
  CHECK(mentions(imported.not_carried, "not known: activation_checkpoint.made_up"));
}

TEST_CASE("a job file that is no TOML is refused with its line", "[scenarios]") {
  try {
    read_torchtitan_job("[training]\nseq_len = = 3\n", "job.toml");
    FAIL("no error");
  } catch (const InputError& error) {
    CHECK(std::string(error.what()) == "job.toml: at line 2: malformed TOML");
  }
}
