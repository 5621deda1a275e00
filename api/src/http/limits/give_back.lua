-- One call that was taken is given back. KEYS[1] and the interval as in take.lua; what has run out has nothing to give.
local due = tonumber(redis.call('GET', KEYS[1]) or '')
if due then
  redis.call('SET', KEYS[1], string.format('%.0f', due - tonumber(ARGV[1])), 'KEEPTTL')
end
return 0
