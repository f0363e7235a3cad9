/* Included before all of Lua's files: as Lua throws on Linux, and counts. */
#include <setjmp.h>

extern unsigned long throws;

#define LUAI_THROW(L, c) (throws++, _longjmp((c)->b, 1))
#define LUAI_TRY(L, c, a) if (_setjmp((c)->b) == 0) { a }
#define luai_jmpbuf jmp_buf
