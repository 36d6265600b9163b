-- Requests with bearer tokens, each in its turn, from one on. Arguments: a file with one token a line, and the number of
-- the line to begin with, from 0. What is sent is made before the time runs.

dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "report.lua")

local requests = {}
local at = 0

function init(args)
  for token in io.lines(args[1]) do
    wrk.headers["Authorization"] = "Bearer " .. token
    requests[#requests + 1] = wrk.format()
  end
  at = tonumber(args[2]) % #requests
end

function request()
  at = at % #requests + 1
  return requests[at]
end
