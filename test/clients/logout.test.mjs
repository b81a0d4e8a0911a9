// openid-client, unmodified, signs people out, in Chromium and in a browser without
// JavaScript, from an app on another site.
// spec: LOGOUT-01, LOGOUT-03, LOGOUT-04, LOGOUT-06, LOGOUT-08, DISC-35
import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as client from 'openid-client'
import { Person, start } from './sandbox.mjs'
import { launch, look, press, signIn } from './browser.mjs'

const binary = new URL('../../bin/emberlatch', import.meta.url).pathname
let sandbox
let browser
let server
let origin
let form = '' // the page of the app that posts to the server
let config
let app
before(async () => {
  sandbox = await start()
  browser = await launch()
  server = createServer((req, res) => { res.setHeader('content-type', 'text/html'); res.end(req.url.startsWith('/form') ? form : 'the app') })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${server.address().port}`
  const file = join(sandbox.data, 'app.json')
  writeFileSync(file, JSON.stringify({
    client_name: 'Companion', redirect_uris: [`${origin}/callback`], post_logout_redirect_uris: [`${origin}/bye`], scope: 'openid',
  }))
  app = JSON.parse(execFileSync(binary, ['client', 'add', file, '--data', sandbox.data], { encoding: 'utf8' }))
  config = await client.discovery(new URL(sandbox.issuer), app.client_id, undefined, client.ClientSecretBasic(app.client_secret), { execute: [client.allowInsecureRequests] })
})
after(async () => { await browser?.close(); server?.close(); await sandbox?.stop() })

const maria = () => sandbox.people.find((p) => p.username === 'maria')

// begin makes a request of the app; finish gets the ID token.
async function begin() {
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: `${origin}/callback`, scope: 'openid', state, aud: sandbox.fhir_base_url,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  })
  const finish = async (back) => (await client.authorizationCodeGrant(config, new URL(back), { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true })).id_token
  return { url: url.href, finish }
}

const signsIn = (text) => text.includes('value="sign-in"')

test('without JavaScript, by GET', async () => {
  const person = new Person(sandbox)
  const { url, finish } = await begin()
  const hint = await finish(await person.approve(url, 'maria'))
  const end = client.buildEndSessionUrl(config, { id_token_hint: hint, post_logout_redirect_uri: `${origin}/bye`, state: 's+1 &' })
  const { left } = await person.request(end.href)
  assert.equal(left.href, `${origin}/bye?state=s%2B1+%26`)
  assert.ok(signsIn((await person.request((await begin()).url)).text))
})

test('in Chromium, by a form of another site', async (t) => {
  const context = await browser.createBrowserContext()
  t.after(() => context.close())
  const page = await context.newPage()
  const { url, finish } = await begin()
  await page.goto(url)
  await signIn(page, maria())
  await press(page, 'button[value="allow"]')
  const hint = await finish(page.url())
  const post = (values) => {
    const end = config.serverMetadata().end_session_endpoint
    const inputs = Object.entries(values).map(([k, v]) => `<input type="hidden" name="${k}" value="${v}">`).join('')
    form = `<!DOCTYPE html><form method="post" action="${end}">${inputs}<button id="go">out</button></form>`
    return page.goto(`${origin}/form`).then(() => press(page, '#go'))
  }
  // No hint: the person is asked; the form leads back to the app all the same.
  await post({ client_id: app.client_id, post_logout_redirect_uri: `${origin}/bye`, state: 'one' })
  assert.equal(new URL(page.url()).origin, sandbox.issuer)
  assert.deepEqual(await look(page, 'sign-out'), [])
  await press(page, 'button[value="stay"]')
  assert.deepEqual(await look(page, 'still-signed-in'), [])
  await page.goto((await begin()).url)
  assert.ok(!signsIn(await page.content()), 'staying signs nobody out')
  await post({ client_id: app.client_id, post_logout_redirect_uri: `${origin}/bye`, state: 'two' })
  await press(page, 'button[value="sign-out"]')
  assert.equal(page.url(), `${origin}/bye?state=two`)
  // With the hint of who is signed in: nobody is asked.
  await page.goto((await begin()).url)
  await signIn(page, maria())
  await post({ id_token_hint: hint, post_logout_redirect_uri: `${origin}/bye`, state: 'three' })
  assert.equal(page.url(), `${origin}/bye?state=three`)
  await page.goto((await begin()).url)
  assert.ok(signsIn(await page.content()))
  // Somewhere that was not registered: a page of ours.
  await post({ id_token_hint: hint, post_logout_redirect_uri: `${origin}/elsewhere` })
  assert.equal(new URL(page.url()).origin, sandbox.issuer)
  assert.deepEqual(await look(page, 'error-logout'), [])
})
