-- Removes a conversation in both formats. Gives how many traces there were.
local head, events, answers, expiries, reminders, tracker = unpack(KEYS)
return redis.call('DEL', head, events, answers, expiries, tracker) + redis.call('ZREM', reminders, ARGV[1])
