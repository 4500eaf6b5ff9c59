// A plan in plain doubles: the network with the weights that the encrypted engine uses and no encryption
// noise. What is left between it and the clear executor is weight rounding; between it and a decrypted run,
// CKKS noise.
#pragma once

#include <span>
#include <vector>

#include "plan/plan.h"

namespace velum::engine {

// values[v][ciphertext of value v * P + block] of one image, as true values (scales divided out). `image` is
// row-major as in the data set; the plan's input order is applied here. Blocks that a rotation takes from a
// neighbouring image are the image's own.
std::vector<std::vector<double>> run_clear(const plan::ServerPlan& plan, std::span<const float> image);

// Outputs of many images, [count][outputs]; parallel over images.
std::vector<double> run_clear_batch(const plan::ServerPlan& plan, std::span<const float> images,
                                    std::size_t count);

}  // namespace velum::engine
