// oauth4webapi, unmodified, completes the flow of a public client, refreshes and
// verifies the ID token.
// spec: AUTHZ-18, CAUTH-01, OIDC-06, RT-20
import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'
import { Person, start } from './sandbox.mjs'

let sandbox
before(async () => { sandbox = await start() })
after(() => sandbox.stop())

test('oauth4webapi with a public client', async () => {
  const insecure = { [oauth.allowInsecureRequests]: true }
  const issuer = new URL(sandbox.issuer)
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
  const app = { client_id: 'sandbox-native' }
  const redirect = 'http://127.0.0.1:43210/callback' // any port of a loopback redirect
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const nonce = oauth.generateRandomNonce()
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: app.client_id, redirect_uri: redirect, response_type: 'code', scope: 'launch/patient patient/*.rs openid fhirUser offline_access', state, nonce,
    aud: sandbox.fhir_base_url, code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }).toString()
  const back = await new Person(sandbox).approve(url.href, 'james')
  const params = oauth.validateAuthResponse(as, app, back, state)
  const answer = await oauth.authorizationCodeGrantRequest(as, app, oauth.None(), params, redirect, verifier, insecure)
  const tokens = await oauth.processAuthorizationCodeResponse(as, app, answer, { expectedNonce: nonce, requireIdToken: true })
  await oauth.validateApplicationLevelSignature(as, answer, insecure)
  assert.equal(tokens.patient, 'james')
  const refreshed = await oauth.processRefreshTokenResponse(as, app, await oauth.refreshTokenGrantRequest(as, app, oauth.None(), tokens.refresh_token, insecure))
  assert.notEqual(refreshed.refresh_token, tokens.refresh_token)
  const record = await oauth.protectedResourceRequest(refreshed.access_token, 'GET', new URL(`${sandbox.fhir_base_url}/Patient/james`), undefined, undefined, insecure)
  assert.equal(record.status, 200)
})
