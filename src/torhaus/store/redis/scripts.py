"""Lua for Redis: one script for each decision, so that no two decisions can mix.

Each is loaded whenever a connection opens, and sent in full where a server has forgotten it.
"""

from hashlib import sha1


class Script:
    """`digest` is what EVALSHA takes: SHA-1 in lower-case hex (the server's choice)."""

    __slots__ = ("digest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = sha1(text.encode(), usedforsecurity=False).hexdigest()


_NOW = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
"""

# ARGV: lease, then for each key: kind and three numbers or texts.
#   w requests microseconds uses    an exact window: the times of its last uses, capped
#   p microseconds-per-call burst   the theoretical arrival time (GCRA)
#   s calls microseconds            leases by the time they end
#   q amount weight end-ms          a sum
#   u users who end-ms              a set
# Returns {0, now} when all were taken, else {index, microseconds to wait} of the longest wait.
SPEND = Script(
    _NOW
    + """
local function text(n) return string.format('%.0f', n) end

-- Every use of a window has a time of its own, so that windows can be merged after a failover.
for i = 1, #KEYS do
  if ARGV[4 * i - 2] == 'w' then
    local last = tonumber(redis.call('LINDEX', KEYS[i], -1) or 0)
    if last > now + ARGV[4 * i] then  -- the clock was far ahead once: used just now
      local n = redis.call('LLEN', KEYS[i])
      redis.call('DEL', KEYS[i])
      for j = n, 1, -1 do redis.call('RPUSH', KEYS[i], text(now - j)) end
    elseif last >= now then now = last + 1 end
  end
end

local short, longest = 0, 0
for i = 1, #KEYS do
  local key, kind = KEYS[i], ARGV[4 * i - 2]
  local a, b, c = ARGV[4 * i - 1], ARGV[4 * i], ARGV[4 * i + 1]
  local wait = 0
  if kind == 'w' then
    local keep = a - c + 1
    if keep <= 0 then wait = tonumber(b)
    else
      local at = redis.call('LINDEX', key, -keep)
      if at and now - at < tonumber(b) then wait = b - (now - at) end
    end
  elseif kind == 'p' then
    if tonumber(b) <= 0 then wait = tonumber(c)
    else
      local ahead = tonumber(redis.call('GET', key) or 0) - now
      wait = math.ceil(math.min(ahead, b * a) - (b - 1) * a)
    end
  elseif kind == 's' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', text(now))
    if redis.call('ZCARD', key) >= tonumber(a) then wait = 1000000 end
  elseif kind == 'q' then
    if tonumber(redis.call('GET', key) or 0) + b > tonumber(a) then
      wait = math.max(1000000, c * 1000 - now)
    end
  elseif redis.call('SISMEMBER', key, b) == 0 and redis.call('SCARD', key) >= tonumber(a) then
    wait = math.max(1000000, c * 1000 - now)
  end
  if wait > longest then short, longest = i, wait end
end
if short > 0 then return {short, text(longest)} end

for i = 1, #KEYS do
  local key, kind = KEYS[i], ARGV[4 * i - 2]
  local a, b, c = ARGV[4 * i - 1], ARGV[4 * i], ARGV[4 * i + 1]
  if kind == 'w' then
    for j = 1, c do redis.call('RPUSH', key, text(now + j - 1)) end
    redis.call('LTRIM', key, -a, -1)
    redis.call('PEXPIRE', key, math.ceil(b / 1000) + 1)
  elseif kind == 'p' then
    local ahead = math.max(0, math.min(tonumber(redis.call('GET', key) or 0) - now, b * a))
    redis.call('SET', key, text(now + ahead + a), 'PX', math.ceil((ahead + a) / 1000) + 1)
  elseif kind == 's' then
    redis.call('ZADD', key, text(now + b), ARGV[1])
    redis.call('PEXPIRE', key, math.ceil(b / 1000) + 1)
  elseif kind == 'q' then
    redis.call('INCRBY', key, b)
    redis.call('PEXPIREAT', key, c + 3600000)
  else
    redis.call('SADD', key, b)
    redis.call('PEXPIREAT', key, c + 3600000)
  end
end
return {0, text(now)}
"""
)

# The same keys and words without a lease. Returns {left, microseconds until more} for each key.
LOOK = Script(
    _NOW
    + """
local found = {}
for i = 1, #KEYS do
  local key, kind = KEYS[i], ARGV[4 * i - 3]
  local a, b, c = tonumber(ARGV[4 * i - 2]), ARGV[4 * i - 1], ARGV[4 * i]
  local left, reset = a, 0
  if kind == 'w' then
    local n = redis.call('LLEN', key)
    local low, high = 0, n  -- the first use that still counts, by halves
    while low < high do
      local middle = math.floor((low + high) / 2)
      if now - redis.call('LINDEX', key, middle) >= tonumber(b) then low = middle + 1
      else high = middle end
    end
    left = a - (n - low)
    if low < n then reset = b - (now - redis.call('LINDEX', key, low)) end
  elseif kind == 'p' then
    local ahead = math.max(0, math.min(tonumber(redis.call('GET', key) or 0) - now, b * a))
    left = tonumber(b) > 0 and math.floor(b - ahead / a + 0.000001) or 0
    if ahead > 0 then reset = ahead % a if reset == 0 then reset = a end end
  elseif kind == 's' then
    left = a - redis.call('ZCOUNT', key, '(' .. string.format('%.0f', now), '+inf')
  elseif kind == 'q' then
    left = a - (redis.call('GET', key) or 0)
    reset = c * 1000 - now
  else
    left = a - redis.call('SCARD', key)
    reset = c * 1000 - now
  end
  found[i] = {string.format('%.0f', math.max(0, left)), string.format('%.0f', math.max(0, reset))}
end
return found
"""
)

# KEYS: one. ARGV: kind, then what one gateway knows of it that the server may not know.
#   w requests microseconds time...     p time     s end lease...
#   q sum end-ms                        u end-ms who...
RESTORE = Script(
    _NOW
    + """
local function text(n) return string.format('%.0f', n) end
local key, kind = KEYS[1], ARGV[1]
if kind == 'w' then
  local seen, all = {}, {}
  local function add(at)
    at = tonumber(at)
    if now - at < tonumber(ARGV[3]) and not seen[at] then
      seen[at] = true
      all[#all + 1] = at
    end
  end
  for _, at in ipairs(redis.call('LRANGE', key, 0, -1)) do add(at) end
  for i = 4, #ARGV do add(ARGV[i]) end
  table.sort(all)
  redis.call('DEL', key)
  for _, at in ipairs(all) do redis.call('RPUSH', key, text(at)) end
  redis.call('PEXPIRE', key, math.ceil(ARGV[3] / 1000) + 1)
elseif kind == 'p' then
  local at = math.max(tonumber(redis.call('GET', key) or 0), tonumber(ARGV[2]))
  if at > now then redis.call('SET', key, text(at), 'PX', math.ceil((at - now) / 1000) + 1) end
elseif kind == 's' then
  for i = 2, #ARGV, 2 do redis.call('ZADD', key, ARGV[i], ARGV[i + 1]) end
  redis.call('PEXPIRE', key, 86400000)
elseif kind == 'q' then
  redis.call('INCRBY', key, ARGV[2])
  redis.call('PEXPIREAT', key, ARGV[3] + 3600000)
else
  for i = 3, #ARGV do redis.call('SADD', key, ARGV[i]) end
  redis.call('PEXPIREAT', key, ARGV[2] + 3600000)
end
return 1
"""
)

# The generations of a server are a hash: `v` and `r` are its own, `v:tool` and `r:tool` a tool's.
# An entry is good in the `v` generations it was kept in; what is fetched is kept if all four are
# the same afterwards. Every name is fresh, so that none comes back when the server forgets them.

# KEYS: generations of a server, entry. ARGV: tool, a fresh name (16 bytes) for missing ones,
# milliseconds they are kept, the most there may be (callers choose names of tools: of more, all
# are forgotten). Returns {entry or nil, generations}.
FIND = Script("""
local fields = {'v', 'v:' .. ARGV[1], 'r', 'r:' .. ARGV[1]}
local g = redis.call('HMGET', KEYS[1], unpack(fields))
if not g[2] and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  redis.call('UNLINK', KEYS[1])
  g = {}
end
for i = 1, 4 do
  if not g[i] then
    redis.call('HSET', KEYS[1], fields[i], ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    g[i] = ARGV[2]
  end
end
local entry = redis.call('GET', KEYS[2])
if entry and string.sub(entry, 1, 32) ~= g[1] .. g[2] then
  redis.call('UNLINK', KEYS[2])
  entry = false
end
return {entry, g[1] .. g[2] .. g[3] .. g[4]}
""")

# KEYS: generations of a server, entry, index of the tool. ARGV: tool, the generations from before,
# the entry without them, milliseconds, what to find it by, its key, the most an index holds.
# Returns 1 when it was kept. A full index is marked by the field '': it knows of none any more.
KEEP = Script("""
local g = redis.call('HMGET', KEYS[1], 'v', 'v:' .. ARGV[1], 'r', 'r:' .. ARGV[1])
for i = 1, 4 do if not g[i] then return 0 end end
if g[1] .. g[2] .. g[3] .. g[4] ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[2], g[1] .. g[2] .. ARGV[3], 'PX', ARGV[4])
if redis.call('HEXISTS', KEYS[3], '') == 0 then
  if redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[7]) then
    redis.call('UNLINK', KEYS[3])
    redis.call('HSET', KEYS[3], '', '')
  else
    redis.call('HSET', KEYS[3], ARGV[6], ARGV[5])
  end
end
if redis.call('PTTL', KEYS[3]) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[3], ARGV[4])
end
return 1
""")

# KEYS: generations of a server, indexes that go. ARGV: a fresh name, the fields that get it.
# Returns how many entries the indexes knew.
BUMP = Script("""
for i = 2, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], ARGV[1]) end
local count = 0
for i = 2, #KEYS do
  count = count + redis.call('HLEN', KEYS[i])
  redis.call('UNLINK', KEYS[i])
end
return count
""")

# KEYS: index of a tool, entries. ARGV: the entries' keys, as the index has them. Both at once: an
# entry that the index does not know could not be found again. Returns how many there were.
DROP = Script("""
local count = 0
for i = 1, #ARGV do
  redis.call('HDEL', KEYS[1], ARGV[i])
  count = count + redis.call('UNLINK', KEYS[i + 1])
end
return count
""")

# KEYS: the gateways' leases. ARGV: gateway, milliseconds. Returns the living ones.
RENEW = Script(
    _NOW
    + """
local living = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if tonumber(all[i + 1]) <= now then redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] ~= ARGV[1] then living[#living + 1] = all[i] end
end
if tonumber(ARGV[2]) > 0 then
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now + ARGV[2] * 1000))
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
return living
"""
)

# KEYS: the gateways' leases. ARGV: gateway, channel, message. Returns the others that live.
ANNOUNCE = Script(
    _NOW
    + """
local living = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if tonumber(all[i + 1]) > now and all[i] ~= ARGV[1] then living[#living + 1] = all[i] end
end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return living
"""
)

ALL = (SPEND, LOOK, RESTORE, FIND, KEEP, BUMP, DROP, RENEW, ANNOUNCE)
