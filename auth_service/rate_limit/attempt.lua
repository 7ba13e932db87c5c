-- Counts an attempt in every scope, or counts nothing and says which one is full.
-- KEYS: one list per scope
-- Returns {wait ms, index of the scope that is full for longest}, zeros when the attempt counted.
-- ARGV: now (ms), rates of each scope as JSON {{{count, window_ms}, ...}, ...}
local now, scopes = tonumber(ARGV[1]), cjson.decode(ARGV[2])
local wait, full = 0, 0
for i, rates in ipairs(scopes) do
  local scope_wait = wait_of(KEYS[i], rates, now)
  if scope_wait > wait then
    wait, full = scope_wait, i
  end
end
if wait == 0 then
  for i, rates in ipairs(scopes) do
    count_event(KEYS[i], rates, now)
  end
end
return {wait, full}
