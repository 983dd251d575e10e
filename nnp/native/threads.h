// Work shared out to a few threads that live for one call: none of them spins while another is held up.
#pragma once
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

// work(begin, end) over 0 … n in `threads` ranges, of at least `grain` each
template <class Work> void parallel(std::int64_t n, std::int64_t threads, std::int64_t grain, Work work) {
  if (threads > n / grain) threads = n / grain;
  if (threads < 1) threads = 1;
  std::vector<std::thread> others;
  for (std::int64_t t = 1; t < threads; ++t) {
    const std::int64_t begin = n * t / threads, end = n * (t + 1) / threads;
    try {
      others.emplace_back([=] { work(begin, end); });
    } catch (const std::system_error &) {  // no more threads to be had
      work(begin, end);
    }
  }
  work(std::int64_t(0), n / threads);
  for (auto &thread : others) thread.join();
}
