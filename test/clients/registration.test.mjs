// openid-client, unmodified, registers itself and completes the flow; its registration
// is then changed and removed.
// spec: REG-10, REG-11, REG-15, REG-16
import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import * as client from 'openid-client'
import { operator, Person, start } from './sandbox.mjs'

let sandbox
before(async () => { sandbox = await start() })
after(() => sandbox.stop())

const insecure = { execute: [client.allowInsecureRequests] }
const redirect = 'http://127.0.0.1/callback'

async function flow(config, extra = {}) {
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirect, scope: 'launch/patient patient/*.rs openid fhirUser offline_access', state, aud: sandbox.fhir_base_url,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...extra,
  })
  const back = await new Person(sandbox).approve(url.href, 'maria')
  return client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true })
}

for (const method of ['none', 'client_secret_basic', 'client_secret_post']) {
  test(`openid-client registers with ${method}`, async () => {
    const { initial_access_token: initialAccessToken } = operator(sandbox, 'client', 'token', 'add', '--json')
    const metadata = { client_name: 'Growth Tracker', redirect_uris: [redirect], token_endpoint_auth_method: method, application_type: 'native' }
    const auth = { none: client.None(), client_secret_basic: client.ClientSecretBasic(), client_secret_post: client.ClientSecretPost() }[method]
    const config = await client.dynamicClientRegistration(new URL(sandbox.issuer), metadata, auth, { ...insecure, initialAccessToken })
    const registered = config.clientMetadata()
    assert.equal(Boolean(registered.client_secret), method !== 'none')
    const tokens = await flow(config)
    assert.equal(tokens.patient, 'maria')
    const again = await client.refreshTokenGrant(config, tokens.refresh_token)

    const manage = (init) => fetch(registered.registration_client_uri, { ...init, headers: { authorization: `Bearer ${registered.registration_access_token}`, 'content-type': 'application/json' } })
    const changed = await manage({ method: 'PUT', body: JSON.stringify({ ...metadata, client_id: registered.client_id, client_name: 'Another' }) })
    assert.equal(changed.status, 200)
    assert.equal((await (await manage({})).json()).client_name, 'Another')
    assert.equal((await manage({ method: 'DELETE' })).status, 204)
    // RFC 6749 §5.2: a failed Basic is a challenge, which the library tells by its status.
    await assert.rejects(client.refreshTokenGrant(config, again.refresh_token), method === 'client_secret_basic' ? { status: 401 } : { error: 'invalid_client' })
    assert.equal((await manage({})).status, 401)
  })
}

test('openid-client without an initial access token', async () => {
  await assert.rejects(client.dynamicClientRegistration(new URL(sandbox.issuer), { redirect_uris: [redirect] }, client.None(), insecure), { status: 401 })
})
