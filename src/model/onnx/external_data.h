// Weights that lie in a file beside the network's (PyTorch's default today).
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>

namespace velum::model {

// Where tensors may keep their data: only inside the folder of the network's own file. Empty: nowhere, the
// network came as bytes.
struct ExternalFolder {
  std::string path;
};

// The `bytes` bytes that the tensor's location, offset and length name. Refuses a path that leaves the
// folder, and what is not wholly inside the file.
std::string read_external(const onnx::TensorProto& t, std::uint64_t bytes, const ExternalFolder& folder,
                          const std::string& what);

}  // namespace velum::model
