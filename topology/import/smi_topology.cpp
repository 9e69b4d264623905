// The matrix of `nvidia-smi topo -m`: a row for each device, a relation in each cell.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/input_error.h"
#include "base/text_lines.h"
#include "topology/import/node_sketch.h"

namespace stepcast {
namespace {

using Words = std::vector<std::string_view>;

struct Row {
  std::size_t line = 0;
  Words cells;  ///< [column]
  Words after;  ///< affinities
};

struct Matrix {
  std::string file;
  std::size_t header_line = 0;
  std::vector<std::string> names;
  std::vector<Row> rows;  ///< [device]; a line of 0 where it is missing

  InputPlace place(std::size_t device) const { return line_place(file, rows[device].line); }
  std::size_t num_gpus() const {
    return static_cast<std::size_t>(std::count_if(
        names.begin(), names.end(), [](const std::string& n) { return n.starts_with("GPU"); }));
  }
};

// Terminals' underlining around the header.
std::string without_escapes(std::string_view line) {
  std::string text;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\x1b') {
      text += line[i];
      continue;
    }
    i = std::min(line.find('m', i), line.size());
  }
  return text;
}

int nvlinks(std::string_view cell) {
  if (!cell.starts_with("NV")) return 0;
  return static_cast<int>(whole_number(cell.substr(2)).value_or(0));
}

bool is_near(std::string_view cell) { return cell == "PIX" || cell == "PXB"; }

bool is_relation(std::string_view cell) {
  constexpr std::array<std::string_view, 6> relations{"X", "PIX", "PXB", "PHB", "NODE", "SYS"};
  return nvlinks(cell) > 0 ||
         std::find(relations.begin(), relations.end(), cell) != relations.end();
}

std::string another_program(std::string_view cell) {
  if (cell == "XGMI" || cell == "PCIE" || cell == "0")
    return "this is AMD's rocm-smi: only NVIDIA's is read";
  if (cell == "OK" || cell == "NS" || cell == "CNS" || cell == "GNS" || cell == "TNS") {
    return "this is `nvidia-smi topo -p2p`: the output of `nvidia-smi topo -m` is read";
  }
  return "expected X, NV and a number, PIX, PXB, PHB, NODE or SYS";
}

// The devices' names: what stands before the affinities.
std::vector<std::string> device_names(const Words& header) {
  std::vector<std::string> names;
  for (const std::string_view word : header) {
    if (word == "CPU" || word == "NUMA") break;
    names.emplace_back(word);
  }
  return names;
}

bool is_header(const Words& words) {
  const bool one_gpu = words.size() == 1 || (words.size() > 1 && words[1] == "CPU");
  return !words.empty() && words[0] == "GPU0" &&
         (one_gpu || words[1].starts_with("GPU") || words[1].starts_with("NIC") ||
          words[1].starts_with("mlx"));
}

void read_row(Matrix& matrix, const Words& words, std::size_t line) {
  const auto name = std::find(matrix.names.begin(), matrix.names.end(), words[0]);
  if (name == matrix.names.end()) return;  // a legend's line
  const auto device = static_cast<std::size_t>(name - matrix.names.begin());
  const std::size_t columns = matrix.names.size();
  const InputPlace place = line_place(matrix.file, line);
  if (!matrix.rows[device].cells.empty()) {
    throw InputError(place, fmt::format("{} has a second row", words[0]));
  }
  for (std::size_t column = 0; column < columns; ++column) {
    if (column + 1 >= words.size()) {
      throw InputError(place, fmt::format("the row of {} has {} cells, the header {} devices",
                                          words[0], words.size() - 1, columns));
    }
    if (!is_relation(words[column + 1])) {
      throw InputError(place,
                       fmt::format("\"{}\" in column {} is no relation of two devices",
                                   words[column + 1], matrix.names[column]),
                       another_program(words[column + 1]));
    }
  }
  const auto cells = words.begin() + 1;
  const auto after = cells + static_cast<std::ptrdiff_t>(columns);
  matrix.rows[device] = {line, Words(cells, after), Words(after, words.end())};
}

void check_rows(const Matrix& matrix) {
  for (std::size_t a = 0; a < matrix.names.size(); ++a) {
    if (matrix.rows[a].cells.empty()) {
      throw InputError(line_place(matrix.file, matrix.header_line),
                       fmt::format("{} has a column and no row", matrix.names[a]));
    }
  }
  for (std::size_t a = 0; a < matrix.names.size(); ++a) {
    for (std::size_t b = 0; b < matrix.names.size(); ++b) {
      const std::string_view cell = matrix.rows[a].cells[b];
      const std::string_view mirrored = matrix.rows[b].cells[a];
      if ((a == b) != (cell == "X")) {
        throw InputError(matrix.place(a), fmt::format("\"{}\" between {} and {}", cell,
                                                      matrix.names[a], matrix.names[b]));
      }
      if (cell != mirrored) {
        throw InputError(matrix.place(a),
                         fmt::format("{} to {} is {}, and back {}", matrix.names[a],
                                     matrix.names[b], cell, mirrored));
      }
    }
  }
}

