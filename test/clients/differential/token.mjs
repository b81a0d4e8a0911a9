// Requests to the token endpoint: form, client, code, verifier, refresh token.
import { answerOutcome } from './outcome.mjs'
import { verifier } from './side.mjs'

const row = (name, send) => [`token: ${name}`, async (side) => answerOutcome(await send(side))]

// change is a good exchange of a code of the client with a secret, with changes.
const change = (name, changes, headers = {}) => row(name, async (s) => {
  const form = s.exchange(await s.code(), typeof changes === 'function' ? changes(s) : changes)
  return s.post('token', form, { ...s.basic('web'), ...headers })
})

// empty is an exchange of a code that nobody has, for what is judged before it.
const empty = (name, headers, changes = {}) => row(name, (s) => s.post('token', { ...s.exchange('ac_none'), ...(typeof changes === 'function' ? changes(s) : changes) }, typeof headers === 'function' ? headers(s) : headers))

const plain = (method, query = '') => (s) => fetch(s.metadata.token_endpoint + query, { method, redirect: 'manual' })
const typed = (type, body = (s) => s.encode(s.exchange('x'))) => (s) => fetch(s.metadata.token_endpoint, { method: 'POST', headers: { ...(type ? { 'content-type': type } : {}), ...s.basic('web') }, body: type ? body(s) : new Blob([body(s)]) })
const b64 = (text) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })

const shape = [
  ...['GET', 'PUT', 'DELETE', 'HEAD', 'PATCH'].map((m) => row(`by ${m}`, plain(m))),
  row('by GET with parameters', plain('GET', '?grant_type=authorization_code&code=x')),
  row('as JSON', typed('application/json', (s) => JSON.stringify(s.exchange('x')))), row('as text', typed('text/plain')), row('as multipart', typed('multipart/form-data; boundary=x')),
  row('without a media type', typed('')), row('with a character set', typed('application/x-www-form-urlencoded; charset=UTF-8')), row('in another case of the media type', typed('Application/X-WWW-Form-Urlencoded')),
  row('without a body', typed('application/x-www-form-urlencoded', () => '')),
  row('with a broken percent sign', typed('application/x-www-form-urlencoded', (s) => `${s.encode(s.exchange('x'))}&a=%zz`)),
  row('with parameters in the URL', async (s) => s.post('token', { code: await s.code(), redirect_uri: s.clients.web.redirect_uris[0], code_verifier: verifier }, s.basic('web'), '?grant_type=authorization_code')),
  row('with the secret in the URL', async (s) => s.post('token', s.exchange(await s.code()), {}, `?client_id=${s.clients.web.client_id}&client_secret=${s.clients.web.client_secret}`)),
  row('of 200 kB', (s) => s.post('token', { ...s.exchange('x'), pad: 'x'.repeat(200_000) }, s.basic('web'))),
]

const grantTypes = ['', 'password', 'implicit', 'client_credentials', 'refresh_token', 'AUTHORIZATION_CODE', 'authorization_code ', 'foo', 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'urn:ietf:params:oauth:grant-type:device_code', '__proto__']
const grants = [
  ...grantTypes.map((g) => empty(`grant_type=${JSON.stringify(g)}`, (s) => s.basic('web'), { grant_type: g, username: 'maria', password: 'x' })),
  ...['password', 'foo'].map((g) => empty(`grant_type=${g}, nobody`, {}, { grant_type: g })),
  empty('grant_type missing', (s) => s.basic('web'), { grant_type: undefined }),
  ...['grant_type', 'code', 'redirect_uri', 'code_verifier'].map((p) => change(`${p} twice`, (s) => ({ [p]: [s.exchange('x')[p], s.exchange('x')[p]] }))),
  change('an unknown parameter', { foo: 'bar' }), change('an unknown parameter twice', { foo: ['1', '2'] }), change('scope beside a code', { scope: 'openid' }), change('scope beside a code, wider', { scope: 'openid profile foo' }),
  change('resource of somebody else', { resource: 'https://other.example/r4' }),
]

