// Introspection, revocation, UserInfo, discovery, keys and logout.
import { pageOutcome, answerOutcome } from './outcome.mjs'

const row = (name, send) => [name, async (side) => answerOutcome(await send(side))]
const bearer = (token) => ({ authorization: `Bearer ${token}` })
const get = (url, headers = {}, method = 'GET') => fetch(url, { method, headers, redirect: 'manual' })
const json = { 'content-type': 'application/json' }

// both are rows that introspection and revocation share.
const both = ['introspection', 'revocation'].flatMap((e) => [
  row(`${e}: an access token`, async (s) => s.post(e, { token: (await s.tokens()).access_token }, s.basic('web'))),
  row(`${e}: a refresh token`, async (s) => s.post(e, { token: (await s.tokens()).refresh_token }, s.basic('web'))),
  row(`${e}: an ID token`, async (s) => s.post(e, { token: (await s.tokens()).id_token }, s.basic('web'))),
  row(`${e}: a code`, async (s) => s.post(e, { token: await s.code() }, s.basic('web'))),
  row(`${e}: token unknown`, (s) => s.post(e, { token: 'x' }, s.basic('web'))),
  row(`${e}: token missing`, (s) => s.post(e, {}, s.basic('web'))),
  row(`${e}: token empty`, (s) => s.post(e, { token: '' }, s.basic('web'))),
  row(`${e}: token twice`, (s) => s.post(e, { token: ['x', 'y'] }, s.basic('web'))),
  row(`${e}: hint twice`, (s) => s.post(e, { token: 'x', token_type_hint: ['access_token', 'x'] }, s.basic('web'))),
  ...['access_token', 'refresh_token', 'foo', ''].flatMap((h) => [
    row(`${e}: an access token, hint ${JSON.stringify(h)}`, async (s) => s.post(e, { token: (await s.tokens()).access_token, token_type_hint: h }, s.basic('web'))),
    row(`${e}: a refresh token, hint ${JSON.stringify(h)}`, async (s) => s.post(e, { token: (await s.tokens()).refresh_token, token_type_hint: h }, s.basic('web'))),
  ]),
  row(`${e}: nobody asks`, (s) => s.post(e, { token: 'x' })),
  row(`${e}: an unknown client asks`, (s) => s.post(e, { token: 'x', client_id: 'nobody' })),
  row(`${e}: a public client asks`, (s) => s.post(e, { token: 'x', client_id: s.clients.pub.client_id })),
  row(`${e}: a client with a secret, by client_id alone`, (s) => s.post(e, { token: 'x', client_id: s.clients.web.client_id })),
  row(`${e}: a wrong secret`, (s) => s.post(e, { token: 'x' }, s.basic('web', 'wrong'))),
  row(`${e}: a wrong secret in the body`, (s) => s.post(e, { token: 'x', client_id: s.clients.post.client_id, client_secret: 'wrong' })),
  row(`${e}: by Basic and in the body`, (s) => s.post(e, { token: 'x', client_id: s.clients.web.client_id, client_secret: s.clients.web.client_secret }, s.basic('web'))),
  row(`${e}: a token of another client`, async (s) => s.post(e, { token: (await s.tokens()).access_token }, s.basic('evil'))),
  row(`${e}: by GET`, (s) => get(`${s.metadata[`${e}_endpoint`]}?token=x`, s.basic('web'))),
  row(`${e}: as JSON`, (s) => fetch(s.metadata[`${e}_endpoint`], { method: 'POST', body: '{"token":"x"}', headers: { ...json, ...s.basic('web') } })),
  row(`${e}: token in the URL`, (s) => s.post(e, {}, s.basic('web'), '?token=x')),
  row(`${e}: of 100 kB`, (s) => s.post(e, { token: 'x'.repeat(100_000) }, s.basic('web'))),
])

const after = [
  row('introspection: an access token after it was revoked', async (s) => { const t = (await s.tokens()).access_token; await s.post('revocation', { token: t }, s.basic('web')); return s.post('introspection', { token: t }, s.basic('web')) }),
  row('introspection: an access token after its refresh token was revoked', async (s) => { const t = await s.tokens(); await s.post('revocation', { token: t.refresh_token }, s.basic('web')); return s.post('introspection', { token: t.access_token }, s.basic('web')) }),
  row('introspection: an access token after another client revoked it', async (s) => { const t = (await s.tokens()).access_token; await s.post('revocation', { token: t }, s.basic('evil')); return s.post('introspection', { token: t }, s.basic('web')) }),
  row('introspection: an access token after a refresh', async (s) => { const t = await s.tokens(); await s.post('token', { grant_type: 'refresh_token', refresh_token: t.refresh_token }, s.basic('web')); return s.post('introspection', { token: t.access_token }, s.basic('web')) }),
  row('revocation: twice', async (s) => { const t = (await s.tokens()).access_token; await s.post('revocation', { token: t }, s.basic('web')); return s.post('revocation', { token: t }, s.basic('web')) }),
  row('revocation: a public client its own token', async (s) => s.post('revocation', { token: (await s.tokens('pub')).access_token, client_id: s.clients.pub.client_id })),
]

