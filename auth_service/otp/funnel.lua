-- The code funnel: how many codes were sent, proven and wrong in ten minutes, all replicas together.
local FUNNEL_LIFE = 2 * 3600 * 1000

local function count_code(key, stage, by)
  redis.call('HINCRBY', key, stage, by)
  redis.call('PEXPIRE', key, FUNNEL_LIFE)
end
