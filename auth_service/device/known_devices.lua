-- The known devices of a user, an address or a username: a sorted set of device ids, scored by the
-- time (ms) of their last sign-in. Each device adds a budget of codes. So only the newest ones stay,
-- and few become known in a day, however often an owner or a thief signs in.
local DEVICES_KEPT, DEVICE_LIFE = 8, 180 * 24 * 3600 * 1000
local NEW_DEVICES = {{4, 24 * 3600 * 1000}}

-- Returns whether the device signed in within its life.
local function is_known(key, device, now)
  local seen_at = device ~= '' and redis.call('ZSCORE', key, device)
  return seen_at and tonumber(seen_at) > now - DEVICE_LIFE or false
end

-- Stores a sign-in, unless too many new devices signed in today.
local function remember(key, device, now)
  if not redis.call('ZSCORE', key, device) then
    if wait_of(key .. ':new', NEW_DEVICES, now) > 0 then
      return
    end
    count_event(key .. ':new', NEW_DEVICES, now)
  end
  redis.call('ZADD', key, now, device)
  redis.call('ZREMRANGEBYRANK', key, 0, -DEVICES_KEPT - 1)
  redis.call('PEXPIRE', key, DEVICE_LIFE)
end
