-- Counts an attempt in every scope, or counts nothing and says which one is full.
-- KEYS: one list per scope
-- ARGV: now (ms), rates of each scope as JSON {{{count, window_ms}, ...}, ...}
local now, scopes = tonumber(ARGV[1]), cjson.decode(ARGV[2])
local wait = 0
for i, rates in ipairs(scopes) do
  wait = math.max(wait, wait_of(KEYS[i], rates, now))
end
if wait == 0 then
  for i, rates in ipairs(scopes) do
    count_event(KEYS[i], rates, now)
  end
end
return wait
