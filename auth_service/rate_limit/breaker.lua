-- The conversion breaker. A range of numbers has two lists of times (ms), newest first: codes sent
-- and codes proven. Counting drops times older than an hour.
local HOUR, ENOUGH, ONE_IN = 3600000, 50, 10
-- One network counts at most so often, so that a few clients cannot block a range.
local PER_NETWORK = {{3, HOUR}}
local PER_LEVEL, HIGHEST_LEVEL = 25, 4

-- Drops events older than an hour from a list; returns how many are left.
local function count_last_hour(key, now)
  local oldest = redis.call('LINDEX', key, -1)
  while oldest and tonumber(oldest) <= now - HOUR do
    redis.call('RPOP', key)
    oldest = redis.call('LINDEX', key, -1)
  end
  return redis.call('LLEN', key)
end

-- Adds an event; returns how many there are, exact from ENOUGH events on.
local function add_event(key, now)
  local count = redis.call('LPUSH', key, now)
  redis.call('PEXPIRE', key, HOUR)
  return count < ENOUGH and count or count_last_hour(key, now)
end

-- Returns the level of work required: one more, twice the work, for each 25 unproven codes.
local function work_level(sent, proven, now)
  local unproven = count_last_hour(sent, now) - count_last_hour(proven, now)
  return math.min(math.max(0, math.floor((unproven - ENOUGH) / PER_LEVEL)), HIGHEST_LEVEL)
end

-- Counts a sent code; returns whether it blocks the range: too few of the hour's codes were proven.
-- Codes sent while the range is blocked are counted and do not prolong the block.
local function count_sent(sent, proven, blocked, now, is_blocked)
  local count = add_event(sent, now)
  if is_blocked or count < ENOUGH or count_last_hour(proven, now) * ONE_IN >= count then
    return false
  end
  redis.call('SET', blocked, now + HOUR, 'PX', HOUR)
  return true
end
