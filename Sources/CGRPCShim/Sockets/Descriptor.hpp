// A file descriptor that is closed with its owner.
#pragma once
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace kith {

class Descriptor {
public:
    explicit Descriptor(int number = -1) : number(number) {}
    Descriptor(Descriptor&& other) noexcept : number(std::exchange(other.number, -1)) {}

    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number, other.number);
        return *this;
    }

    ~Descriptor() {
        if (number >= 0) {
            close(number);
        }
    }

    operator int() const { return number; }

private:
    int number;
};

/// What a system call gave. Throws std::system_error where it failed.
inline int checked(int result, const char* what) {
    if (result < 0) {
        throw std::system_error(errno, std::generic_category(), what);
    }
    return result;
}

}  // namespace kith