const info = (name, make) => row(`userinfo: ${name}`, async (s) => { const { headers = {}, method, body, query = '' } = await make(s, await s.tokens('web', { scope: 'openid' })); return fetch(s.metadata.userinfo_endpoint + query, { method, headers, body }) })
const formType = { 'content-type': 'application/x-www-form-urlencoded' }
const userinfo = [
  info('by GET', (_, t) => ({ headers: bearer(t.access_token) })), info('by POST', (_, t) => ({ method: 'POST', headers: bearer(t.access_token) })),
  info('without a token', () => ({})), info('an unknown token', () => ({ headers: bearer('x') })), info('an ID token', (_, t) => ({ headers: bearer(t.id_token) })),
  info('another scheme', (_, t) => ({ headers: { authorization: `Basic ${t.access_token}` } })), info('bearer in small letters', (_, t) => ({ headers: { authorization: `bearer ${t.access_token}` } })),
  info('a token of the scheme DPoP', (_, t) => ({ headers: { authorization: `DPoP ${t.access_token}` } })), info('Bearer and nothing', () => ({ headers: { authorization: 'Bearer ' } })),
  info('two words behind Bearer', (_, t) => ({ headers: { authorization: `Bearer ${t.access_token} x` } })), info('characters that no token has', () => ({ headers: { authorization: 'Bearer a"b' } })),
  info('the token in the URL', (_, t) => ({ query: `?access_token=${t.access_token}` })), info('the token in the URL and the header', (_, t) => ({ headers: bearer(t.access_token), query: `?access_token=${t.access_token}` })),
  info('the token in the body', (_, t) => ({ method: 'POST', headers: formType, body: `access_token=${t.access_token}` })), info('the token in the body and the header', (_, t) => ({ method: 'POST', headers: { ...formType, ...bearer(t.access_token) }, body: `access_token=${t.access_token}` })),
  info('by PUT', (_, t) => ({ method: 'PUT', headers: bearer(t.access_token) })), info('by DELETE', (_, t) => ({ method: 'DELETE', headers: bearer(t.access_token) })),
  row('userinfo: a token without openid', async (s) => get(s.metadata.userinfo_endpoint, bearer((await s.tokens('web', { scope: 'user/*.rs', nonce: undefined })).access_token))),
  row('userinfo: a token that was revoked', async (s) => { const t = (await s.tokens()).access_token; await s.post('revocation', { token: t }, s.basic('web')); return get(s.metadata.userinfo_endpoint, bearer(t)) }),
  row('userinfo: a refresh token', async (s) => get(s.metadata.userinfo_endpoint, bearer((await s.tokens()).refresh_token))),
]

const documents = ['GET', 'HEAD', 'POST', 'PUT'].flatMap((m) => [
  row(`discovery: by ${m}`, (s) => get(`${s.issuer}/.well-known/openid-configuration`, {}, m)), row(`keys: by ${m}`, (s) => get(s.metadata.jwks_uri, {}, m)),
])
const promised = [
  'issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint', 'introspection_endpoint', 'revocation_endpoint', 'end_session_endpoint', 'scopes_supported', 'response_types_supported', 'grant_types_supported',
  'subject_types_supported', 'id_token_signing_alg_values_supported', 'token_endpoint_auth_methods_supported', 'code_challenge_methods_supported', 'claims_supported', 'authorization_response_iss_parameter_supported',
  'registration_endpoint', 'require_request_uri_registration', 'check_session_iframe', 'prompt_values_supported',
].map((m) => [`discovery: has ${m}`, async (s) => (m in s.metadata ? 'yes' : 'no')])
const told = ['response_types_supported', 'response_modes_supported', 'grant_types_supported', 'code_challenge_methods_supported', 'subject_types_supported', 'claims_parameter_supported', 'request_parameter_supported', 'request_uri_parameter_supported',
  'authorization_response_iss_parameter_supported', 'token_endpoint_auth_methods_supported',
].map((m) => [`discovery: ${m}`, async (s) => { const v = s.metadata[m]; return Array.isArray(v) ? [...v].sort().join(' ') : String(v) }])
const secretKeys = ['d', 'p', 'q', 'k'].map((m) => [`keys: a key with the private member ${m}`, async (s) => String((await (await fetch(s.metadata.jwks_uri)).json()).keys.some((k) => m in k))])

