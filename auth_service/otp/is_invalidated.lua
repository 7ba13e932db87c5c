-- Tells whether a challenge was asked for before its address' challenges were made worthless. One
-- of the release before does not say when it was asked for: then it counts as old.
local LONGEST_LIFE = 600000

local function is_void(asked_at, expires_at, void_before)
  return tonumber(asked_at or expires_at - LONGEST_LIFE) <= void_before
end
