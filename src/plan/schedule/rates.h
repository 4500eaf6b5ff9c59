// What a machine does a second, in the terms that costs are counted in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace velum::plan {

// One kind of work of an encrypted run. Counts are in residues unless said otherwise.
enum class Term : std::uint8_t {
  multiply_adds,   // of a weight and a residue of three digits (a residue of two counts two thirds)
  panel_reads,     // residues of three digits that a block of rows reads from a panel
  splits,          // residues of three digits split into them
  squares,         // residues of two polynomials squared to three
  square_sums,     // residues of two polynomials squared to three and added, each time that they are
  recombinations,  // sums of digits put together and reduced
  ntt_4096,        // butterflies, N / 2 log2 N a transform; smaller rings count as the smallest
  ntt_8192,
  ntt_16384,
  ntt_32768,
  ntt_65536,
  key_products,       // products with a key
  conversions,        // products in base conversions
  products,           // other products
  slice_bytes,        // bytes of values that affine maps read, a slice of every input at a time
  slices,             // such slices, one for every polynomial and modulus of an input
  calls,              // products of a group of rows and a slice
  blocks,             // of rows, in each tile of columns
  bytes,              // bytes read and written otherwise: results, unfinished ones written and read again
  inputs,             // residues of inputs: one unpacked and one expanded from the seed
  tasks,              // beginnings of a parallel loop (times)
  periodic_products,  // multiply-adds of residues by residues, where weights differ by block
  permutations,       // residues moved by a rotation
  run_reads,          // residues of inputs that products of residues by residues read, in each block of rows
};
inline constexpr std::size_t kTerms = 24;

constexpr std::size_t index(Term t) {
  return static_cast<std::size_t>(t);
}
const char* name(Term t);
Term ntt_term(std::size_t n);

// How much of each kind.
using Work = std::array<double, kTerms>;

// A second and thread. The defaults are those of one core of a server with AVX-512 VNNI and IFMA.
struct Rates {
  std::array<double, kTerms> per_second = {6.6e10, 7.2e10, 8.1e9,  6.2e8, 3e9,   3.8e9, 4e9,    3e9,
                                           3.5e9,  4.6e9,  4.5e9,  5.2e9, 1.2e9, 4.4e9, 8.9e10, 1.5e7,
                                           5.7e6,  1e8,    4.7e10, 3.3e8, 4.8e4, 8.5e9, 6e8,    2.6e9};
  double seconds(const Work& work) const;
};

// The rates of a machine at one thread, and of each thread where all are at work.
struct MachineRates {
  int threads = 2;
  Rates one, all;
  // Between the two the time of a thread grows evenly.
  Rates at(int count) const;
};

}  // namespace velum::plan
