// Requests to the authorization endpoint: parameters missing, doubled, malformed.
import { pageOutcome } from './outcome.mjs'

const form = 'application/x-www-form-urlencoded'

// walk asks and, when a person is to go on, presses what pages ask for.
export async function walk(side, person, page, decision) {
  for (let n = 0; n < 5 && !page.left && page.status < 400 && decision; n++) {
    const who = side.sandbox.people.find((p) => p.username === 'maria')
    if (page.text.includes('value="sign-in"')) page = await person.post(page, { username: 'maria', password: who.password, action: 'sign-in' })
    else if (page.text.includes('value="allow"')) page = await person.post(page, { decision })
    else break
  }
  return page
}

// ask makes one row: a good request of the client with changes. as: whose browser;
// decision: what the person presses, nothing when left out.
export function ask(name, changes = {}, { client = 'pub', as, method = 'GET', decision, type = form, query = '', raw } = {}) {
  return [`authorize: ${name}`, async (side) => {
    const asked = side.request(client, typeof changes === 'function' ? await changes(side) : changes)
    const text = raw ? raw(side.encode(asked)) : side.encode(asked)
    const person = as ? await side.person(as) : side.nobody()
    const endpoint = side.metadata.authorization_endpoint + query
    const page = method === 'POST'
      ? await person.request(endpoint, { method, body: text, headers: { 'content-type': type } })
      : await person.request(`${endpoint}?${text}`, { method })
    const redirect = typeof asked.redirect_uri === 'string' ? asked.redirect_uri : undefined
    return pageOutcome(await walk(side, person, page, decision), URL.canParse(redirect) ? redirect : undefined)
  }]
}

const required = ['response_type', 'client_id', 'redirect_uri', 'scope', 'state', 'nonce', 'aud', 'code_challenge', 'code_challenge_method']
const garbage = ['code', '', '\u0000', 'a b', '%', 'x'.repeat(300), '\u202e', "<script>'\"", '🜁']

const missing = required.flatMap((p) => [ask(`${p} missing`, { [p]: undefined }), ask(`${p} empty`, { [p]: '' })])

const usual = (s, p) => ({ ...s.request('pub'), resource: s.audience, prompt: 'login', max_age: '5' })[p] ?? 'x'
const doubled = [...required, 'prompt', 'max_age', 'request', 'unknown', 'resource'].flatMap((p) => [
  ask(`${p} twice, the same`, (s) => ({ [p]: [usual(s, p), usual(s, p)] })),
  ask(`${p} twice, different`, (s) => ({ [p]: [usual(s, p), 'other'] })),
  ask(`${p} twice, by POST`, (s) => ({ [p]: [usual(s, p), 'other'] }), { method: 'POST' }),
])

const clients = [
  ask('client_id unknown', { client_id: 'nobody' }),
  ask('client_id in another case', (s) => ({ client_id: s.clients.pub.client_id.toUpperCase() + 'X' })),
  ask('client_id with a space behind', (s) => ({ client_id: `${s.clients.pub.client_id} ` })),
  ask('client_id of another client', (s) => ({ client_id: s.clients.evil.client_id })),
  ask('client_id of a backend service', (s) => ({ client_id: s.clients.bes.client_id })),
  ...garbage.filter((g) => g !== '').map((g) => ask(`client_id is ${JSON.stringify(g.slice(0, 12))}`, { client_id: g })),
  ask('client_secret in the request', { client_secret: 'x' }, { client: 'web' }),
]

const types = ['token', 'id_token', 'code token', 'code id_token', 'token code', 'code id_token token', 'none', 'CODE', 'code ', ' code', 'code code', 'device', 'foo']
  .map((t) => ask(`response_type=${JSON.stringify(t)}`, { response_type: t }))

