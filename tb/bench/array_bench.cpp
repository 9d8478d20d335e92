// Hand-written test bench for `bench sim`: replays a file of stimulus on a Verilated Tender array (INT8) and hashes every valid result.
//
//   array_bench STIMULUS RECORDS REPEATS
//
// A record is one cycle: a word of tags (first, last, two bits of shift), then the activations, then the weights.
// Prints cycles, seconds of processor time and hash. -DSIZE=n says how many rows and columns the array has.

#include "Vdut.h"
#include "verilated.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <vector>

static constexpr int record_words = 1 + 2 * SIZE / 4;

static inline void clock(Vdut& dut) {
  dut.clk = 1;
  dut.eval();
  dut.clk = 0;
  dut.eval();
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const size_t records = std::strtoull(argv[2], nullptr, 10);
  const size_t repeats = std::strtoull(argv[3], nullptr, 10);
  std::vector<uint32_t> stimulus(records * record_words);
  std::FILE* const file = std::fopen(argv[1], "rb");
  if (!file || std::fread(stimulus.data(), 4, stimulus.size(), file) != stimulus.size()) return 2;
  std::fclose(file);

  VerilatedContext context;
  Vdut dut(&context, "");
  dut.rst = 1;
  clock(dut);
  clock(dut);
  dut.rst = 0;
  dut.x_valid = 1;
  dut.w_valid = 1;
  dut.y_ready = 1;

  uint32_t hash = 2166136261u;
  uint32_t row[SIZE];
  const std::clock_t start = std::clock();
  for (size_t repeat = 0; repeat < repeats; ++repeat) {
    const uint32_t* record = stimulus.data();
    for (size_t i = 0; i < records; ++i, record += record_words) {
      dut.x_first = record[0] & 1;
      dut.x_last = record[0] >> 1 & 1;
      dut.x_shift = record[0] >> 2 & 3;
      std::memcpy(&dut.x_data, record + 1, SIZE);
      std::memcpy(&dut.w_data, record + 1 + SIZE / 4, SIZE);
      clock(dut);
      if (!dut.y_valid) continue;
      std::memcpy(row, &dut.y_data, sizeof row);
      for (uint32_t word : row) hash = (hash ^ word) * 16777619u;
    }
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("%zu %.9f %08x\n", records * repeats, seconds, hash);
  return 0;
}