const secret = (s) => s.clients.web.client_secret
const id = (s) => s.clients.web.client_id
const proofs = [
  empty('nobody', {}), empty('client_id unknown', {}, { client_id: 'nobody' }), empty('client_id empty', {}, { client_id: '' }),
  empty('a client with a secret that sends none', {}, (s) => ({ client_id: id(s) })), empty('a client with a key that sends none', {}, (s) => ({ client_id: s.clients.jwt.client_id })),
  empty('Basic, wrong secret', (s) => s.basic('web', 'wrong')), empty('Basic, empty secret', (s) => b64(`${id(s)}:`)), empty('Basic, unknown client', b64('nobody:x')), empty('Basic, no colon', (s) => b64(id(s))),
  empty('Basic, empty', b64('')), empty('Basic, no base64', { authorization: 'Basic ***' }), empty('Basic, nothing behind', { authorization: 'Basic' }), empty('Basic, two spaces', (s) => ({ authorization: s.basic('web').authorization.replace(' ', '  ') })),
  empty('basic in small letters', (s) => ({ authorization: s.basic('web').authorization.replace('Basic', 'basic') })), empty('Basic, broken percent sign', b64('a%zz:b')), empty('Basic, a secret and more', (s) => b64(`${id(s)}:${secret(s)}:x`)),
  empty('Bearer in place of Basic', { authorization: 'Bearer x' }), empty('Digest in place of Basic', { authorization: 'Digest x' }), empty('Basic of a public client', (s) => b64(`${s.clients.pub.client_id}:`)),
  empty('Basic of a public client with a secret', (s) => b64(`${s.clients.pub.client_id}:x`)), empty('Basic and the same client_id', (s) => s.basic('web'), (s) => ({ client_id: id(s) })),
  empty('Basic and another client_id', (s) => s.basic('web'), (s) => ({ client_id: s.clients.evil.client_id })), empty('Basic and the secret in the body', (s) => s.basic('web'), (s) => ({ client_id: id(s), client_secret: secret(s) })),
  empty('the secret in the body, client registered for Basic', {}, (s) => ({ client_id: id(s), client_secret: secret(s) })), empty('a wrong secret in the body', {}, (s) => ({ client_id: s.clients.post.client_id, client_secret: 'wrong' })),
  empty('Basic, client registered for the body', (s) => s.basic('post')), empty('a secret in the body without client_id', {}, { client_secret: 'x' }), empty('an empty secret in the body', {}, (s) => ({ client_id: s.clients.post.client_id, client_secret: '' })),
  empty('a public client with a secret in the body', {}, (s) => ({ client_id: s.clients.pub.client_id, client_secret: 'x' })), empty('client_id twice', {}, (s) => ({ client_id: [s.clients.pub.client_id, s.clients.pub.client_id] })),
  empty('client_secret twice', {}, (s) => ({ client_id: s.clients.post.client_id, client_secret: [s.clients.post.client_secret, 'x'] })), empty('a public client', {}, (s) => ({ client_id: s.clients.pub.client_id })),
  empty('a public client that may not use client_credentials', {}, (s) => ({ client_id: s.clients.pub.client_id, grant_type: 'client_credentials', scope: 'openid' })),
  row('a code of a public client, good', async (s) => s.post('token', s.exchange(await s.code('pub'), { client_id: s.clients.pub.client_id }))),
  row('a code of a client with the secret in the body, good', async (s) => s.post('token', s.exchange(await s.code('post'), { client_id: s.clients.post.client_id, client_secret: s.clients.post.client_secret }))),
  row('a code of a public client, with Basic of another', async (s) => s.post('token', s.exchange(await s.code('pub')), s.basic('web'))),
]

const codes = [
  change('a good code', {}), change('code missing', { code: undefined }), change('code empty', { code: '' }), change('code unknown', { code: 'ac_unknown' }), change('code of 5000 characters', { code: 'a'.repeat(5000) }), change('code with a zero byte', { code: 'a\0b' }),
  change('redirect_uri missing', { redirect_uri: undefined }), change('redirect_uri empty', { redirect_uri: '' }),
  row('a code used twice', async (s) => { const form = s.exchange(await s.code()); await s.post('token', form, s.basic('web')); return s.post('token', form, s.basic('web')) }),
  row('a code of another client', async (s) => s.post('token', s.exchange(await s.code('web')), s.basic('evil'))),
  row('a code of a public client, brought by another', async (s) => s.post('token', s.exchange(await s.code('pub'), { client_id: s.clients.nat.client_id }))),
  row('a good code after another client tried it', async (s) => { const form = s.exchange(await s.code()); await s.post('token', form, s.basic('evil')); return s.post('token', form, s.basic('web')) }),
  row('a good code after a wrong secret', async (s) => { const form = s.exchange(await s.code()); await s.post('token', form, s.basic('web', 'wrong')); return s.post('token', form, s.basic('web')) }),
  row('a good code after a wrong redirect_uri', async (s) => { const form = s.exchange(await s.code()); await s.post('token', { ...form, redirect_uri: 'https://evil.test/' }, s.basic('web')); return s.post('token', form, s.basic('web')) }),
  row('a refresh token as a code', async (s) => s.post('token', s.exchange((await s.tokens()).refresh_token), s.basic('web'))),
  row('an access token as a code', async (s) => s.post('token', s.exchange((await s.tokens()).access_token), s.basic('web'))),
  row('scope without offline_access', async (s) => s.post('token', s.exchange(await s.code('web', { scope: 'openid' })), s.basic('web'))),
  row('scope without openid', async (s) => s.post('token', s.exchange(await s.code('web', { scope: 'user/*.rs offline_access', nonce: undefined })), s.basic('web'))),
]

const verifiers = {
  'missing': undefined, 'empty': '', 'wrong': verifier.replace(/^./, 'X'), 'of 42 characters': verifier.slice(1), 'of 129 characters': 'a'.repeat(129), 'with a space': `${verifier.slice(1)} `, 'with a slash': verifier.replace(/^./, '/'),
  'that is the challenge': 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 'in another case': verifier.toUpperCase(), 'with more behind': `${verifier}a`, 'with a percent sign': verifier.replace(/^./, '%'),
}
const pkce = [
  ...Object.entries(verifiers).map(([name, v]) => change(`code_verifier ${name}`, { code_verifier: v })),
  row('a good code after a wrong verifier', async (s) => { const form = s.exchange(await s.code()); await s.post('token', { ...form, code_verifier: 'a'.repeat(43) }, s.basic('web')); return s.post('token', form, s.basic('web')) }),
  row('a good code after no verifier', async (s) => { const form = s.exchange(await s.code()); await s.post('token', { ...form, code_verifier: undefined }, s.basic('web')); return s.post('token', form, s.basic('web')) }),
]

export const token = [...shape, ...grants, ...proofs, ...codes, ...pkce]