// out asks for logout in a browser, from a page of the app; a POST of another site
// comes with what browsers say about it.
const fromApp = { ...formType, origin: 'https://app.example.org', 'sec-fetch-site': 'cross-site' }
const out = (name, params, { as, method = 'GET' } = {}) => [`logout: ${name}`, async (side) => {
  const asked = typeof params === 'function' ? await params(side) : params
  const person = as ? await side.person(`logout ${name}`, as) : side.nobody()
  const text = side.encode(asked)
  const endpoint = side.metadata.end_session_endpoint
  const first = method === 'POST' ? await person.request(endpoint, { method, body: text, headers: fromApp }) : await person.request(`${endpoint}?${text}`)
  const page = await submitted(person, first)
  return pageOutcome(page, typeof asked.post_logout_redirect_uri === 'string' && URL.canParse(asked.post_logout_redirect_uri) ? asked.post_logout_redirect_uri : undefined)
}]
// submitted does what the script of a page does that only sends its form on.
async function submitted(person, page) {
  if (page.left || !/forms\[0\]\.submit\(\)|\.submit\(\)/.test(page.text)) return page
  const attribute = (tag, name) => tag.match(new RegExp(` ${name}="([^"]*)"`))?.[1] ?? ''
  const body = new URLSearchParams([...page.text.matchAll(/<input[^>]*>/g)].map(([tag]) => [attribute(tag, 'name'), attribute(tag, 'value')]))
  return person.request(new URL(page.text.match(/action="([^"]*)"/)[1], page.url).href, { method: 'POST', body: body.toString(), headers: formType })
}
const bye = 'https://app.example.org/bye'
const hinted = (more = {}) => async (s) => ({ id_token_hint: (await s.tokens()).id_token, ...more })
const logout = ['GET', 'POST'].flatMap((method) => [
  out(`by ${method}`, {}, { method, as: 'maria' }), out(`by ${method}, nobody signed in`, {}, { method }),
  out(`by ${method}, client_id unknown`, { client_id: 'nobody' }, { method }), out(`by ${method}, a URI that is not registered`, (s) => ({ client_id: s.clients.web.client_id, post_logout_redirect_uri: 'https://evil.test/' }), { method }),
  out(`by ${method}, a URI of an app that has none`, (s) => ({ client_id: s.clients.pub.client_id, post_logout_redirect_uri: bye }), { method }),
  out(`by ${method}, a URI without a client`, { post_logout_redirect_uri: bye }, { method, as: 'maria' }), out(`by ${method}, a URI twice`, { post_logout_redirect_uri: [bye, bye] }, { method }),
  out(`by ${method}, a hint that is no JWT`, { id_token_hint: 'x' }, { method, as: 'maria' }), out(`by ${method}, a hint that is no JWT, with a URI`, { id_token_hint: 'x', post_logout_redirect_uri: bye }, { method }),
  out(`by ${method}, a hint and the client of another`, async (s) => ({ ...(await hinted()(s)), client_id: s.clients.evil.client_id }), { method }),
  out(`by ${method}, a hint and a wrong URI`, hinted({ post_logout_redirect_uri: 'https://evil.test/' }), { method }), out(`by ${method}, a hint and a URI with more behind`, hinted({ post_logout_redirect_uri: `${bye}/` }), { method }),
  out(`by ${method}, a hint of who is signed in and a URI`, hinted({ post_logout_redirect_uri: bye, state: 's' }), { method, as: 'maria' }),
  out(`by ${method}, a hint of who is signed in`, hinted(), { method, as: 'maria' }), out(`by ${method}, a hint of somebody else and a URI`, hinted({ post_logout_redirect_uri: bye }), { method, as: 'james' }),
  out(`by ${method}, a hint and a URI, nobody signed in`, hinted({ post_logout_redirect_uri: bye, state: 's' }), { method }), out(`by ${method}, client_id and a URI, signed in`, (s) => ({ client_id: s.clients.web.client_id, post_logout_redirect_uri: bye }), { method, as: 'maria' }),
])

export const endpoints = [...both, ...after, ...userinfo, ...documents, ...promised, ...told, ...secretKeys, ...logout]
