// Pushed authorization requests (RFC 9126): the push, and what its reference is good for.
import { assertion } from './assertion.mjs'
import { walk } from './authorize.mjs'
import { answerOutcome, pageOutcome } from './outcome.mjs'

const endpoint = 'pushed_authorization_request'
const push = (s, changes = {}, client = 'web', headers = s.basic(client)) => s.post(endpoint, s.request(client, changes), headers)
const row = (name, send) => [`push: ${name}`, async (side) => answerOutcome(await send(side))]
const changed = (name, changes) => row(name, (s) => push(s, typeof changes === 'function' ? changes(s) : changes))
const pushed = async (s, changes, client) => (await (await push(s, changes, client, client === 'pub' ? {} : undefined)).json()).request_uri

// begin opens the authorization endpoint with a reference, as nobody or to the end.
const begin = (name, params, { as, decision, again = false } = {}) => [`push: ${name}`, async (side) => {
  const person = as ? await side.person(as) : side.nobody()
  const url = `${side.metadata.authorization_endpoint}?${side.encode(await params(side))}`
  const once = async () => walk(side, person, await person.request(url), decision)
  if (again) await once()
  return pageOutcome(await once(), side.clients.web.redirect_uris[0])
}]
const id = (s, client = 'web') => ({ client_id: s.clients[client].client_id })

const parameters = {
  'response_type missing': { response_type: undefined }, 'response_type token': { response_type: 'token' }, 'redirect_uri missing': { redirect_uri: undefined }, 'redirect_uri not registered': { redirect_uri: 'https://evil.test/cb' },
  'redirect_uri with a slash behind': { redirect_uri: 'https://app.example.org/cb/' }, 'state missing': { state: undefined }, 'aud missing': { aud: undefined }, 'scope unknown': { scope: 'foo' }, 'scope missing': { scope: undefined },
  'code_challenge missing': { code_challenge: undefined }, 'code_challenge_method plain': { code_challenge_method: 'plain' }, 'code_challenge too short': { code_challenge: 'x' }, 'prompt unknown': { prompt: 'foo' }, 'prompt none': { prompt: 'none' },
  'prompt none and login': { prompt: 'none login' }, 'max_age negative': { max_age: '-1' }, 'response_mode unknown': { response_mode: 'foo' }, 'resource of somebody else': { resource: 'https://other.example/r4' }, 'id_token_hint that is no JWT': { id_token_hint: 'x' },
  'request': { request: 'x' }, 'request_uri': { request_uri: 'urn:ietf:params:oauth:request_uri:abc' }, 'claims that are no JSON': { claims: '{' }, 'state twice': { state: ['a', 'b'] }, 'redirect_uri twice': { redirect_uri: ['https://app.example.org/cb', 'https://app.example.org/cb'] },
  'client_id of another client': (s) => id(s, 'evil'), 'client_id missing': { client_id: undefined }, 'an unknown parameter': { foo: 'bar' },
}

export const pushes = [
  changed('a good request', {}), ...Object.entries(parameters).map(([name, changes]) => changed(name, changes)),
  row('by nobody', (s) => s.post(endpoint, { ...s.request('web'), client_id: undefined })), row('a client with a secret, by client_id alone', (s) => push(s, {}, 'web', {})), row('a wrong secret', (s) => push(s, {}, 'web', s.basic('web', 'wrong'))),
  row('a public client', (s) => push(s, {}, 'pub', {})), row('a client with the secret in the body', (s) => push(s, { client_secret: s.clients.post.client_secret }, 'post', {})),
  ...['token_endpoint', 'issuer', `${endpoint}_endpoint`].map((aud) => row(`by an assertion for the ${aud}`, (s) => push(s, { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion(s, 'jwt', { claims: { aud: s.metadata[aud] } }) }, 'jwt', {}))),
  row('a backend service', (s) => s.post(endpoint, { ...s.request('web'), client_id: undefined, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion(s, 'bes') })),
  row('as JSON', (s) => fetch(s.metadata[`${endpoint}_endpoint`], { method: 'POST', body: '{}', headers: { 'content-type': 'application/json', ...s.basic('web') } })), row('by GET', (s) => fetch(s.metadata[`${endpoint}_endpoint`])),
  row('in the URL', (s) => s.post(endpoint, {}, s.basic('web'), `?${s.encode(s.request('web'))}`)),
  begin('the reference', async (s) => ({ ...id(s), request_uri: await pushed(s) })),
  begin('the reference, to the end', async (s) => ({ ...id(s), request_uri: await pushed(s, { prompt: 'consent' }) }), { as: 'agrees', decision: 'allow' }),
  begin('the reference, to the end, of a public client', async (s) => ({ ...id(s, 'pub'), request_uri: await pushed(s, { prompt: 'consent' }, 'pub') }), { as: 'agrees', decision: 'allow' }),
  begin('the reference, declined', async (s) => ({ ...id(s), request_uri: await pushed(s, { prompt: 'consent' }) }), { as: 'agrees', decision: 'deny' }),
  begin('the reference after it gave a code', async (s) => { s.kept ??= await pushed(s, { prompt: 'consent' }); return { ...id(s), request_uri: s.kept } }, { as: 'agrees', decision: 'allow', again: true }),
  begin('the reference of another client', async (s) => ({ ...id(s, 'evil'), request_uri: await pushed(s) })), begin('the reference without client_id', async (s) => ({ request_uri: await pushed(s) })),
  begin('the reference twice', async (s) => { const r = await pushed(s); return { ...id(s), request_uri: [r, r] } }), begin('a reference that nobody has', async (s) => ({ ...id(s), request_uri: 'urn:ietf:params:oauth:request_uri:abc' })),
  begin('the reference and another redirect_uri', async (s) => ({ ...id(s), request_uri: await pushed(s), redirect_uri: 'https://evil.test/cb' })), begin('the reference and another state, to the end', async (s) => ({ ...id(s), request_uri: await pushed(s, { prompt: 'consent' }), state: 'other' }), { as: 'agrees', decision: 'allow' }),
  begin('the reference and other scopes', async (s) => ({ ...id(s), request_uri: await pushed(s), scope: 'system/*.rs' })), begin('the reference and request', async (s) => ({ ...id(s), request_uri: await pushed(s), request: 'x' })),
]
