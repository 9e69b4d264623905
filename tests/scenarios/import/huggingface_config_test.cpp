// Configurations as published on Hugging Face, shortened to what matters; the catalogue's models
// come from the papers.
#include <catch2/catch.hpp>

#include "models/transformer.h"
#include "scenarios/import/imported.h"
#include "scenarios/scenario.h"
#include "tests/base/error_text.h"
#include "tests/scenarios/import/mentions.h"
#include "tests/scenarios/import/model_text.h"

using namespace stepcast;
using nlohmann::json;
using stepcast::test::mentions;

namespace {

const json llama3_8b = json::parse(R"({
  "architectures": ["LlamaForCausalLM"], "attention_bias": false, "hidden_act": "silu",
  "hidden_size": 4096, "intermediate_size": 14336, "max_position_embeddings": 8192,
  "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 32,
  "num_key_value_heads": 8, "rope_theta": 500000.0, "tie_word_embeddings": false,
  "torch_dtype": "bfloat16", "vocab_size": 128256})");

const json mixtral = json::parse(R"({
  "model_type": "mixtral", "hidden_size": 4096, "intermediate_size": 14336,
  "max_position_embeddings": 32768, "num_attention_heads": 32, "num_experts_per_tok": 2,
  "num_hidden_layers": 32, "num_key_value_heads": 8, "num_local_experts": 8,
  "sliding_window": null, "tie_word_embeddings": false, "vocab_size": 32000})");

const json qwen3_30b_a3b = json::parse(R"({
  "model_type": "qwen3_moe", "attention_bias": false, "decoder_sparse_step": 1, "head_dim": 128,
  "hidden_size": 2048, "intermediate_size": 6144, "max_position_embeddings": 40960,
  "mlp_only_layers": [], "moe_intermediate_size": 768, "num_attention_heads": 32,
  "num_experts": 128, "num_experts_per_tok": 8, "num_hidden_layers": 48,
  "num_key_value_heads": 4, "sliding_window": null, "use_sliding_window": false,
  "tie_word_embeddings": false, "vocab_size": 151936})");

const json deepseek_v3 = json::parse(R"({
  "model_type": "deepseek_v3", "first_k_dense_replace": 3, "hidden_size": 7168,
  "intermediate_size": 18432, "kv_lora_rank": 512, "max_position_embeddings": 163840,
  "moe_intermediate_size": 2048, "moe_layer_freq": 1, "n_group": 8, "n_routed_experts": 256,
  "n_shared_experts": 1, "num_attention_heads": 128, "num_experts_per_tok": 8,
  "num_hidden_layers": 61, "num_key_value_heads": 128, "num_nextn_predict_layers": 1,
  "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
  "tie_word_embeddings": false, "topk_group": 4, "v_head_dim": 128, "vocab_size": 129280})");

const json gpt2 = json::parse(R"({
  "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12, "n_layer": 12,
  "n_positions": 1024, "resid_pdrop": 0.1, "vocab_size": 50257})");

json with(json config, const char* patch) {
  config.merge_patch(json::parse(patch));
  return config;
}

json imported_model(const json& config) {
  const Imported imported = read_huggingface_config(config, "config.json");
  return test::whole_model((*imported.scenario)["model"]);
}

std::string refusal(const json& config) {
  return error_text([&] { read_huggingface_config(config, "config.json"); });
}

}  // namespace

TEST_CASE("a published config.json gives the model that its paper describes", "[scenarios]") {
  CHECK(imported_model(llama3_8b) == test::catalogue_model("llama3_8b"));
  CHECK(imported_model(mixtral) == test::catalogue_model("mixtral_8x7b"));
  CHECK(imported_model(qwen3_30b_a3b) == test::catalogue_model("qwen3_30b_a3b"));
  CHECK(imported_model(deepseek_v3) == test::catalogue_model("deepseek_v3"));
}

TEST_CASE("GPT-2 has its 124,439,808 parameters: tied, biased, learned positions", "[scenarios]") {
  // 12 layers of 12 x 768^2 + 13 x 768, two tables (50,257 + 1,024) x 768, a last norm of 2 x 768
  const std::int64_t expected =
      12LL * (12 * 768 * 768 + 13 * 768) + (50257LL + 1024) * 768 + 2 * 768;
  REQUIRE(expected == 124439808);
  const json scenario = {{"schema", 1},
                         {"model", (*read_huggingface_config(gpt2, "c").scenario)["model"]},
                         {"cluster", {{"node", "dgx_a100_80gb"}, {"nodes", 1}}},
                         {"batch", {{"global_batch", 8}, {"sequence_length", 1024}}}};
  const Scenario read = scenarios_from_json(scenario, "s", {}).front();
  CHECK(total_parameters(read.job.model, 50257, 1024) == expected);
}

TEST_CASE("what a config.json says and no scenario can hold is listed", "[scenarios]") {
  const Imported imported = read_huggingface_config(
      with(llama3_8b, R"({"sliding_window": 4096, "mystery": {"a": 1}, "attention_bias": true})"),
      "config.json");
  CHECK(mentions(imported.not_carried, "sliding_window 4096"));
  CHECK(mentions(imported.not_carried, "attention_bias true: biases are not counted"));
  CHECK(mentions(imported.not_carried, "torch_dtype bfloat16"));
  CHECK(mentions(imported.not_carried, "without effect on time or memory: architectures"));
  CHECK(mentions(imported.not_carried, "not known: mystery"));
  CHECK(imported.usual.front().json == "4096");
  CHECK(imported.usual.front().why == "the model takes up to 8192");
}

TEST_CASE("the language model inside a larger one is read, the rest is listed", "[scenarios]") {
  const json larger = {
      {"model_type", "llava"}, {"text_config", llama3_8b}, {"vision_config", {{"layers", 24}}}};
  CHECK(imported_model(larger) == test::catalogue_model("llama3_8b"));
  const Imported imported = read_huggingface_config(larger, "config.json");
  CHECK(mentions(imported.not_carried, "outside text_config: model_type, vision_config"));
}

TEST_CASE("a config.json that no model describes is refused with its place", "[scenarios]") {
  CHECK_THAT(refusal(with(llama3_8b, R"({"model_type": "t5"})")),
             Catch::StartsWith("config.json: at /model_type: model_type \"t5\" is not known"));
  CHECK_THAT(refusal(with(llama3_8b, R"({"hidden_size": "4096"})")),
             Catch::StartsWith("config.json: at /hidden_size: found \"4096\", expected a whole"));
  CHECK_THAT(refusal(with(llama3_8b, R"({"vocab_size": null})")),
             Catch::StartsWith("config.json: at /: \"vocab_size\" is missing"));
  CHECK_THAT(refusal(with(qwen3_30b_a3b, R"({"decoder_sparse_step": 2})")),
             Catch::StartsWith("config.json: at /decoder_sparse_step: experts in every few"));
  CHECK_THAT(refusal(with(qwen3_30b_a3b, R"({"mlp_only_layers": [0, 5]})")),
             Catch::StartsWith("config.json: at /mlp_only_layers: dense layers between"));
}
