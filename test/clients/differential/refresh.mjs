// Refresh tokens, and what becomes of tokens when something is replayed or revoked.
import { answerOutcome } from './outcome.mjs'

const row = (name, send) => [`refresh: ${name}`, async (side) => answerOutcome(await send(side))]
const form = (token, changes = {}) => ({ grant_type: 'refresh_token', refresh_token: token, ...changes })
const refresh = (s, token, changes = {}, client = 'web') => s.post('token', form(token, changes), s.basic(client))

// change refreshes a fresh grant with changes.
const change = (name, changes, client = 'web') => row(name, async (s) => refresh(s, (await s.tokens()).refresh_token, changes, client))

const scopes = ['openid', 'openid offline_access', 'offline_access openid', 'openid profile', 'profile', 'foo', '', 'openid  offline_access', 'OPENID', 'openid openid']

export const refreshes = [
  change('good', {}),
  ...scopes.map((scope) => change(`scope=${JSON.stringify(scope)}`, { scope })),
  ...[undefined, '', 'x', 'rt_unknown', 'a'.repeat(5000)].map((t) => row(`refresh_token is ${JSON.stringify(t)?.slice(0, 14)}`, (s) => refresh(s, t))),
  row('refresh_token twice', async (s) => { const { refresh_token: t } = await s.tokens(); return refresh(s, [t, t]) }),
  row('an access token in its place', async (s) => refresh(s, (await s.tokens()).access_token)),
  row('a code in its place', async (s) => refresh(s, await s.code())),
  row('one with another end', async (s) => { const { refresh_token: t } = await s.tokens(); return refresh(s, `${t.slice(0, -2)}AA`) }),
  row('of another client', async (s) => refresh(s, (await s.tokens()).refresh_token, {}, 'evil')),
  row('good after another client tried it', async (s) => { const { refresh_token: t } = await s.tokens(); await refresh(s, t, {}, 'evil'); return refresh(s, t) }),
  row('good after a scope that was not granted', async (s) => { const { refresh_token: t } = await s.tokens(); await refresh(s, t, { scope: 'foo' }); return refresh(s, t) }),
  row('wider again after it was narrowed', async (s) => { const first = await s.tokens(); const { refresh_token: t = first.refresh_token } = await (await refresh(s, first.refresh_token, { scope: 'openid' })).json(); return refresh(s, t) }),
  row('with a wrong secret', async (s) => s.post('token', form((await s.tokens()).refresh_token), s.basic('web', 'wrong'))),
  row('of a client with a secret, with client_id alone', async (s) => s.post('token', form((await s.tokens()).refresh_token, { client_id: s.clients.web.client_id }))),
  row('of a client with a secret, by nobody', async (s) => s.post('token', form((await s.tokens()).refresh_token))),
  row('of a public client', async (s) => s.post('token', form((await s.tokens('pub')).refresh_token, { client_id: s.clients.pub.client_id }))),
  row('of a public client, without client_id', async (s) => s.post('token', form((await s.tokens('pub')).refresh_token))),
  row('of a public client, by another', async (s) => s.post('token', form((await s.tokens('pub')).refresh_token, { client_id: s.clients.nat.client_id }))),
  row('used twice at once', async (s) => { const { refresh_token: t } = await s.tokens('pub'); const own = { client_id: s.clients.pub.client_id }; await s.post('token', form(t, own)); return s.post('token', form(t, own)) }),
  row('an old one, two generations back', async (s) => {
    const first = await s.tokens('pub'); const own = { client_id: s.clients.pub.client_id }
    const second = await (await s.post('token', form(first.refresh_token, own))).json()
    await s.post('token', form(second.refresh_token, own))
    return s.post('token', form(first.refresh_token, own))
  }),
  row('the newest after an old one was replayed', async (s) => {
    const first = await s.tokens('pub'); const own = { client_id: s.clients.pub.client_id }
    const second = await (await s.post('token', form(first.refresh_token, own))).json()
    const third = await (await s.post('token', form(second.refresh_token, own))).json()
    await s.post('token', form(first.refresh_token, own))
    return s.post('token', form(third.refresh_token, own))
  }),
  row('after the code was replayed', async (s) => {
    const code = await s.code()
    const tokens = await (await s.post('token', s.exchange(code), s.basic('web'))).json()
    await s.post('token', s.exchange(code), s.basic('web'))
    return refresh(s, tokens.refresh_token)
  }),
  row('the access token after the code was replayed', async (s) => {
    const code = await s.code()
    const tokens = await (await s.post('token', s.exchange(code), s.basic('web'))).json()
    await s.post('token', s.exchange(code), s.basic('web'))
    return s.post('introspection', { token: tokens.access_token }, s.basic('web'))
  }),
  row('after it was revoked', async (s) => { const { refresh_token: t } = await s.tokens(); await s.post('revocation', { token: t }, s.basic('web')); return refresh(s, t) }),
  row('after its access token was revoked', async (s) => { const t = await s.tokens(); await s.post('revocation', { token: t.access_token }, s.basic('web')); return refresh(s, t.refresh_token) }),
  row('after another client revoked it', async (s) => { const { refresh_token: t } = await s.tokens(); await s.post('revocation', { token: t }, s.basic('evil')); return refresh(s, t) }),
]
