-- Each answer brings the refresh token of a later request. Arguments: the beginning of the form, and a file
-- with one refresh token a line, each of a grant of its own.
--
-- wrk does not say which connection a call is about, so the tokens form a queue: a request takes the oldest, an answer
-- appends the new one. With more tokens than connections the queue is never empty, and no token is used twice.

dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "report.lua")

local form
local queue, first, last = {}, 1, 0

function init(args)
  form = args[1]
  for token in io.lines(args[2]) do
    last = last + 1
    queue[last] = token
  end
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
end

function request()
  local token = queue[first] or "none-left"
  if queue[first] then
    queue[first] = nil
    first = first + 1
  end
  return wrk.format(nil, nil, nil, form .. token)
end

function response(_, _, body)
  local token = body:match('"refresh_token":"([^"]+)"')
  if token then
    last = last + 1
    queue[last] = token
  end
end
