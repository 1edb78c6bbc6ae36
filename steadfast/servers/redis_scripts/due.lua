-- Gives the conversations with a reminder before a time, the earliest first; forgets those of expired conversations.
local reminders = KEYS[1]
local before, limit, heads = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local PAGE = 100

redis.replicate_commands()
local found = {}
while true do
    local page = redis.call('ZRANGEBYSCORE', reminders, '-inf', '(' .. before, 'LIMIT', #found, PAGE)
    if #page == 0 then
        return found
    end
    for _, sender in ipairs(page) do
        if #found == limit then
            return found
        elseif redis.call('EXISTS', heads .. sender) == 1 then
            table.insert(found, sender)
        else
            redis.call('ZREM', reminders, sender)
        end
    end
end
