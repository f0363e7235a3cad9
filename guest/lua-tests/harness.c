/*
** Runs one Lua script on a Lua built from lua-src, patched (LUNARIUM) or not. Gives it the C functions that a script
** can't write itself: yields through continuations, from hooks, and, when patched, a scheduler's side of a wait.
** The guest's own scheduler isn't tested here.
*/
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lua.h"

#include "lauxlib.h"
#include "lualib.h"
#include "lobject.h"
#include "lstate.h"
#include "lstring.h"
#include "ltable.h"

unsigned long throws = 0;

/* thrown(f): calls f, and returns how often something was thrown meanwhile */
static int thrown (lua_State *L) {
  unsigned long before = throws;
  lua_call(L, lua_gettop(L) - 1, 0);
  lua_pushinteger(L, (lua_Integer)(throws - before));
  return 1;
}

/* yields(n, ...): yields 1..n through a continuation, then returns n and what the last resume passed */
static int yieldsk (lua_State *L, int status, lua_KContext i) {
  lua_Integer n = luaL_checkinteger(L, 1);
  (void)status;
  if (i == n) {
    lua_pushinteger(L, n);
    lua_replace(L, 1);
    return lua_gettop(L);
  }
  lua_settop(L, 1);
  lua_pushinteger(L, (lua_Integer)i + 1);
  return lua_yieldk(L, 1, i + 1, yieldsk);
}

static int yields (lua_State *L) { return yieldsk(L, LUA_OK, 0); }

/* callk(f, ...) and pcallk(f, ...): call f, then return how it ended and all results */
static int donek (lua_State *L, int status, lua_KContext ctx) {
  lua_pushinteger(L, status);
  lua_insert(L, 1);
  lua_pushinteger(L, (lua_Integer)ctx);
  return lua_gettop(L);
}

static int callk (lua_State *L) {
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 7, donek);
  return donek(L, LUA_OK, 7);
}

static int pcallk (lua_State *L) {
  return donek(L, lua_pcallk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, 8, donek), 8);
}

/* callyield(f): calls f, and yields its result from the continuation: the case of 'finishCcall' */
static int callyieldk (lua_State *L, int status, lua_KContext ctx) {
  (void)status; (void)ctx;
  return lua_yield(L, lua_gettop(L));
}

static int callyield (lua_State *L) {
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, callyieldk);
  return callyieldk(L, LUA_OK, 0);
}

/* pcallc(f, ...): calls f protected, with no continuation; how it ended and all results */
static int pcallc (lua_State *L) {
  int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  lua_pushinteger(L, status);
  lua_insert(L, 1);
  return lua_gettop(L);
}

/* throwing(value): raises as most C functions do */
static int throwing (lua_State *L) {
  lua_settop(L, 1);
  return lua_error(L);
}

/* warnings(): what finalizers complained of since the last look */
static char warned[4096];
static void warning (void *ud, const char *msg, int tocont) {
  (void)ud; (void)tocont;
  strncat(warned, msg, sizeof(warned) - strlen(warned) - 1);
}

static int warnings (lua_State *L) {
  lua_pushstring(L, warned);
  *warned = '\0';
  return 1;
}

/* limitmemory(bytes): so many more than now; 0: no limit */
static size_t used = 0, most = 0;
static void *allocate (void *ud, void *ptr, size_t old, size_t size) {
  (void)ud;
  if (ptr == NULL) old = 0;
  if (size == 0) { free(ptr); used -= old; return NULL; }
  if (most > 0 && size > old && used + size - old > most) return NULL;
  void *new = realloc(ptr, size);
  if (new != NULL) used += size - old;
  return new;
}

static int limitmemory (lua_State *L) {
  lua_Integer bytes = luaL_checkinteger(L, 1);
  most = bytes == 0 ? 0 : used + (size_t)bytes;
  return 0;
}

