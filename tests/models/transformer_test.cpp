#include "models/transformer.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <utility>

#include "tests/base/error_text.h"
#include "tests/models/read_json.h"

using namespace stepcast;
using Catch::Matchers::WithinRel;

namespace {

Transformer model(const std::string& name) { return from_catalogue<Transformer>("models", name); }

/// GPT with 2 layers, hidden 6, 3 heads, 10 tokens: small enough to count by hand.
Transformer tiny_gpt() {
  return read_text<Transformer>(
      R"({"num_layers": 2, "hidden_size": 6, "num_attention_heads": 3, "vocab_size": 10})");
}

}  // namespace

TEST_CASE("a plain model is GPT unless said: tied, biased, learned positions", "[models]") {
  const Transformer gpt = tiny_gpt();
  REQUIRE(gpt.num_query_groups == 3);
  REQUIRE(gpt.ffn_hidden_size == 24);
  REQUIRE(gpt.head_size == 2);
  REQUIRE(gpt.tied_embeddings);
  REQUIRE(gpt.linear_bias);
  REQUIRE(gpt.position_embedding == PositionEmbedding::Learned);
}

TEST_CASE("a gated model is LLaMA unless said: untied, no biases, rotary positions", "[models]") {
  const auto llama = read_text<Transformer>(R"({
    "num_layers": 2, "hidden_size": 6, "num_attention_heads": 3, "vocab_size": 10,
    "gated_mlp": true
  })");
  REQUIRE_FALSE(llama.tied_embeddings);
  REQUIRE_FALSE(llama.linear_bias);
  REQUIRE(llama.position_embedding == PositionEmbedding::Rotary);
}

TEST_CASE("tying the embeddings adds no biases: Llama 3.2 1B, to the last parameter", "[models]") {
  const auto llama = read_text<Transformer>(R"({
    "num_layers": 16, "hidden_size": 2048, "num_attention_heads": 32, "num_query_groups": 8,
    "ffn_hidden_size": 8192, "vocab_size": 128256, "gated_mlp": true, "tied_embeddings": true
  })");
  REQUIRE(total_parameters(llama, 128256, 4096) == 1'235'814'400);
}

TEST_CASE("what a model says of itself wins over its family's defaults", "[models]") {
  const auto said = read_text<Transformer>(R"({
    "num_layers": 2, "hidden_size": 6, "num_attention_heads": 3, "vocab_size": 10,
    "tied_embeddings": false, "linear_bias": false, "head_size": 4, "num_query_groups": 1,
    "ffn_hidden_size": 16, "position_embedding": "alibi"
  })");
  REQUIRE_FALSE(said.tied_embeddings);
  REQUIRE_FALSE(said.linear_bias);
  REQUIRE(said.position_embedding == PositionEmbedding::Alibi);
  REQUIRE(query_key_value_size(said) == 20);  // (3 + 2 x 1) x 4
}

TEST_CASE("a model that is written reads back to the same", "[models]") {
  Transformer gpt = model("llama2_70b");
  const auto json = write_fields([&](Fields& f) { describe(f, gpt); }, true);
  const auto again = read_value<Transformer>(json);
  REQUIRE(total_parameters(again, 32000, 4096) == total_parameters(gpt, 32000, 4096));
  REQUIRE(again.head_size == 128);
  REQUIRE(again.position_embedding == PositionEmbedding::Rotary);
}

TEST_CASE("heads that do not divide the width are an error without a head size", "[models]") {
  REQUIRE(error_text([] {
            read_text<Transformer>(
                R"({"num_layers": 2, "hidden_size": 100, "num_attention_heads": 3,
                    "vocab_size": 10})");
          }) ==
          "x.json: at /num_attention_heads: hidden_size 100 is not a multiple of 3 heads\n"
          "  hint: state head_size");
}

TEST_CASE("heads must divide into query groups", "[models]") {
  REQUIRE(error_text([] {
            read_text<Transformer>(
                R"({"num_layers": 2, "hidden_size": 64, "num_attention_heads": 8,
                    "vocab_size": 10, "num_query_groups": 3})");
          }) == "x.json: at /num_query_groups: 8 heads do not divide into 3 query groups");
}

TEST_CASE("parameters of a small GPT, counted by hand", "[models]") {
  const Transformer gpt = tiny_gpt();
  // query-key-value 6 x 18, output 6 x 6, MLP 6 x 24 and 24 x 6
  REQUIRE(layer_matrix_parameters(gpt) == 108 + 36 + 144 + 144);
  // two norms, each with weight and bias
  REQUIRE(layer_norm_parameters(gpt) == 2 * 2 * 6);
  // biases 18 + 6 + 24 + 6
  REQUIRE(layer_parameters(gpt) == 432 + 54 + 24);
  REQUIRE(embedding_parameters(gpt, 16) == 96);
  // two layers, final norm, one table of 16 rows, 5 positions
  REQUIRE(total_parameters(gpt, 16, 5) == 2 * 510 + 12 + 96 + 30);
}

