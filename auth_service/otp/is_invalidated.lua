-- Returns whether a challenge was requested before its address' challenges were invalidated. One of
-- the release before has no request time and counts as old.
local LONGEST_LIFE = 600000

local function is_invalidated(asked_at, expires_at, invalidated_before)
  return tonumber(asked_at or expires_at - LONGEST_LIFE) <= invalidated_before
end