/* nocallk(f, ...): calls f across a C-call boundary */
static int nocallk (lua_State *L) {
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

/* tbcyield(value, f): a C function with a to-be-closed variable, which yields, and whose closing may yield */
static int tbcyieldk (lua_State *L, int status, lua_KContext ctx) {
  (void)status; (void)ctx;
  lua_pushliteral(L, "tbc");
  lua_pushinteger(L, lua_gettop(L));
  return 2;
}

static int tbcyield (lua_State *L) {
  lua_settop(L, 1);
  lua_toclose(L, 1);
  lua_pushliteral(L, "yielded");
  return lua_yieldk(L, 1, 0, tbcyieldk);
}

/* hookyield(co): from now on each line of co yields; hookyield(co, false): no more */
static void yieldhook (lua_State *L, lua_Debug *ar) {
  (void)ar;
  lua_yield(L, 0);
}

static int hookyield (lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  if (lua_isnone(L, 2)) lua_sethook(co, yieldhook, LUA_MASKLINE, 0);
  else lua_sethook(co, NULL, 0, 0);
  return 0;
}

/* callhookyield(co): the next call of a C function in co yields instead (against the manual; stock Lua skips the
   call, and its assertions complain) */
#if !defined(LUAI_ASSERT)
static void yieldcallhook (lua_State *L, lua_Debug *ar) {
  lua_getinfo(L, "S", ar);
  if (*ar->what == 'C') lua_yield(L, 0);
}

static int callhookyield (lua_State *L) {
  lua_sethook(lua_tothread(L, 1), yieldcallhook, LUA_MASKCALL, 0);
  return 0;
}
#endif

/* counthook(): call, return and line hooks that do nothing but count, to take the interpreter's hook paths */
static int hooked = 0;
static void counthook (lua_State *L, lua_Debug *ar) {
  lua_getinfo(L, "nSltr", ar);
  hooked++;
}

static int sethooks (lua_State *L) {
  lua_sethook(L, lua_toboolean(L, 1) ? counthook : NULL, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE, 0);
  lua_pushinteger(L, hooked);
  return 1;
}

/* ccalls(): the counters of C calls and of calls that can't be yielded across */
static int ccalls (lua_State *L) {
  lua_pushinteger(L, (lua_Integer)getCcalls(L));
  lua_pushinteger(L, (lua_Integer)(L->nCcalls >> 16));
  return 2;
}

/* resumes(co, ...): lua_resume by C, without a 'from' */
static int resumes (lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  int n = lua_gettop(L) - 1;
  int nres;
  int status;
  if (!lua_checkstack(co, n)) return luaL_error(L, "too many arguments");
  lua_xmove(L, co, n);
  status = lua_resume(co, NULL, n, &nres);
  lua_pushinteger(L, status);
  if (status > LUA_YIELD) nres = 1;
  luaL_checkstack(L, nres, NULL);
  lua_xmove(co, L, nres);
  return nres + 1;
}

#if defined(LUNARIUM)

/* limitstack(calls, bytes): 'bytes' counts stack and calls */
static int limitstack (lua_State *L) {
  lunarium_limitstack(L, (unsigned int)luaL_checkinteger(L, 1), (size_t)luaL_checkinteger(L, 2));
  return 0;
}

/* stacksizes(): slots and calls that this thread has, and what they take */
static int stacksizes (lua_State *L) {
  lua_pushinteger(L, stacksize(L));
  lua_pushinteger(L, L->nci);
  lua_pushinteger(L, (lua_Integer)(stacksize(L) * sizeof(StackValue) + L->nci * sizeof(CallInfo)));
  return 3;
}

/* base(f, main): a base coroutine */
static int base (lua_State *L) {
  lua_State *co = lua_newthread(L);
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lunarium_setbase(co, lua_toboolean(L, 2));
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

/* step(co, ...): what the scheduler does: "wait"; "done", results; "error", message; "yield" must not happen */
static int step (lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  int n = lua_gettop(L) - 1;
  int nres;
  int status;
  if (!lua_checkstack(co, n)) return luaL_error(L, "too many arguments");
  lua_xmove(L, co, n);
  status = lua_resume(co, L, n, &nres);
  if (status == LUA_YIELD && lunarium_iswait(co, nres)) {
    lua_pop(co, nres);
    lua_pushliteral(L, "wait");
    return 1;
  }
  lua_pushstring(L, status == LUA_OK ? "done" : status == LUA_YIELD ? "yield" : "error");
  if (status > LUA_YIELD) nres = 1;
  luaL_checkstack(L, nres, NULL);
  lua_xmove(co, L, nres);
  return nres + 1;
}

static int wait (lua_State *L) { return lunarium_wait(L); }

static int canwait (lua_State *L) {
  lua_pushboolean(L, lunarium_canwait(L));
  return 1;
}

/* waitsk(n): waits n times through a continuation, and returns the sum of what it was resumed with */
static int waitsk_ (lua_State *L, int status, lua_KContext i) {
  lua_Integer n = luaL_checkinteger(L, 1);
  (void)status;
  if (i > 0) {
    lua_pushinteger(L, luaL_checkinteger(L, 2) + luaL_checkinteger(L, 3));
    lua_replace(L, 2);
  }
  lua_settop(L, 2);
  if (i == n) return 1;
  return lunarium_waitk(L, i + 1, waitsk_);
}

static int waitsk (lua_State *L) {
  lua_settop(L, 1);
  lua_pushinteger(L, 0);
  return waitsk_(L, LUA_OK, 0);
}

/* freeze(): ends the making of a snapshot; seed(n): a process begins. Between them no string may be made, so one call */
static int freeze (lua_State *L) {
  lua_Integer n = luaL_checkinteger(L, 1);
  lua_settop(L, 0);
  lunarium_freeze(L);
  lua_pushinteger(L, lunarium_seed(L, n));
  return 1;
}

/* siphash(s): the hash of a string with the key 0 */
static int siphash0 (lua_State *L) {
  size_t l;
  const char *s = luaL_checklstring(L, 1, &l);
  HashKey key = {0, 0};
  lua_pushinteger(L, luaS_hash(s, l, &key));
  return 1;
}

/* longest(t): keys in the longest chain of the table, and whether its numbers are placed by the key */
static int longest (lua_State *L) {
  const Table *t = (const Table *)lua_topointer(L, 1);
  int most = 0;
  for (int i = 0; i < sizenode(t); i++) {
    int count = 1;
    for (const Node *n = gnode(t, i); gnext(n) != 0; n += gnext(n)) count++;
    if (count > most) most = count;
  }
  lua_pushinteger(L, most);
  lua_pushboolean(L, iskeyed(t));
  return 2;
}

/* strings(): in the longest list of strings of the process's, and of the snapshot's; how many there are of each */
static int strings (lua_State *L) {
  const stringtable *tables[] = {&G(L)->strt, &G(L)->frozen};
  for (int i = 0; i < 2; i++) {
    int most = 0;
    for (int j = 0; j < tables[i]->size; j++) {
      int count = 0;
      for (const TString *ts = tables[i]->hash[j]; ts != NULL; ts = ts->u.hnext) count++;
      if (count > most) most = count;
    }
    lua_pushinteger(L, most);
  }
  lua_pushinteger(L, tables[0]->nuse);
  lua_pushinteger(L, tables[1]->nuse);
  return 4;
}

#endif

static const luaL_Reg functions[] = {
  {"yields", yields}, {"callk", callk}, {"pcallk", pcallk}, {"callyield", callyield}, {"nocallk", nocallk},
  {"thrown", thrown}, {"pcallc", pcallc}, {"throwing", throwing}, {"warnings", warnings}, {"limitmemory", limitmemory},
  {"tbcyield", tbcyield}, {"hookyield", hookyield}, {"sethooks", sethooks}, {"ccalls", ccalls}, {"resumes", resumes},
#if !defined(LUAI_ASSERT)
  {"callhookyield", callhookyield},
#endif
#if defined(LUNARIUM)
  {"limitstack", limitstack}, {"stacksizes", stacksizes}, {"base", base}, {"step", step}, {"wait", wait}, {"canwait", canwait}, {"waitsk", waitsk},
  {"freeze", freeze}, {"siphash", siphash0}, {"longest", longest}, {"strings", strings},
#endif
  {NULL, NULL}
};

int main (int argc, char **argv) {
  lua_State *L = lua_newstate(allocate, NULL);
  if (L == NULL || argc < 2) return 2;
  lua_setwarnf(L, warning, NULL);
  luaL_openlibs(L);
  lua_pushglobaltable(L);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
  luaL_loadstring(L, "local path = ... ; local ok, err = xpcall(assert(loadfile(path)), debug.traceback, select(2, ...))\n"
                     "if not ok then io.stderr:write(err, '\\n') end ; return ok");
  for (int i = 1; i < argc; i++) lua_pushstring(L, argv[i]);
  lua_call(L, argc - 1, 1);
  int ok = lua_toboolean(L, -1);
  lua_close(L);
  return ok ? 0 : 1;
}
