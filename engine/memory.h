// The one block of memory that a program runs in.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace bramble::engine {

/// The plan does not fit. what(): "the plan needs 3.2 GiB, but 1.9 GiB are available"
class OutOfMemory : public std::runtime_error {
 public:
  explicit OutOfMemory(std::size_t needed, std::size_t available);
};

/// Zeroed, 2 MiB-aligned memory, in huge pages where the kernel gives them: a step touches all of it, and a
/// Cortex-A76's second-level TLB covers only 5 MiB of 4 KiB pages.
class Memory {
 public:
  Memory() = default;
  /// Throws OutOfMemory.
  explicit Memory(std::size_t bytes);
  ~Memory();
  Memory(Memory&& other) noexcept;
  Memory& operator=(Memory&& other) noexcept;

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  void* mapping_ = nullptr;
  std::size_t mapped_ = 0;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// What this process may still use: the least of free memory, its control group's limit and its address space's limit.
std::size_t available_memory();

/// "3.2 GiB", "512 KiB"
std::string format_bytes(std::size_t bytes);

}  // namespace bramble::engine