TEST_CASE("a stated position table does not follow the sequence", "[models]") {
  Transformer gpt = tiny_gpt();
  gpt.max_sequence_length = 7;
  REQUIRE(total_parameters(gpt, 16, 5) - total_parameters(tiny_gpt(), 16, 5) == (7 - 5) * 6);
}

TEST_CASE("LLaMA parameters are the published totals, to the last one", "[models]") {
  const auto [name, parameters] = GENERATE(table<std::string, std::int64_t>({
      {"llama_7b", 6'738'415'616},
      {"llama_13b", 13'015'864'320},
      {"llama_33b", 32'528'943'616},
      {"llama_65b", 65'285'660'672},
      {"llama2_70b", 68'976'648'192},
      {"llama3_8b", 8'030'261'248},
      {"llama3_70b", 70'553'706'496},
      {"llama3_405b", 405'853'388'800},
  }));
  CAPTURE(name);
  const Transformer llama = model(name);
  REQUIRE(total_parameters(llama, llama.vocab_size, 2048) == parameters);
}

TEST_CASE("models with experts have the published totals, and the published active weights",
          "[models]") {
  // Mixtral 46.7B, 12.9B active (arXiv:2401.04088); DeepSeek-V2 236B, 21B (arXiv:2405.04434);
  // DeepSeek-V3 671B, 37B (arXiv:2412.19437; without its prediction module of 14B); Qwen3 30.5B,
  // 3.3B and 235B, 22B (arXiv:2505.09388).
  const auto [name, billions, active] = GENERATE(table<std::string, double, double>({
      {"mixtral_8x7b", 46.7, 12.9},
      {"deepseek_v2", 235.7, 21.4},
      {"deepseek_v3", 671.0, 37.6},
      {"qwen3_30b_a3b", 30.5, 3.35},
      {"qwen3_235b_a22b", 235.1, 22.2},
  }));
  CAPTURE(name);
  const Transformer model = ::model(name);
  const auto total = static_cast<double>(total_parameters(model, model.vocab_size, 4096));
  const auto used = static_cast<double>(active_parameters(model, model.vocab_size, 4096));
  REQUIRE(std::abs(total / 1e9 - billions) < 0.05);
  REQUIRE(std::abs(used / 1e9 - active) < 0.05);
}

TEST_CASE("Mixtral to the last weight, counted by hand", "[models]") {
  // A layer: attention 4096 (32 + 2 x 8) 128 + 4096^2, router 4096 x 8, 8 experts of 3 x 4096 x
  // 14336, two norms; 32 layers, final norm, two tables of 32000 rows.
  const std::int64_t attention = 4096LL * 6144 + 4096LL * 4096;
  const std::int64_t layer = attention + 4096 * 8 + 8LL * 3 * 4096 * 14336 + 2 * 4096;
  const Transformer mixtral = model("mixtral_8x7b");
  REQUIRE(total_parameters(mixtral, 32000, 4096) == 32 * layer + 4096 + 2 * 32000LL * 4096);
}

TEST_CASE("latent attention's weights, counted by hand", "[models]") {
  // Two heads; queries 6 x 4 and 4 x 2 (3 + 1); keys and values 6 x (5 + 1), 5 x 2 (3 + 2); output
  // 2 x 2 x 6; norms of 4 and 5. MLP 3 x 6 x 24, layer norms 2 x 6.
  const auto tiny = read_text<Transformer>(R"({
    "num_layers": 1, "hidden_size": 6, "num_attention_heads": 2, "vocab_size": 10,
    "gated_mlp": true, "q_lora_rank": 4, "kv_lora_rank": 5, "qk_nope_head_size": 3,
    "qk_rope_head_size": 1, "v_head_size": 2
  })");
  const int attention = 6 * 4 + 4 * 8 + 6 * 6 + 5 * 10 + 4 * 6;
  REQUIRE(layer_matrix_parameters(tiny) == attention + 3 * 6 * 24);
  REQUIRE(layer_parameters(tiny) == attention + 3 * 6 * 24 + 9 + 12);
  // Scores over 4, values over 2 elements a head: 2 x 5 x 5 x 2 x (4 + 2)
  REQUIRE(layer_forward_flop(tiny, 5).value() == 2 * 5 * (attention + 3 * 6 * 24) + 600);
}

TEST_CASE("model FLOP count the experts that a token passes, and predicted tokens", "[models]") {
  Transformer model = tiny_gpt();
  model.gated_mlp = true;
  model.experts = {.num_experts = 4,
                   .experts_per_token = 2,
                   .ffn_hidden_size = 10,
                   .shared_ffn_hidden_size = 5,
                   .dense_layers = 1};
  // Attention 6 x 18 + 36; a dense MLP 3 x 6 x 24; the router 24, two experts and the shared one
  // 3 x 6 x (20 + 5).
  REQUIRE(layer_forward_flop(model, 5).value() == 2 * 5 * (144 + 432) + 600);
  REQUIRE(layer_forward_flop(model, 5, LayerKind::Expert).value() ==
          2 * 5 * (144 + 24 + 450) + 600);
  const double both = 10 * 576 + 600 + 10 * 618 + 600;
  REQUIRE(model_flop(model, 5).value() == 3 * (both + 600));  // head 2 x 5 x 6 x 10
  model.multi_token_prediction = 1;
  // One more layer with experts, a product with 12 x 6, the head again.
  REQUIRE(model_flop(model, 5).value() == 3 * (both + 600 + 6780 + 720 + 600));
}

TEST_CASE("a model described in part is refused with what is missing", "[models]") {
  REQUIRE(error_text([] {
            read_text<Transformer>(
                R"({"num_layers": 2, "hidden_size": 8, "num_attention_heads": 2,
                    "vocab_size": 10, "num_experts": 4})");
          }) ==
          "x.json: at /num_experts: experts are described in part\n"
          "  hint: state num_experts, experts_per_token and expert_ffn_hidden_size");
  REQUIRE(error_text([] {
            read_text<Transformer>(
                R"({"num_layers": 2, "hidden_size": 8, "num_attention_heads": 2,
                    "vocab_size": 10, "kv_lora_rank": 4})");
          }) ==
          "x.json: at /kv_lora_rank: latent attention is described in part\n"
          "  hint: state kv_lora_rank, qk_nope_head_size and v_head_size, and q_lora_rank and "
          "qk_rope_head_size where the model has them");
}

TEST_CASE("GPT parameters follow Megatron's formula and its published table", "[models]") {
  // P = 12 l h^2 (1 + 13 / (12 h) + (V + s) / (12 l h)), which leaves out the final norm's 2 h.
  // Source: Narayanan et al., SC '21, equation 2 and table 1.
  const auto [name, billions] = GENERATE(table<std::string, double>({
      {"gpt_1_7b", 1.7},
      {"gpt_3_6b", 3.6},
      {"gpt_7_5b", 7.5},
      {"gpt_18b", 18.4},
      {"gpt_39b", 39.1},
      {"gpt_76b", 76.1},
      {"gpt_145b", 145.6},
      {"gpt_310b", 310.1},
      {"gpt_530b", 529.6},
      {"gpt_1t", 1008.0},
  }));
  CAPTURE(name);
  const Transformer gpt = model(name);
  const std::int64_t l = gpt.num_layers;
  const std::int64_t h = gpt.hidden_size;
  const std::int64_t formula = 12 * l * h * h + 13 * l * h + (51200 + 2048) * h;
  REQUIRE(total_parameters(gpt, 51200, 2048) == formula + 2 * h);
  // Rounded to a tenth in the table, and cut rather than rounded in places.
  REQUIRE(std::abs(static_cast<double>(formula) / 1e9 - billions) < 0.1);
}

TEST_CASE("GPT-3 has the 175 billion parameters it is named after", "[models]") {
  // 96 (12 h^2 + 13 h) + (50257 + 2048) h + 2 h with h = 12288: the paper says 175.0 billion
  const Transformer gpt = model("gpt3_175b");
  REQUIRE(total_parameters(gpt, 50257, 2048) == 174'604'259'328);
  REQUIRE_THAT(static_cast<double>(total_parameters(gpt, 50257, 2048)), WithinRel(175.0e9, 3e-3));
}

TEST_CASE("model FLOP are Megatron's formula for a plain model", "[models]") {
  // 72 s l h^2 (1 + s / (6 h) + V / (12 l h)) a sequence, without recompute: 96 in the paper's
  // equation 3 counts the forward pass twice.
  const std::string name = GENERATE("gpt_1_7b", "gpt_76b", "gpt_1t", "gpt3_175b");
  const int sequence_length = GENERATE(1024, 2048, 8192);
  const Transformer gpt = model(name);
  const double s = sequence_length;
  const double l = gpt.num_layers;
  const double h = gpt.hidden_size;
  const double v = gpt.vocab_size;
  const double formula = 72 * s * l * h * h * (1 + s / (6 * h) + v / (12 * l * h));
  REQUIRE_THAT(model_flop(gpt, sequence_length).value(), WithinRel(formula, 1e-14));
}

TEST_CASE("forward FLOP of a small grouped-query layer, counted by hand", "[models]") {
  Transformer llama = tiny_gpt();
  llama.num_query_groups = 1;
  llama.gated_mlp = true;
  // matrices: 6 x 10 + 6 x 6 + 3 x 6 x 24 = 528, two FLOP each for every of 5 tokens;
  // scores and their product with values: 2 x 2 x 5 x 5 x 6
  REQUIRE(layer_forward_flop(llama, 5).value() == 2 * 5 * 528 + 600);
  REQUIRE(logits_forward_flop(llama, 10, 5).value() == 2 * 5 * 6 * 10);
  REQUIRE(model_flop(llama, 5).value() == 3 * (2 * 5880 + 600));
}
