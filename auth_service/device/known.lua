-- Devices that an account, an address, a number or a username knows: a sorted set of device ids,
-- scored by the moment (ms) of their last sign-in. Only the newest ones stay: else each sign-in
-- with another device would add a budget of codes.
local DEVICES_KEPT, DEVICE_LIFE = 8, 180 * 24 * 3600 * 1000

-- Tells whether the device signed in there within its life.
local function is_known(key, device, now)
  local seen_at = device ~= '' and redis.call('ZSCORE', key, device)
  return seen_at and tonumber(seen_at) > now - DEVICE_LIFE or false
end
