/* tests/unit/cm.h - cmocka with what it needs before it, in the order it needs it. */
#ifndef FUNNELD_TESTS_CM_H
#define FUNNELD_TESTS_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif
