-- The load generator's own script, with the same MCP_TURN questions asked in turn.
dofile(os.getenv("BENCH_LUA"))
local turn, ask = tonumber(os.getenv("MCP_TURN") or ""), request
function request()
  if turn and n >= turn then n = 0 end
  return ask()
end
