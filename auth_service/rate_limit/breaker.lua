-- The conversion breaker. Of a range of numbers two lists are kept, of the times (ms) at which codes
-- were sent and proven, newest first; what is older than the hour is dropped where it is counted.
local HOUR, ENOUGH, ONE_IN = 3600000, 50, 10
-- One network's sends count at most so often, so that a few clients cannot block a range.
local PER_NETWORK = {{3, HOUR}}
local PER_LEVEL, HIGHEST_LEVEL = 25, 4

-- Returns how many events of the last hour a list has, and keeps no others.
local function within_hour(key, now)
  local oldest = redis.call('LINDEX', key, -1)
  while oldest and tonumber(oldest) <= now - HOUR do
    redis.call('RPOP', key)
    oldest = redis.call('LINDEX', key, -1)
  end
  return redis.call('LLEN', key)
end

-- Notes one event; returns how many there are, exactly where it could be enough for a judgement.
local function note(key, now)
  local count = redis.call('LPUSH', key, now)
  redis.call('PEXPIRE', key, HOUR)
  return count < ENOUGH and count or within_hour(key, now)
end

-- Returns how hard work is by now: it doubles with each 25 codes of the hour that nobody proves.
local function work_level(sent, proven, now)
  local unproven = within_hour(sent, now) - within_hour(proven, now)
  return math.min(math.max(0, math.floor((unproven - ENOUGH) / PER_LEVEL)), HIGHEST_LEVEL)
end

-- Notes a code that is sent; returns whether too few of the hour's were proven, so that the range is
-- blocked from now on. While it is, what holders ask for is noted and makes the hour no longer.
local function note_sent(sent, proven, blocked, now, is_blocked)
  local count = note(sent, now)
  if is_blocked or count < ENOUGH or within_hour(proven, now) * ONE_IN >= count then
    return false
  end
  redis.call('SET', blocked, now + HOUR, 'PX', HOUR)
  return true
end
