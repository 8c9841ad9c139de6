/* What Redis does in one piece (Lua scripts), so that all controllers see one order. Private to
 * chat_bus.c. An entry of the list is the message's id, a space, and its JSON. */
#ifndef WEIR_CONTROLLER_CHAT_CHAT_SCRIPTS_H
#define WEIR_CONTROLLER_CHAT_CHAT_SCRIPTS_H

/* Into the list and to all. KEYS: list. ARGV: channel, seconds to keep it, who says it, entry. */
#define CHAT_SCRIPT_SAY                                                                            \
    "redis.call('RPUSH', KEYS[1], ARGV[4])\n"                                                      \
    "redis.call('LTRIM', KEYS[1], -100, -1)\n"                                                     \
    "redis.call('EXPIRE', KEYS[1], ARGV[2])\n"                                                     \
    "redis.call('PUBLISH', ARGV[1], 'm' .. ARGV[3] .. ' ' .. ARGV[4])\n"                           \
    "return 1"

/* Out of the list, remembered (for controllers that bring it back later), and told. KEYS: list,
 * deleted. ARGV: channel, seconds, milliseconds now, event, ids. */
#define CHAT_SCRIPT_DELETE                                                                         \
    "local gone = {}\n"                                                                            \
    "for i = 5, #ARGV do\n"                                                                        \
    "  gone[ARGV[i]] = true\n"                                                                     \
    "  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[i])\n"                                            \
    "end\n"                                                                                        \
    "redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -2001)\n"                                           \
    "redis.call('EXPIRE', KEYS[2], ARGV[2])\n"                                                     \
    "for _, m in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do\n"                                \
    "  if gone[string.sub(m, 1, 36)] then redis.call('LREM', KEYS[1], 1, m) end\n"                 \
    "end\n"                                                                                        \
    "redis.call('PUBLISH', ARGV[1], ARGV[4])\n"                                                    \
    "return 1"

/* What a controller has and the list has not, put in by id, which is by time; the rest are told to
 * look if that changed anything. Answers the list. KEYS: list, deleted. ARGV: channel, seconds,
 * milliseconds now, who, number of deleted ids, these, entries. */
#define CHAT_SCRIPT_MERGE                                                                          \
    "local n = tonumber(ARGV[5])\n"                                                                \
    "for i = 6, 5 + n do redis.call('ZADD', KEYS[2], ARGV[3], ARGV[i]) end\n"                      \
    "if n > 0 then\n"                                                                              \
    "  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -2001)\n"                                         \
    "  redis.call('EXPIRE', KEYS[2], ARGV[2])\n"                                                   \
    "end\n"                                                                                        \
    "local all, have, added, removed = {}, {}, false, false\n"                                     \
    "for _, m in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do\n"                                \
    "  local id = string.sub(m, 1, 36)\n"                                                          \
    "  if redis.call('ZSCORE', KEYS[2], id) then removed = true\n"                                 \
    "  else have[id] = true; all[#all + 1] = m end\n"                                              \
    "end\n"                                                                                        \
    "local was_full = #all >= 100\n"                                                               \
    "local oldest = was_full and all[1] or ''\n"                                                   \
    "for i = 6 + n, #ARGV do\n"                                                                    \
    "  local id = string.sub(ARGV[i], 1, 36)\n"                                                    \
    "  if not have[id] and ARGV[i] > oldest and not redis.call('ZSCORE', KEYS[2], id) then\n"      \
    "    have[id] = true; all[#all + 1] = ARGV[i]; added = true\n"                                 \
    "  end\n"                                                                                      \
    "end\n"                                                                                        \
    "if added then table.sort(all) end\n"                                                          \
    "while #all > 100 do table.remove(all, 1) end\n"                                               \
    "if added or removed then\n"                                                                   \
    "  redis.call('DEL', KEYS[1])\n"                                                               \
    "  if #all > 0 then\n"                                                                         \
    "    redis.call('RPUSH', KEYS[1], unpack(all))\n"                                              \
    "    redis.call('EXPIRE', KEYS[1], ARGV[2])\n"                                                 \
    "  end\n"                                                                                      \
    "  redis.call('PUBLISH', ARGV[1], 'r' .. ARGV[4])\n"                                           \
    "end\n"                                                                                        \
    "return all"

#endif
