// Marline from Node through koffi:  node smoke.js LIBMARLINE.SO
'use strict';
const assert = require('node:assert');
const koffi = require('koffi');

const lib = koffi.load(process.argv[2]);
for (const name of ['account', 'session', 'publication', 'buffer', 'opened']) koffi.opaque(`marline_${name}`);
const f = (declaration) => lib.func(declaration);
const statusName = f('const char *marline_status_name(int32_t status)');
const generate = f('int32_t marline_account_generate(const uint8_t *subject, size_t n, _Out_ marline_account **out, void *err)');
const publish = f('int32_t marline_account_publish(marline_account *a, uint32_t count, uint64_t now, _Out_ marline_publication **out, void *err)');
const publicationBundle = f('int32_t marline_publication_bundle(const marline_publication *p, uint32_t index, _Out_ marline_buffer **out, void *err)');
const initiate = f('int32_t marline_account_initiate(marline_account *a, const uint8_t *bundle, size_t bn, const uint8_t *text, size_t tn, const uint8_t *ad, size_t an, const void *options, uint64_t now, _Out_ marline_session **session, _Out_ marline_buffer **message, void *err)');
const accept = f('int32_t marline_account_accept(marline_account *a, const uint8_t *message, size_t n, const uint8_t *ad, size_t an, uint64_t now, _Out_ marline_session **session, _Out_ marline_opened **opened, void *err)');
const encryptRaw = f('int32_t marline_session_encrypt(marline_session *s, const uint8_t *text, size_t n, const uint8_t *ad, size_t an, const void *options, _Out_ marline_buffer **out, void *err)');
const decryptRaw = f('int32_t marline_session_decrypt(marline_session *s, const uint8_t *message, size_t n, const uint8_t *ad, size_t an, _Out_ marline_opened **out, void *err)');
const exportRaw = f('int32_t marline_session_export(const marline_session *s, const uint8_t *key, size_t kn, _Out_ marline_buffer **out, _Out_ uint64_t *generation, void *err)');
const importRaw = f('int32_t marline_session_import(const uint8_t *key, size_t kn, const uint8_t *sealed, size_t sn, uint64_t minimum, _Out_ marline_session **out, void *err)');
const bufferData = f('const uint8_t *marline_buffer_data(const marline_buffer *b)');
const bufferLen = f('size_t marline_buffer_len(const marline_buffer *b)');
const openedText = f('const uint8_t *marline_opened_plaintext(const marline_opened *o)');
const openedLen = f('size_t marline_opened_plaintext_len(const marline_opened *o)');
const openedSubject = f('const uint8_t *marline_opened_subject(const marline_opened *o)');
const openedSubjectLen = f('size_t marline_opened_subject_len(const marline_opened *o)');
const free = {};
for (const name of ['account', 'session', 'publication', 'buffer', 'opened']) free[name] = f(`void marline_${name}_free(marline_${name} *h)`);

const NOW = 1800000000;
const none = Buffer.alloc(0);

function check(status) {
  if (status !== 0) throw Object.assign(new Error(statusName(status)), { status });
}
const copy = (pointer, length) => Buffer.from(koffi.decode(pointer, koffi.array('uint8_t', Number(length), 'Typed')));

// Calls with one output and returns the handle; a buffer is copied and freed.
function handle(call) {
  const out = [null];
  check(call(out));
  return out[0];
}
function bytes(call) {
  const buffer = handle(call);
  const result = copy(bufferData(buffer), bufferLen(buffer));
  free.buffer(buffer);
  return result;
}
function take(opened) {
  const result = { text: copy(openedText(opened), openedLen(opened)), from: copy(openedSubject(opened), openedSubjectLen(opened)) };
  free.opened(opened);
  return result;
}
const account = (name) => handle((out) => generate(Buffer.from(name), name.length, out, null));
const encrypt = (s, text, ad = none) => bytes((out) => encryptRaw(s, text, text.length, ad, ad.length, null, out, null));
const decrypt = (s, message, ad = none) => take(handle((out) => decryptRaw(s, message, message.length, ad, ad.length, out, null)));

const alice = account('alice'), bob = account('bob');
const publication = handle((out) => publish(bob, 2, NOW, out, null));
const bundle = bytes((out) => publicationBundle(publication, 0, out, null));

const toBob = [null], opened = [null];
const first = bytes((message) => initiate(alice, bundle, bundle.length, Buffer.from('hello'), 5, none, 0, null, NOW, toBob, message, null));
const toAlice = handle((session) => accept(bob, first, first.length, none, 0, NOW, session, opened, null));
const hello = take(opened[0]);
assert.deepStrictEqual([hello.text.toString(), hello.from.toString()], ['hello', 'alice']);

for (let i = 0; i < 80; i++) {
  const [from, to] = i % 2 ? [toBob[0], toAlice] : [toAlice, toBob[0]];
  const text = Buffer.from(`message ${i}`), ad = Buffer.from('ad');
  assert.deepStrictEqual(decrypt(to, encrypt(from, text, ad), ad).text, text);
}

const message = encrypt(toAlice, Buffer.from('once'));
const forged = Buffer.from(message);
forged[forged.length - 1] ^= 1;
assert.throws(() => decrypt(toBob[0], forged), { message: 'MARLINE_ERR_AUTHENTICATION' });
assert.strictEqual(decrypt(toBob[0], message).text.toString(), 'once');

const key = Buffer.alloc(32, 7), generation = [0];
const sealed = bytes((out) => exportRaw(toBob[0], key, 32, out, generation, null));
const restore = (minimum) => handle((out) => importRaw(key, 32, sealed, sealed.length, minimum, out, null));
assert.throws(() => restore(Number(generation[0]) + 1), { message: 'MARLINE_ERR_ROLLBACK' });
const restored = restore(generation[0]);
assert.strictEqual(decrypt(toAlice, encrypt(restored, Buffer.from('back'))).text.toString(), 'back');

for (const session of [toBob[0], toAlice, restored]) free.session(session);
free.publication(publication);
free.account(alice), free.account(bob);
console.log('node: ok');
