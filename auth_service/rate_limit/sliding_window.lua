-- Exact sliding windows. A scope is a list of the times (ms) of its last events, newest first, as
-- long as its largest count: the event `count` places back tells whether the window is full.

-- Returns how many ms a scope must wait, 0 when it has room. `rates`: {{count, window_ms}, ...}.
local function wait_of(key, rates, now)
  local wait = 0
  for _, rate in ipairs(rates) do
    local oldest = redis.call('LINDEX', key, rate[1] - 1)
    if oldest then
      wait = math.max(wait, tonumber(oldest) + rate[2] - now)
    end
  end
  return wait
end

-- Counts one event. `most` is the largest count, `life` the longest window.
local function count_event(key, rates, now)
  local most, life = 0, 0
  for _, rate in ipairs(rates) do
    most, life = math.max(most, rate[1]), math.max(life, rate[2])
  end
  if most > 0 then
    redis.call('LPUSH', key, now)
    redis.call('LTRIM', key, 0, most - 1)
    redis.call('PEXPIRE', key, life)
  end
end