const modes = ['query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'web_message', 'QUERY', 'foo', ''].flatMap((m) => [
  ask(`response_mode=${JSON.stringify(m)}`, { response_mode: m }),
  ask(`response_mode=${JSON.stringify(m)}, to the end`, { response_mode: m, prompt: 'consent' }, { as: 'modes', decision: 'allow' }),
  ask(`response_mode=${JSON.stringify(m)}, an error`, { response_mode: m, code_challenge: undefined }),
])

const states = [
  ...garbage.map((g) => ask(`state is ${JSON.stringify(g.slice(0, 12))}`, { state: g })),
  ...garbage.filter((g) => g !== '\u0000').map((g) => ask(`state is ${JSON.stringify(g.slice(0, 12))}, to the end`, { state: g, prompt: 'consent' }, { as: 'states', decision: 'allow' })),
  ask('state of 2000 characters', { state: 's'.repeat(2000) }),
  ask('state of 3000 characters', { state: 's'.repeat(3000) }),
  ...['a b', '\u202e', 'x'.repeat(300), "<script>'\""].map((g) => ask(`nonce is ${JSON.stringify(g.slice(0, 12))}`, { nonce: g })),
  ask('nonce of 600 characters', { nonce: 'n'.repeat(600) }),
]

const methods = [
  ask('by POST', {}, { method: 'POST' }),
  ask('by POST, to the end', { prompt: 'consent' }, { method: 'POST', as: 'posts', decision: 'allow' }),
  ask('by POST, declined', { prompt: 'consent' }, { method: 'POST', as: 'posts', decision: 'deny' }),
  ask('by POST as JSON', {}, { method: 'POST', type: 'application/json', raw: () => '{}' }),
  ask('by POST as text', {}, { method: 'POST', type: 'text/plain' }),
  ask('by POST with a character set', {}, { method: 'POST', type: `${form}; charset=utf-8` }),
  ask('by POST with another character set', {}, { method: 'POST', type: `${form}; charset=utf-16` }),
  ask('by POST with parameters in the URL', {}, { method: 'POST', query: '?state=other' }),
  ask('by POST without a body', {}, { method: 'POST', raw: () => '' }),
  ask('by POST of 200 kB', { unknown: 'x'.repeat(200_000) }, { method: 'POST' }),
  ask('by GET of 9 kB', { unknown: 'x'.repeat(9_000) }),
  ask('by PUT', {}, { method: 'PUT' }),
  ask('by DELETE', {}, { method: 'DELETE' }),
  ask('by HEAD', {}, { method: 'HEAD' }),
  ask('without anything', {}, { raw: () => '' }),
  ask('separated by semicolons', {}, { raw: (t) => t.replaceAll('&', ';') }),
  ask('with empty pairs', {}, { raw: (t) => `&&${t.replaceAll('&', '&&')}&` }),
  ask('a broken percent sign in state', {}, { raw: (t) => t.replace('st-1', '%zz') }),
  ask('a cut percent sign in state', {}, { raw: (t) => t.replace('st-1', 'a%2') }),
  ask('no UTF-8 in state', {}, { raw: (t) => t.replace('st-1', '%ff') }),
  ask('a name without a value', {}, { raw: (t) => `${t}&unknown` }),
  ask('a name in brackets', {}, { raw: (t) => t.replace('state=', 'state%5B%5D=') }),
  ask('a nested redirect_uri', {}, { raw: (t) => t.replace('redirect_uri=', 'redirect_uri%5Ba%5D=') }),
  ask('__proto__ as a name', {}, { raw: (t) => `${t}&__proto__=x&constructor=y` }),
  ask('120 unknown parameters', Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`p${i}`, 'x']))),
  ask('names in another case', {}, { raw: (t) => t.replace('client_id=', 'CLIENT_ID=') }),
]

export const authorize = [ask('a good request'), ask('a good request, declined', { prompt: 'consent' }, { as: 'declines', decision: 'deny' }),
  ask('a good request, to the end', { prompt: 'consent' }, { as: 'agrees', decision: 'allow' }), ask('from nobody to the end', {}, { decision: 'allow' }),
  ...missing, ...doubled, ...clients, ...types, ...modes, ...states, ...methods]
