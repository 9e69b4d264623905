#include <catch2/catch.hpp>

#include "scenarios/import/imported.h"
#include "tests/base/error_text.h"
#include "tests/scenarios/import/mentions.h"
#include "tests/scenarios/import/model_text.h"

using namespace stepcast;
using nlohmann::json;
using stepcast::test::mentions;

namespace {

// As examples/gpt3/train_gpt3_175b_distributed.sh of Megatron-LM is written.
constexpr const char* gpt3_script = R"(#!/bin/bash
export CUDA_DEVICE_MAX_CONNECTIONS=1
GPUS_PER_NODE=8
NUM_NODES=16
WORLD_SIZE=$(($GPUS_PER_NODE*$NUM_NODES))
CHECKPOINT_PATH=$1 #<Specify path>
DISTRIBUTED_ARGS=(
    --nproc_per_node $GPUS_PER_NODE
    --nnodes $NUM_NODES
    --master_addr localhost
)
GPT_MODEL_ARGS=(
    --num-layers 96
    --hidden-size 12288
    --num-attention-heads 96
    --seq-length 2048
    --max-position-embeddings 2048
    --attention-backend auto # Can use (flash/fused/unfused/local)
)
TRAINING_ARGS=(
    --micro-batch-size 1
    --global-batch-size 1536
    --rampup-batch-size 16 16 5859375
    --train-iters 500000
    --fp16
)
torchrun ${DISTRIBUTED_ARGS[@]} pretrain_gpt.py \
    ${GPT_MODEL_ARGS[@]} ${TRAINING_ARGS[@]} \
    --tensor-model-parallel-size 8 --pipeline-model-parallel-size 16 \
    --save $CHECKPOINT_PATH --tokenizer-type GPT2BPETokenizer
)";

json imported(const std::string& text) { return *read_megatron_script(text, "run.sh").scenario; }

std::string with(const std::string& arguments) {
  return "--num-layers 32 --hidden-size 4096 --num-attention-heads 32 " + arguments;
}

std::string refusal(const std::string& text) {
  return error_text([&] { read_megatron_script(text, "run.sh"); });
}

}  // namespace

TEST_CASE("Megatron-LM's own GPT-3 script gives GPT-3 on its 128 GPUs", "[scenarios]") {
  const json scenario = imported(gpt3_script);
  CHECK(test::whole_model(scenario["model"]) == test::catalogue_model("gpt3_175b"));
  CHECK(scenario["cluster"] == json({{"nodes", 16}, {"gpus_per_node", 8}}));
  CHECK(scenario["plan"]["tensor_parallel"] == 8);
  CHECK(scenario["plan"]["pipeline_parallel"] == 16);
  CHECK(scenario["plan"]["data_parallel"] == 1);  // 128 / (8 x 16)
  CHECK(scenario["precision"] == "fp16");
  CHECK(scenario["training_tokens"] == 500000.0 * 1536 * 2048);
}

TEST_CASE("what Megatron-LM's arguments say beyond a scenario is listed", "[scenarios]") {
  const Imported read = read_megatron_script(gpt3_script, "run.sh");
  CHECK(mentions(read.not_carried, "environment: CUDA_DEVICE_MAX_CONNECTIONS"));
  CHECK(mentions(read.not_carried, "without effect on time or memory: --master-addr, --save"));
  CHECK(mentions(read.not_carried, "--rampup-batch-size: a step is one of the full batch"));
  CHECK(mentions(read.assumed, "attention flash2"));
  const Imported odd = read_megatron_script(with("--made-up 3"), "run.sh");
  CHECK(mentions(odd.not_carried, "not known: --made-up"));
}

TEST_CASE("LLaMA as Megatron-LM's arguments say it", "[scenarios]") {
  const json scenario = imported(
      with("--swiglu --disable-bias-linear --normalization RMSNorm --position-embedding-type rope "
           "--untie-embeddings-and-output-weights --group-query-attention --num-query-groups 8 "
           "--ffn-hidden-size 14336 --vocab-size 128256 --max-position-embeddings 8192"));
  CHECK(test::whole_model(scenario["model"]) == test::catalogue_model("llama3_8b"));
}

TEST_CASE("switches of Megatron-LM's plan", "[scenarios]") {
  const auto plan = [](const char* arguments) { return imported(with(arguments))["plan"]; };
  CHECK(plan("--use-distributed-optimizer")["zero_stage"] == 1);
  CHECK(plan("--use-megatron-fsdp --data-parallel-sharding-strategy optim_grads")["zero_stage"] ==
        2);
  CHECK(plan("--recompute-activations")["recompute"] == "selective");
  const json block = plan(
      "--recompute-granularity full --recompute-method block "
      "--recompute-num-layers 3");
  CHECK(block["recompute_method"] == "block");
  CHECK(block["recompute_num_layers"] == 3);
  // 32 layers on 4 stages are 8 each: 4 chunks of 2
  const json chunks = plan(
      "--pipeline-model-parallel-size 4 "
      "--num-layers-per-virtual-pipeline-stage 2");
  CHECK(chunks["virtual_pipeline"] == 4);
  CHECK(chunks["schedule"] == "interleaved_1f1b");
  // 32 = 5 + 9 + 9 + 9
  CHECK(plan("--pipeline-model-parallel-size 4 --decoder-first-pipeline-num-layers 5")
            ["layers_per_stage"] == json({5, 9, 9, 9}));
}

TEST_CASE("Megatron-DeepSpeed is known by its arguments, also inside eval", "[scenarios]") {
  const json scenario =
      imported("cmd=\"deepspeed pretrain.py " +
               with("--zero-stage=2 --deepspeed --cpu-optimizer --bf16") + "\"\neval $cmd");
  CHECK(scenario["framework"] == "megatron_deepspeed");
  CHECK(scenario["plan"]["zero_stage"] == 2);
  CHECK(scenario["plan"]["offload"] == json({"optimizer"}));
}

TEST_CASE("arguments that are wrong are refused with their line", "[scenarios]") {
  CHECK(refusal("run --lr 1") ==
        "run.sh: at /: no command here has --num-layers or --hidden-size\n"
        "  hint: a launch script of Megatron-LM or a list of its arguments is expected");
  CHECK(refusal(with("\\\n --vocab-size $V")) ==
        "run.sh: at line 2: --vocab-size: found \"$V\", expected a whole number\n"
        "  hint: give the variable a plain value in the script, as in NAME=8");
  CHECK(refusal(with("") + "\n" + with("")) ==
        "run.sh: at line 2: a second training; the first is on line 1\n"
        "  hint: take one of them out");
  CHECK_THAT(refusal(with("--num-experts 8 --moe-layer-freq 2")),
             Catch::StartsWith("run.sh: at line 1: --moe-layer-freq 2: experts in all layers"));
}

TEST_CASE("dense layers before expert layers, in Python's words", "[scenarios]") {
  const json scenario =
      imported(with("--num-experts 8 --moe-layer-freq ([0]*3+[1]*29) --moe-ffn-hidden-size 64"));
  CHECK(scenario["model"]["dense_layers"] == 3);
}
