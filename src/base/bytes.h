// Little-endian reading and writing of bytes that may come from a stranger: every read is bounds-checked, and
// a count is checked against what is left before anything is allocated.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace velum {

class ByteWriter {
 public:
  template <typename T>
  requires std::is_arithmetic_v<T>
  void put(T value) {
    const auto* p = reinterpret_cast<const std::uint8_t*>(&value);
    out_.insert(out_.end(), p, p + sizeof(T));
  }
  template <typename T>
  requires std::is_arithmetic_v<T>
  void put_array(std::span<const T> values) {
    put<std::uint64_t>(values.size());
    put_bytes(std::as_bytes(values));
  }
  void put_bytes(std::span<const std::byte> bytes) {
    const auto* p = reinterpret_cast<const std::uint8_t*>(bytes.data());
    out_.insert(out_.end(), p, p + bytes.size());
  }
  void put_string(std::string_view s) { put_array(std::span<const char>(s.data(), s.size())); }
  void reserve(std::size_t bytes) { out_.reserve(bytes); }
  std::size_t size() const { return out_.size(); }
  const std::vector<std::uint8_t>& bytes() const { return out_; }
  std::vector<std::uint8_t> take() { return std::move(out_); }

 private:
  std::vector<std::uint8_t> out_;
};

class ByteReader {
 public:
  // `what` names the object in errors, e.g. "keys/eval.keys".
  ByteReader(std::span<const std::uint8_t> bytes, std::string what) : in_(bytes), what_(std::move(what)) {}

  template <typename T>
  requires std::is_arithmetic_v<T> T get() {
    T value;
    std::memcpy(&value, take(sizeof(T)), sizeof(T));
    return value;
  }
  template <typename T>
  requires std::is_arithmetic_v<T> std::vector<T> get_array(std::uint64_t max_count) {
    const auto n = count(max_count, sizeof(T));
    std::vector<T> v(n);
    if (n) std::memcpy(v.data(), take(n * sizeof(T)), n * sizeof(T));
    return v;
  }
  std::string get_string(std::uint64_t max_length) {
    const auto n = count(max_length, 1);
    const auto* p = take(n);
    return {reinterpret_cast<const char*>(p), n};
  }
  // Reads a 64-bit count of items of `item_bytes` each; refuses more than `max_count` or than the bytes left.
  std::size_t count(std::uint64_t max_count, std::size_t item_bytes);
  // A view of the next n bytes, consumed.
  std::span<const std::uint8_t> get_bytes(std::size_t n) { return {take(n), n}; }
  std::size_t remaining() const { return in_.size() - pos_; }
  std::size_t position() const { return pos_; }
  const std::string& what() const { return what_; }
  // Refuses bytes after the end.
  void expect_end() const;

 private:
  const std::uint8_t* take(std::size_t n);

  std::span<const std::uint8_t> in_;
  std::size_t pos_ = 0;
  std::string what_;
};

}  // namespace velum
