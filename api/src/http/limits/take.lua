-- The sum of gcra.rs. KEYS[1]: one caller for one purpose. ARGV: interval and burst, and the moment, all in whole
-- microseconds; without a moment it is that of the server, which all processes share.
local interval, burst, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local tolerance = interval * burst
local due = tonumber(redis.call('GET', KEYS[1]) or '') or now
due = math.min(math.max(due, now), now + tolerance)
local following = due + interval
if following - tolerance > now then
  return {0, due, now}
end
redis.call('SET', KEYS[1], string.format('%.0f', following), 'PX', math.ceil((following - now) / 1000))
return {1, following, now}
