#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/unit_text.h"
#include "scenarios/import/imported.h"
#include "tests/base/error_text.h"
#include "tests/scenarios/import/mentions.h"

using namespace stepcast;
using nlohmann::json;
using stepcast::test::mentions;

namespace {

const json offloaded = json::parse(R"({
  "train_batch_size": 256, "train_micro_batch_size_per_gpu": 2, "gradient_accumulation_steps": 4,
  "gradient_clipping": 1.0, "steps_per_print": 10,
  "bf16": {"enabled": true}, "fp16": {"enabled": false, "loss_scale": 0},
  "optimizer": {"type": "AdamW", "params": {"lr": 1e-4}},
  "zero_optimization": {
    "stage": 3, "overlap_comm": true, "reduce_bucket_size": 5e8, "stage3_max_live_parameters": 1e9,
    "contiguous_gradients": true,
    "offload_optimizer": {"device": "cpu", "pin_memory": true},
    "offload_param": {"device": "none"}}})");

std::string refusal(const char* patch) {
  json config = offloaded;
  config.merge_patch(json::parse(patch));
  return error_text([&] { read_deepspeed_config(config, "ds_config.json"); });
}

}  // namespace

TEST_CASE("ds_config.json: batch, ZeRO, offload and precision", "[scenarios]") {
  const json scenario = *read_deepspeed_config(offloaded, "ds_config.json").scenario;
  CHECK(scenario["batch"] == json({{"global_batch", 256}, {"micro_batch", 2}}));
  CHECK(scenario["precision"] == "bf16");
  CHECK(scenario["plan"] == json({{"data_parallel", 32},  // 256 / (2 x 4)
                                  {"zero_stage", 3},
                                  {"overlap_gradient_reduce", true},
                                  {"reduce_bucket", exact_text(1_GB)},  // 5e8 elements of 2 bytes
                                  {"offload", {"optimizer"}}}));
}

TEST_CASE("what ds_config.json says beyond a scenario is listed", "[scenarios]") {
  json config = offloaded;
  config["zero_optimization"]["stage3_prefetch_bucket_size"] = "auto";
  const Imported imported = read_deepspeed_config(config, "ds_config.json");
  CHECK(mentions(imported.not_carried, "not known: zero_optimization.stage3_max_live_parameters"));
  CHECK(mentions(imported.not_carried, "gradient_clipping, steps_per_print"));
  CHECK(mentions(imported.not_carried, "zero_optimization.offload_optimizer: pin_memory"));
  CHECK(mentions(imported.not_carried,
                 "which the trainer fills in: zero_optimization.stage3_prefetch_bucket_size"));
}

TEST_CASE("a ds_config.json that makes no sense is refused with its pointer", "[scenarios]") {
  CHECK(refusal(R"({"train_batch_size": 255})") ==
        "ds_config.json: at /train_batch_size: 255 is no multiple of "
        "train_micro_batch_size_per_gpu 2 x gradient_accumulation_steps 4");
  CHECK_THAT(refusal(R"({"zero_optimization": {"offload_param": {"device": "nvme"}}})"),
             Catch::StartsWith("ds_config.json: at /zero_optimization/offload_param/device: "
                               "offload to \"nvme\" is not modelled"));
  CHECK_THAT(refusal(R"({"zero_optimization": {"stage": "three"}})"),
             Catch::StartsWith("ds_config.json: at /zero_optimization/stage: found \"three\""));
}
