// Every heap allocation of this program is counted, whoever makes it: the C library's entry points are replaced.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>

#include "engine/trainer.h"
#include "models/registry.h"

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

namespace {
std::atomic<long> allocations{0};
}

void* malloc(std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, bytes);
}
void* realloc(void* memory, std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) { return memalign(alignment, bytes); }
}

namespace bramble::engine {
namespace {

long allocations_of_a_step(const char* name, std::int64_t size, int threads, bool head_only, bool recorded = false) {
  const models::ModelInfo& info = models::find_model(name);
  TrainerOptions options{.threads = threads};
  options.optimizer.momentum = 0.9F;
  if (head_only) options.trainable = info.head_keys;
  Trainer trainer(models::build_model(info, {.batch = 2, .size = size, .classes = 10}), options);
  const auto record = trainer.program().make_record();
  if (recorded) trainer.record_into(record.get());
  trainer.step();  // threads have started, pages are there
  const long before = allocations.load();
  trainer.step();
  return allocations.load() - before;
}

TEST(AStep, AllocatesNothing) {
  ASSERT_GT(allocations.load(), 0) << "the replaced malloc is not in use: this test would see nothing";
  for (const int threads : {1, 3})
    for (const bool head_only : {false, true}) {
      EXPECT_EQ(allocations_of_a_step("resnet18", 64, threads, head_only), 0) << threads << " threads";
      EXPECT_EQ(allocations_of_a_step("mnasnet_050", 64, threads, head_only), 0) << threads << " threads";
      EXPECT_EQ(allocations_of_a_step("vit_tiny", 224, threads, head_only), 0) << threads << " threads";
    }
}

TEST(AStep, AllocatesNothingWhileItIsRecorded) {
  for (const int threads : {1, 3}) EXPECT_EQ(allocations_of_a_step("mnasnet_050", 64, threads, false, true), 0);
}

}  // namespace
}  // namespace bramble::engine
