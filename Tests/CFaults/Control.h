#pragma once

#include "CFaults.h"

/// Maps the control file, where KITH_FAULT_CONTROL names one.
void control_open(void);

/// Whether the disk is to be full.
int control_is_full(void);

/// Ends the process where this step is its last and is not to be taken; answers whether it is to end after it.
int step_begin(enum KithFaultStep kind);

/// Ends the process where `is_last`.
void step_end(int is_last);
