// Latencies in buckets of constant relative width.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>

namespace kith {

/// As HdrHistogram: each power of two is cut into 64 buckets, so that a percentile is at most 1.6 % off. Nanoseconds.
class LatencyHistogram {
public:
    void add(uint64_t nanoseconds) {
        ++counts[bucket(nanoseconds)];
        ++total;
        largest = std::max(largest, nanoseconds);
    }

    double maxMicroseconds() const { return static_cast<double>(largest) / 1e3; }

    /// The latency that a share of calls, such as 0.99, did not exceed.
    double microseconds(double share) const {
        const double wanted = share * static_cast<double>(total);
        uint64_t seen = 0;
        for (size_t index = 0; index < counts.size(); ++index) {
            seen += counts[index];
            if (total > 0 && static_cast<double>(seen) >= wanted) {
                return static_cast<double>(std::min(upperBound(index), largest)) / 1e3;
            }
        }
        return 0;
    }

private:
    static constexpr unsigned cutBits = 6;

    /// Buckets of all powers of two up to 64 bits, after those of the numbers that are exact.
    std::array<uint64_t, (64 - cutBits + 1) << cutBits> counts{};
    uint64_t total = 0, largest = 0;

    static size_t bucket(uint64_t value) {
        const unsigned power = 63 - static_cast<unsigned>(__builtin_clzll(value | 1));
        if (power < cutBits) {
            return value;
        }
        const unsigned shift = power - cutBits;
        return (static_cast<size_t>(shift) << cutBits) + (value >> shift);
    }

    static uint64_t upperBound(size_t index) {
        const size_t shift = index < (2u << cutBits) ? 0 : (index >> cutBits) - 1;
        return ((index - (shift << cutBits) + 1) << shift) - 1;
    }
};

}  // namespace kith
