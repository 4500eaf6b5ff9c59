#include "stand_in_device.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>
#include <torch/torch.h>

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

namespace velum::train {

namespace {

constexpr auto kStandIn = c10::DeviceType::XPU;
using torch::Tensor;
using Stack = torch::jit::Stack;

std::atomic<std::int64_t> operations{0};

// Addresses of the stand-in's memory are the processor's with this bit: no address that x86-64 knows, so that
// reading or writing there without the stand-in's operations stops the program, as with a GPU's memory.
constexpr std::uintptr_t kElsewhere = std::uintptr_t{1} << 62;

void* address_on(c10::DeviceType device, const void* at) {
  auto bits = reinterpret_cast<std::uintptr_t>(at);
  if (bits != 0) bits = device == kStandIn ? bits | kElsewhere : bits & ~kElsewhere;
  return reinterpret_cast<void*>(bits);
}

// A tensor of the named device on the same memory, which it keeps alive.
Tensor on_same_memory(const Tensor& t, c10::DeviceType device, c10::DispatchKey key) {
  const auto& old = t.storage();
  const auto release = [](void* keeper) { delete static_cast<Tensor*>(keeper); };
  c10::DataPtr memory(address_on(device, old.data()), new Tensor(t), release,
                      c10::Device(device, device == c10::kCPU ? -1 : 0));
  c10::Storage storage(c10::Storage::use_byte_size_t(), old.nbytes(), std::move(memory), nullptr, false);
  auto out =
      at::detail::make_tensor<c10::TensorImpl>(std::move(storage), c10::DispatchKeySet(key), t.dtype());
  out.unsafeGetTensorImpl()->set_sizes_and_strides(t.sizes(), t.strides(), t.storage_offset());
  return out;
}

bool is_ours(const Tensor& t) {
  return t.defined() && t.device().type() == kStandIn;
}

Tensor to_processor(const Tensor& t) {
  return is_ours(t) ? on_same_memory(t, c10::kCPU, c10::DispatchKey::CPU) : t;
}
Tensor to_stand_in(const Tensor& t) {
  return t.defined() && t.device().is_cpu() ? on_same_memory(t, kStandIn, c10::DispatchKey::XPU) : t;
}

void require_ours(const Tensor& t, const c10::FunctionSchema& schema) {
  TORCH_CHECK(!t.defined() || is_ours(t) || t.dim() == 0, schema.name(),
              ": a tensor of the stand-in and one of ", t.device(), " of ", t.sizes());
}

// Calls `mapped` on every tensor in the value.
template <typename Map>
c10::IValue with_tensors(const c10::IValue& value, const Map& mapped) {
  if (value.isTensor()) return mapped(value.toTensor());
  if (value.isTensorList()) {
    std::vector<Tensor> out;
    for (const Tensor& t : value.toTensorVector()) out.push_back(mapped(t));
    return c10::IValue(c10::List<Tensor>(at::ArrayRef<Tensor>(out)));
  }
  if (value.isOptionalTensorList()) {
    auto out = value.toOptionalTensorList().copy();
    for (std::size_t i = 0; i < out.size(); ++i)
      if (const auto t = out.get(i); t) out.set(i, mapped(*t));
    return out;
  }
  return value;
}

// Makes `target` a tensor on that memory of the stand-in.
void take_memory(const Tensor& target, const c10::Storage& memory, at::IntArrayRef sizes,
                 at::IntArrayRef strides, std::int64_t offset) {
  auto* impl = target.unsafeGetTensorImpl();
  impl->set_storage_keep_dtype(memory);
  impl->set_sizes_and_strides(sizes, strides, offset);
}
void take_memory(const Tensor& target, const Tensor& source) {
  take_memory(target, source.storage(), source.sizes(), source.strides(), source.storage_offset());
}

// Of a returned value the argument that it is, where the operation writes to one; none: the number of
// arguments.
std::size_t written_argument(const c10::FunctionSchema& schema, const c10::Argument& result) {
  const auto count = schema.arguments().size();
  const auto* alias = result.alias_info();
  if (!alias || !alias->isWrite()) return count;
  for (std::size_t i = 0; i < count; ++i) {
    const auto* of_argument = schema.arguments()[i].alias_info();
    if (of_argument && *of_argument == *alias) return i;
  }
  return count;
}

// Any operation: by the processor, on the same memory.
void run_on_processor(const c10::OperatorHandle& op, Stack* stack, bool one_device) {
  ++operations;
  const auto& schema = op.schema();
  const auto count = schema.arguments().size();
  const std::vector<c10::IValue> given(stack->end() - static_cast<std::ptrdiff_t>(count), stack->end());
  for (std::size_t i = 0; i < count; ++i) {
    auto& argument = (*stack)[stack->size() - count + i];
    argument = with_tensors(argument, [&](const Tensor& t) {
      if (one_device) require_ours(t, schema);
      // What is empty is often there to be given a size, which memory of others cannot take.
      return is_ours(t) && t.numel() == 0 ? torch::empty(t.sizes(), t.scalar_type()) : to_processor(t);
    });
    if (argument.isDevice() && argument.toDevice().type() == kStandIn) argument = c10::Device(c10::kCPU);
  }
  op.callBoxed(stack);
  const auto results = schema.returns().size();
  for (std::size_t r = 0; r < results; ++r) {
    auto& result = (*stack)[stack->size() - results + r];
    const auto written = written_argument(schema, schema.returns()[r]);
    if (written == count) {
      result = with_tensors(result, to_stand_in);
      continue;
    }
    if (const auto target = given[written].toTensor(); is_ours(target) && target.numel() == 0)
      take_memory(target, to_stand_in(result.toTensor()));
    result = given[written];
  }
}

void run_any(const c10::OperatorHandle& op, Stack* stack) {
  run_on_processor(op, stack, true);
}
void run_copy(const c10::OperatorHandle& op, Stack* stack) {
  run_on_processor(op, stack, false);
}

// torch leaves convolutions of devices that it does not know to these two.
std::vector<c10::IValue> taken(const c10::OperatorHandle& op, Stack* stack) {
  ++operations;
  const auto count = op.schema().arguments().size();
  auto out = torch::jit::pop(*stack, count);
  for (auto& value : out)
    value = with_tensors(value, [&](const Tensor& t) {
      require_ours(t, op.schema());
      return to_processor(t);
    });
  return out;
}

void convolve(const c10::OperatorHandle& op, Stack* stack) {
  const auto a = taken(op, stack);
  const auto bias = a[2].isTensor() ? a[2].toTensor() : Tensor();
  stack->emplace_back(to_stand_in(at::convolution(a[0].toTensor(), a[1].toTensor(), bias, a[3].toIntVector(),
                                                  a[4].toIntVector(), a[5].toIntVector(), a[6].toBool(),
                                                  a[7].toIntVector(), a[8].toInt())));
}

void convolve_backward(const c10::OperatorHandle& op, Stack* stack) {
  const auto a = taken(op, stack);
  const auto wanted = a[9].toBoolList();
  const std::vector<std::int64_t> bias{a[2].toTensor().size(0)};
  const auto [gx, gw, gb] = at::convolution_backward(
      a[0].toTensor(), a[1].toTensor(), a[2].toTensor(), bias, a[3].toIntVector(), a[4].toIntVector(),
      a[5].toIntVector(), a[6].toBool(), a[7].toIntVector(), a[8].toInt(), {wanted[0], wanted[1], wanted[2]});
  for (const auto& g : {gx, gw, gb}) stack->emplace_back(to_stand_in(g));
}

// tensor.set_(other): the memory of another tensor of the stand-in.
void set_memory(const c10::OperatorHandle& op, Stack* stack) {
  ++operations;
  const auto a = torch::jit::pop(*stack, op.schema().arguments().size());
  const auto target = a[0].toTensor(), source = a[1].toTensor();
  require_ours(source, op.schema());
  take_memory(target, source);
  stack->emplace_back(target);
}

// tensor.set_(storage, offset, sizes, strides)
void set_storage(const c10::OperatorHandle& op, Stack* stack) {
  ++operations;
  const auto a = torch::jit::pop(*stack, op.schema().arguments().size());
  const auto target = a[0].toTensor();
  take_memory(target, a[1].toStorage(), a[3].toIntVector(), a[4].toIntVector(), a[2].toInt());
  stack->emplace_back(target);
}

TORCH_LIBRARY_IMPL(_, XPU, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&run_any>());
}

TORCH_LIBRARY_IMPL(aten, XPU, m) {
  m.impl("copy_", torch::CppFunction::makeFromBoxedFunction<&run_copy>());
  m.impl("set_.source_Tensor", torch::CppFunction::makeFromBoxedFunction<&set_memory>());
  m.impl("set_.source_Storage_storage_offset", torch::CppFunction::makeFromBoxedFunction<&set_storage>());
  m.impl("convolution_overrideable", torch::CppFunction::makeFromBoxedFunction<&convolve>());
  m.impl("convolution_backward_overrideable",
         torch::CppFunction::makeFromBoxedFunction<&convolve_backward>());
}

C10_REGISTER_GUARD_IMPL(XPU, c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::XPU>)

}  // namespace

std::int64_t operations_on_stand_in() {
  return operations;
}

}  // namespace velum::train
