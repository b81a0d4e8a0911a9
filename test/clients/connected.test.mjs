// In Chromium: a person lets the sample app in, not to be asked again, finds the page of
// connected apps from the start page, and stops it, by keyboard and without JavaScript.
// spec: CONS-18, CONS-19, REVOKE-09, REVOKE-11, REVOKE-12, REVOKE-15, LOGIN-25
import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Person, start } from './sandbox.mjs'
import { launch, look, press, signIn } from './browser.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
let sandbox
let browser
before(async () => { sandbox = await start(); browser = await launch() })
after(async () => { await browser?.close(); await sandbox?.stop() })

const maria = () => sandbox.people.find((p) => p.username === 'maria')
const words = (page) => page.evaluate(() => document.body.innerText)

async function check(page, name) {
  const problems = await look(page, name)
  const client = await page.createCDPSession()
  const { result } = await client.send('Runtime.evaluate', {
    expression: `${axe}; axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target).join(' '))))`,
    awaitPromise: true, returnByValue: true,
  })
  assert.deepEqual([...problems, ...JSON.parse(result.value ?? '[]')], [], name)
}

// enter gives an element the focus and presses the Enter key.
async function enter(page, selector) {
  await page.focus(selector)
  await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.keyboard.press('Enter')])
}

// tokens are those of an app that talks for itself.
async function tokens(app) {
  const verifier = randomBytes(32).toString('base64url')
  const query = {
    response_type: 'code', client_id: app.client_id, redirect_uri: app.redirect_uris[0], scope: 'launch/patient patient/Patient.rs openid offline_access', state: 'st',
    aud: sandbox.fhir_base_url, code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
  }
  const left = await new Person(sandbox).approve(`${sandbox.issuer}/authorize?${new URLSearchParams(query)}`, 'maria')
  return token(app, { grant_type: 'authorization_code', code: left.searchParams.get('code'), redirect_uri: app.redirect_uris[0], code_verifier: verifier })
}

async function token(app, form) {
  const answer = await fetch(`${sandbox.issuer}/token`, {
    method: 'POST', body: new URLSearchParams(form), headers: { authorization: `Basic ${Buffer.from(`${app.client_id}:${app.client_secret}`).toString('base64')}` },
  })
  return { status: answer.status, ...await answer.json() }
}

test('a patient stops an app', async (t) => {
  const context = await browser.createBrowserContext()
  t.after(() => context.close())
  const page = await context.newPage()
  await page.goto(sandbox.sample_app)
  await press(page, 'form[action="/connect"] button')
  await signIn(page, maria())
  await page.click('#remember')
  await press(page, 'button[value="allow"]')
  assert.match(await words(page), /Maria Lopez/)

  const app = sandbox.clients.find((c) => c.client_id === 'sandbox-confidential')
  const got = await tokens(app)
  const read = () => fetch(`${sandbox.fhir_base_url}/Patient/maria`, { headers: { authorization: `Bearer ${got.access_token}` } })
  assert.equal((await read()).status, 200)

  await page.goto(sandbox.issuer)
  await enter(page, 'a[href="/manage"]')
  const list = await words(page)
  assert.match(list, /Your own record, Maria Lopez/)
  assert.match(list, /2 apps can get new information even when you are not using them/)
  await check(page, 'connected')
  await page.setJavaScriptEnabled(false)
  const stops = () => page.$$eval('a[href^="/manage/stop?"]', (all) => all.map((a) => a.getAttribute('href')))
  for (let left = 2; left > 0; left--) {
    const [first, ...others] = await stops()
    assert.equal(others.length, left - 1)
    await enter(page, `a[href="${first}"]`)
    assert.match(await words(page), /It ends at once/)
    if (left === 2) {
      await page.setJavaScriptEnabled(true)
      await page.reload()
      await check(page, 'stop-sharing')
      await page.setJavaScriptEnabled(false)
    }
    await enter(page, 'button[value="stop"]')
    assert.match(await words(page), /has had no access since \d+ \w+ \d{4}, \d{2}:\d{2}:\d{2} UTC/)
    await enter(page, '.links a[href="/manage"]')
  }
  assert.match(await words(page), /You share with no app at the moment/)
  assert.deepEqual(await stops(), [])

  const refused = await read()
  assert.equal(refused.status, 401)
  assert.match(refused.headers.get('www-authenticate'), /invalid_token/)
  const refresh = await token(app, { grant_type: 'refresh_token', refresh_token: got.refresh_token })
  assert.deepEqual([refresh.status, refresh.error], [400, 'invalid_grant'])

  await page.setJavaScriptEnabled(true)
  await page.goto(`${sandbox.sample_app}/record`)
  assert.match(await words(page), /connect again/i)
  await page.goto(sandbox.sample_app)
  await press(page, 'form[action="/connect"] button')
  assert.equal(new URL(page.url()).origin, sandbox.issuer)
  assert.ok(await page.$('button[value="allow"]'), 'the next launch asks')
})
