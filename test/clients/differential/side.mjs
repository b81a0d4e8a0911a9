// One server with what the table asks of it: its endpoints, people in front of
// browsers, codes and tokens. Nothing here knows which server it is.
import { createHash, randomUUID } from 'node:crypto'
import { Person } from '../sandbox.mjs'
import { callback } from './clients.mjs'

export const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
export const challenge = createHash('sha256').update(verifier).digest('base64url')
const form = 'application/x-www-form-urlencoded'

export class Side {
  static async of(server) {
    const side = new Side()
    Object.assign(side, server)
    side.issuer = server.sandbox.issuer
    side.metadata = await (await fetch(`${side.issuer}/.well-known/openid-configuration`)).json()
    return side
  }

  // encode writes parameters: a list of values is the parameter several times, and
  // undefined is none.
  encode(params) {
    if (typeof params === 'string') return params
    const out = new URLSearchParams()
    for (const [k, v] of Object.entries(params)) for (const one of [v].flat()) if (one !== undefined) out.append(k, one)
    return out.toString()
  }

  // request is a good authorization request of a client with changes.
  request(client, changes = {}) {
    const c = this.clients[client]
    return {
      response_type: 'code', client_id: c.client_id, redirect_uri: c.redirect_uris[0], scope: 'openid', state: 'st-1', aud: this.audience,
      nonce: 'n-1', code_challenge: challenge, code_challenge_method: 'S256', ...changes,
    }
  }

  nobody() { return new Person(this.sandbox) }

  // person has signed in; one of a name is one browser for the whole table.
  async person(name, username = 'maria') {
    this.known ??= new Map()
    if (!this.known.has(name)) {
      const made = this.nobody()
      await made.approve(`${this.metadata.authorization_endpoint}?${this.encode(this.request('pub', { prompt: 'consent' }))}`, username)
      this.known.set(name, made)
    }
    return this.known.get(name)
  }

  // code is a fresh one for a client, with a refresh token to come.
  async code(client = 'web', changes = {}) {
    const person = await this.person('codes')
    const asked = this.request(client, { scope: 'openid offline_access', prompt: 'consent', ...changes })
    const left = await person.approve(`${this.metadata.authorization_endpoint}?${this.encode(asked)}`, 'maria')
    const code = left.searchParams.get('code')
    if (!code) throw new Error(`${this.name}: no code but ${left}`)
    return code
  }

  basic(client, secret = this.clients[client].client_secret) {
    const half = (s) => encodeURIComponent(s)
    return { authorization: `Basic ${Buffer.from(`${half(this.clients[client].client_id)}:${half(secret)}`).toString('base64')}` }
  }

  // post sends a form to an endpoint.
  post(endpoint, params, headers = {}, query = '') {
    return fetch(this.metadata[`${endpoint}_endpoint`] + query, {
      method: 'POST', redirect: 'manual', headers: { 'content-type': form, ...headers }, body: this.encode(params),
    })
  }

  exchange(code, changes = {}) {
    return { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier, ...changes }
  }

  // tokens are those of a fresh grant of the client with a secret.
  async tokens(client = 'web', changes = {}) {
    const code = await this.code(client, changes)
    const own = { redirect_uri: this.clients[client].redirect_uris[0] }
    const basic = this.clients[client].token_endpoint_auth_method === 'client_secret_basic'
    const answer = await this.post('token', this.exchange(code, basic ? own : { ...own, client_id: this.clients[client].client_id }), basic ? this.basic(client) : {})
    const tokens = await answer.json()
    if (!tokens.access_token) throw new Error(`${this.name}: no token but ${JSON.stringify(tokens)}`)
    return tokens
  }

  unique() { return randomUUID() }
}
