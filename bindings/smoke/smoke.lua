-- Marline from LuaJIT:  luajit smoke.lua LIBMARLINE.SO DECLARATIONS
-- DECLARATIONS is marline.h after the C preprocessor.
local ffi = require("ffi")
local path, declarations = arg[1], arg[2]
ffi.cdef(assert(io.open(declarations)):read("*a"))
local lib = ffi.load(path)
local NOW = 1800000000
local AUTHENTICATION, ROLLBACK = 201, 208

local function fail(what) error(what, 2) end

local function check(status)
  if status ~= 0 then fail(ffi.string(lib.marline_status_name(status))) end
end

-- A new handle that the collector frees.
local function make(type, free, call)
  local out = ffi.new(type .. "*[1]")
  check(call(out))
  return ffi.gc(out[0], free)
end

local function bytes(call)
  local out = ffi.new("marline_buffer*[1]")
  check(call(out))
  local result = ffi.string(lib.marline_buffer_data(out[0]), lib.marline_buffer_len(out[0]))
  lib.marline_buffer_free(out[0])
  return result
end

local function take(opened)
  local text = ffi.string(lib.marline_opened_plaintext(opened), lib.marline_opened_plaintext_len(opened))
  local from = ffi.string(lib.marline_opened_subject(opened), lib.marline_opened_subject_len(opened))
  lib.marline_opened_free(opened)
  return text, from
end

local function account(name)
  return make("marline_account", lib.marline_account_free, function(out)
    return lib.marline_account_generate(name, #name, out, nil)
  end)
end

local function encrypt(session, text, ad)
  return bytes(function(out)
    return lib.marline_session_encrypt(session, text, #text, ad, #ad, nil, out, nil)
  end)
end

local function decrypt(session, message, ad)
  local out = ffi.new("marline_opened*[1]")
  local status = lib.marline_session_decrypt(session, message, #message, ad, #ad, out, nil)
  if status ~= 0 then return nil, status end
  return take(out[0])
end

local alice, bob = account("alice"), account("bob")
local publication = make("marline_publication", lib.marline_publication_free, function(out)
  return lib.marline_account_publish(bob, 2, NOW, out, nil)
end)
local bundle = bytes(function(out) return lib.marline_publication_bundle(publication, 0, out, nil) end)

local first
local to_bob = make("marline_session", lib.marline_session_free, function(session)
  local status
  first = bytes(function(message)
    status = lib.marline_account_initiate(alice, bundle, #bundle, "hello", 5, nil, 0, nil, NOW, session, message, nil)
    return status
  end)
  return status
end)
local opened = ffi.new("marline_opened*[1]")
local to_alice = make("marline_session", lib.marline_session_free, function(session)
  return lib.marline_account_accept(bob, first, #first, nil, 0, NOW, session, opened, nil)
end)
local text, from = take(opened[0])
assert(text == "hello" and from == "alice")

for i = 1, 80 do
  local sender, receiver = to_alice, to_bob
  if i % 2 == 0 then sender, receiver = to_bob, to_alice end
  assert(decrypt(receiver, encrypt(sender, "message " .. i, "ad"), "ad") == "message " .. i)
end

local message = encrypt(to_alice, "once", "")
local none, status = decrypt(to_bob, message:sub(1, -2) .. string.char(bit.bxor(message:byte(-1), 1)), "")
assert(none == nil and status == AUTHENTICATION)
assert(decrypt(to_bob, message, "") == "once")

local key = string.rep("k", 32)
local generation = ffi.new("uint64_t[1]")
local sealed = bytes(function(out)
  return lib.marline_session_export(to_bob, key, #key, out, generation, nil)
end)
local session = ffi.new("marline_session*[1]")
assert(lib.marline_session_import(key, #key, sealed, #sealed, generation[0] + 1, session, nil) == ROLLBACK)
local restored = make("marline_session", lib.marline_session_free, function(out)
  return lib.marline_session_import(key, #key, sealed, #sealed, generation[0], out, nil)
end)
assert(decrypt(to_alice, encrypt(restored, "back", ""), "") == "back")
print("luajit: ok")
