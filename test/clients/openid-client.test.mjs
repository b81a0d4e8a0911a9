// openid-client, unmodified, completes the flow, refreshes and verifies the ID token.
// spec: AUTHZ-18, OIDC-01, OIDC-06, OIDC-18, RT-11, INTRO-06, REVOKE-02
import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import * as client from 'openid-client'
import { Person, start } from './sandbox.mjs'

let sandbox
before(async () => { sandbox = await start() })
after(() => sandbox.stop())

test('openid-client with a confidential client', async () => {
  const app = sandbox.clients.find((c) => c.client_id === 'sandbox-confidential')
  const config = await client.discovery(new URL(sandbox.issuer), app.client_id, undefined, client.ClientSecretBasic(app.client_secret), { execute: [client.allowInsecureRequests] })
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const nonce = client.randomNonce()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: app.redirect_uris[0], scope: 'launch/patient patient/*.rs openid fhirUser offline_access', state, nonce, aud: sandbox.fhir_base_url,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })
  const back = await new Person(sandbox).approve(url.href, 'maria')
  const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true })
  assert.equal(tokens.patient, 'maria')
  assert.equal(tokens.claims().fhirUser, `${sandbox.fhir_base_url}/Patient/maria`)
  const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
  assert.equal(info.sub, tokens.claims().sub)
  const again = await client.refreshTokenGrant(config, tokens.refresh_token)
  assert.notEqual(again.access_token, tokens.access_token)
  assert.equal((await client.tokenIntrospection(config, again.access_token)).active, true)
  await client.tokenRevocation(config, again.refresh_token)
  assert.equal((await client.tokenIntrospection(config, again.access_token)).active, false)
})
