// gRPC and protobuf behind C: three small faces, one for each header.
#pragma once
#include "messages.h"
#include "server.h"
#include "client.h"
