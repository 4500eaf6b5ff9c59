// Flat storage for limbs and panels: 64-byte aligned, movable, never copied by accident.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

namespace velum {

namespace detail {
// 64-byte aligned (from 1 MiB on 2 MiB aligned, and in huge pages where they pay: huge_pages.h). Throws
// Error(failure) with the size.
void* allocate_aligned(std::size_t bytes);
void free_aligned(void* p, std::size_t bytes) noexcept;
// n items of `size` bytes; a product that does not fit is as impossible as the memory.
std::size_t checked_bytes(std::size_t n, std::size_t size);
void* allocate_secret(std::size_t bytes);  // additionally locked in memory where the limits allow it
void free_secret(void* p, std::size_t bytes) noexcept;  // wiped first
}  // namespace detail

// Contents are uninitialised unless `zeroed` is used.
template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t n)
      : data_(n ? static_cast<T*>(detail::allocate_aligned(detail::checked_bytes(n, sizeof(T)))) : nullptr),
        size_(n) {}
  static AlignedBuffer zeroed(std::size_t n) {
    AlignedBuffer b(n);
    if (n) std::memset(b.data_, 0, n * sizeof(T));
    return b;
  }
  AlignedBuffer(AlignedBuffer&& o) noexcept
      : data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    return *this;
  }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  ~AlignedBuffer() {
    if (data_) detail::free_aligned(data_, size_ * sizeof(T));
  }
  AlignedBuffer clone() const {
    AlignedBuffer b(size_);
    if (size_) std::memcpy(b.data_, data_, size_ * sizeof(T));
    return b;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  std::span<T> span() { return {data_, size_}; }
  std::span<const T> span() const { return {data_, size_}; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

// As AlignedBuffer, zeroed at birth, locked where possible, wiped at death. For secret keys, seeds of secret
// randomness, noise and plaintexts of the client.
template <typename T>
class SecretBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  SecretBuffer() = default;
  explicit SecretBuffer(std::size_t n)
      : data_(n ? static_cast<T*>(detail::allocate_secret(detail::checked_bytes(n, sizeof(T)))) : nullptr),
        size_(n) {}
  SecretBuffer(SecretBuffer&& o) noexcept
      : data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  SecretBuffer& operator=(SecretBuffer&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    return *this;
  }
  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;
  ~SecretBuffer() {
    if (data_) detail::free_secret(data_, size_ * sizeof(T));
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  std::span<T> span() { return {data_, size_}; }
  std::span<const T> span() const { return {data_, size_}; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace velum