void describe_nvlink(const Matrix& matrix, NodeSketch& sketch) {
  constexpr int most_links_of_a_gpu = 18;  // Hopper's and Blackwell's
  const std::size_t gpus = matrix.num_gpus();
  std::set<int> counts;
  for (std::size_t a = 0; a < gpus; ++a) {
    for (std::size_t b = 0; b < gpus; ++b) {
      if (a != b) counts.insert(nvlinks(matrix.rows[a].cells[b]));
    }
  }
  const bool all_alike = counts.size() == 1 && *counts.begin() > 0;
  if (!all_alike) {
    sketch.interconnect = GpuInterconnect::Pcie;
    if (!counts.empty() && *counts.rbegin() > 0) {
      sketch.caveats.emplace_back(
          "NVLink joins some pairs of GPUs only, which a node cannot say: it is left out");
    }
    return;
  }
  // A switch shows each pair all links of a GPU, which direct links could not be so many.
  const int pairs = static_cast<int>(gpus) - 1;
  const bool direct = pairs * *counts.begin() <= most_links_of_a_gpu;
  sketch.interconnect = direct ? GpuInterconnect::NvLinkMesh : GpuInterconnect::NvSwitch;
  sketch.nvlinks = direct ? pairs * *counts.begin() : *counts.begin();
  if (!direct && *counts.begin() == 12) sketch.architecture = GpuArchitecture::Ampere;
}

// GPUs share a switch where they are near to the same NICs; where there are none, to each other.
void describe_switches(const Matrix& matrix, NodeSketch& sketch) {
  const std::size_t gpus = matrix.num_gpus();
  std::map<std::set<std::size_t>, int> gpus_by_company;
  std::set<std::size_t> near_nics;
  for (std::size_t gpu = 0; gpu < gpus; ++gpu) {
    std::set<std::size_t> nics;
    std::set<std::size_t> neighbours;
    for (std::size_t other = 0; other < matrix.names.size(); ++other) {
      if (is_near(matrix.rows[gpu].cells[other])) (other < gpus ? neighbours : nics).insert(other);
    }
    near_nics.insert(nics.begin(), nics.end());
    neighbours.insert(gpu);
    ++gpus_by_company[nics.empty() ? neighbours : nics];
  }
  sketch.near_nics = static_cast<int>(near_nics.size());
  sketch.far_nics = static_cast<int>(matrix.names.size() - gpus) - sketch.near_nics;
  const auto most =
      std::max_element(gpus_by_company.begin(), gpus_by_company.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  const bool told =
      near_nics.size() > 0 || most->second > 1 || sketch.interconnect == GpuInterconnect::Pcie;
  if (told) sketch.gpus_per_pcie_switch = most->second;
}

void describe_sockets(const Matrix& matrix, NodeSketch& sketch) {
  std::set<std::string_view> affinities;
  for (std::size_t gpu = 0; gpu < matrix.num_gpus(); ++gpu) {
    if (matrix.rows[gpu].after.empty()) return;
    affinities.insert(matrix.rows[gpu].after[0]);
  }
  sketch.sockets = static_cast<int>(affinities.size());
}

}  // namespace

NodeSketch read_smi_topology(std::string_view text, const std::string& file) {
  std::vector<std::string> lines;
  for (const std::string_view line : text_lines(text, file)) lines.push_back(without_escapes(line));
  Matrix matrix;
  matrix.file = file;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Words words = words_of(lines[i]);
    if (words.empty() || words[0].starts_with('#')) continue;
    if (!matrix.names.empty()) {
      read_row(matrix, words, i);
    } else if (is_header(words)) {
      matrix.header_line = i;
      matrix.names = device_names(words);
      matrix.rows.resize(matrix.names.size());
    }
  }
  if (matrix.names.empty()) {
    throw InputError({file, ""}, "there is no header with GPU0 of `nvidia-smi topo -m`");
  }
  check_rows(matrix);
  NodeSketch sketch;
  sketch.gpus = static_cast<int>(matrix.num_gpus());
  describe_nvlink(matrix, sketch);
  describe_switches(matrix, sketch);
  describe_sockets(matrix, sketch);
  return sketch;
}

}  // namespace stepcast
