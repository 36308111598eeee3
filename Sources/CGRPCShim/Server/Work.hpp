// Something for a worker to do.
#pragma once
#include <memory>

namespace kith {

class Work {
public:
    virtual ~Work() = default;
    virtual void work() = 0;
};

}  // namespace kith
