// In Chromium: the sample app as every kind of person, and fhirclient, unmodified,
// from another origin. Every page is looked at in two widths and by axe-core.
// spec: HDR-04, HDR-05, LOGIN-02, LOGIN-20, LOGIN-25, CTX-07, CTX-11, CTX-12, CTX-13, CTX-19, AUTHZ-50, CORS-03, CORS-04, DISC-01
import test, { after, before } from 'node:test'
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Person, start } from './sandbox.mjs'
import { launch, look, press, signIn } from './browser.mjs'

const require = createRequire(import.meta.url)
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
let sandbox
let browser
before(async () => { sandbox = await start(); browser = await launch() })
after(async () => { await browser?.close(); await sandbox?.stop() })

const person = (username) => sandbox.people.find((p) => p.username === username)

// visit is one browser without cookies; scripts of a page cannot run here (strict
// policy), so axe is brought in past the policy.
async function visit(t) {
  const context = await browser.createBrowserContext()
  const page = await context.newPage()
  await page.setBypassCSP(false)
  t.after(() => context.close())
  return page
}

async function check(page, name) {
  const problems = await look(page, name)
  const client = await page.createCDPSession()
  await client.send('Page.setBypassCSP', { enabled: true })
  const { result } = await client.send('Runtime.evaluate', {
    expression: `${axe}; axe.run(document, { resultTypes: ['violations'] }).then((r) => JSON.stringify(r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target).join(' '))))`,
    awaitPromise: true, returnByValue: true,
  })
  await client.send('Page.setBypassCSP', { enabled: false })
  assert.deepEqual([...problems, ...JSON.parse(result.value)], [], name)
}

async function connect(page) {
  await page.goto(sandbox.sample_app)
  await press(page, 'form[action="/connect"] button')
}

async function record(page, name) {
  assert.equal(new URL(page.url()).origin, sandbox.sample_app)
  const text = await page.evaluate(() => document.body.innerText)
  assert.match(text, name)
  return text
}

test('a patient', async (t) => {
  const page = await visit(t)
  await page.goto(sandbox.issuer)
  await check(page, 'start')
  await connect(page)
  await check(page, 'sign-in')
  await signIn(page, person('maria'))
  await check(page, 'approve')
  await press(page, 'button[value="allow"]')
  const text = await record(page, /Maria Lopez/)
  assert.match(text, /Type 2 diabetes/)
  assert.match(text, /Hemoglobin A1c/)
  assert.ok((await page.$$('svg.plot path.line')).length > 5, 'trends are plotted')
  await check(page, 'record')
  await press(page, 'form[action="/refresh"] button')
  await record(page, /Maria Lopez/)
  await press(page, 'form[action="/disconnect"] button')
  assert.match(await page.evaluate(() => document.body.innerText), /Connect your health record/)
})

test('signing out of the app, and of the server', async (t) => {
  const page = await visit(t)
  const begin = async () => {
    await connect(page)
    if (await page.$('#username')) await signIn(page, person('maria'))
    if (new URL(page.url()).origin === sandbox.issuer) await press(page, 'button[value="allow"]')
    await record(page, /Maria Lopez/)
  }
  await begin()
  await check(page, 'record-sign-out')
  await press(page, 'form[action="/sign-out"] button') // to the server, and back
  assert.equal(page.url(), `${sandbox.sample_app}/signed-out`)
  await check(page, 'signed-out')
  await connect(page)
  assert.ok(await page.$('#username'), 'the session at the server is over')
  await signIn(page, person('maria'))
  await press(page, 'button[value="allow"]')
  await record(page, /Maria Lopez/)
  // At the server, without the app: it is told (Back-Channel Logout).
  await page.goto(`${sandbox.issuer}/logout`)
  await press(page, 'button[value="sign-out"]')
  for (let n = 0; n < 100; n++) {
    await page.goto(`${sandbox.sample_app}/record`)
    if (!page.url().endsWith('/record')) break
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.match(await page.evaluate(() => document.body.innerText), /Connect your health record/)
})

test('a patient who enrols first', async (t) => {
  const page = await visit(t)
  const who = sandbox.enrolment[0]
  await connect(page)
  await press(page, 'a[href^="/enrol"]')
  await check(page, 'identify')
  const [year, month, day] = who.birth_date.split('-')
  for (const [id, value] of Object.entries({ given: who.given, family: who.family, 'birth_date-day': day, 'birth_date-month': month, 'birth_date-year': year, code: who.code })) {
    await page.type(`[id="${id}"]`, value)
  }
  await press(page, 'button[value="continue"]')
  await check(page, 'create-credentials')
  await page.type('#username', 'nora')
  await page.type('#password', 'a quiet morning walk')
  await press(page, 'button[value="continue"]')
  await press(page, 'button[value="allow"]')
  await record(page, /Nora Haddad/)
})

test('a parent for a child', async (t) => {
  const page = await visit(t)
  await connect(page)
  await signIn(page, person('anna'))
  await check(page, 'choose-person')
  await page.click('input[name="patient"][value="leo"]')
  await press(page, 'button[value="continue"]')
  await press(page, 'button[value="allow"]')
  const text = await record(page, /Leo Keller/)
  assert.doesNotMatch(text, /Asthma/)
})

test('a clinician who picks a patient', async (t) => {
  const page = await visit(t)
  await connect(page)
  await signIn(page, person('chen'))
  await check(page, 'choose-patient')
  await page.type('#name', 'lopez')
  await press(page, 'button[value="search"]')
  await page.click('input[name="patient"][value="maria"]')
  await press(page, 'button[value="choose"]')
  await press(page, 'button[value="allow"]')
  await record(page, /Maria Lopez/)
})

test('a desktop app reads its code off a page, and an error is a page', async (t) => {
  const page = await visit(t)
  const legacy = sandbox.clients[0]
  const query = { response_type: 'code', client_id: legacy.client_id, redirect_uri: legacy.redirect_uris[0], scope: legacy.scope, aud: sandbox.fhir_base_url, ui_locales: 'es' }
  await page.goto(`${sandbox.issuer}/authorize?${new URLSearchParams(query)}`)
  await signIn(page, person('james'))
  await press(page, 'button[value="allow"]')
  await check(page, 'code')
  assert.match(await page.$eval('#authorization-code', (e) => e.value), /^ac_/)
  await page.goto(`${sandbox.issuer}/authorize?${new URLSearchParams({ ...query, redirect_uri: 'https://evil.example.org' })}`)
  await check(page, 'error')
})

test('a clinician who opens the app from two charts, each in its tab', async (t) => {
  const page = await visit(t)
  await page.goto(sandbox.issuer)
  await page.select('#chart', 'chen/maria')
  await press(page, 'button[value="launch"]')
  assert.equal(new URL(page.url()).pathname, '/login')
  await signIn(page, person('chen'))
  await check(page, 'approve-chart')
  assert.match(await page.evaluate(() => document.body.innerText), /the record of Maria Lopez/)
  await press(page, 'button[value="allow"]')
  await record(page, /Maria Lopez/)
  await check(page, 'record-chart')
  const second = await page.browserContext().newPage()
  await second.goto(sandbox.issuer)
  await second.select('#chart', 'chen/tom')
  await press(second, 'button[value="launch"]')
  await press(second, 'button[value="allow"]') // signed in already
  const text = await record(second, /Tom Berg/)
  assert.doesNotMatch(text, /Maria/)
  await page.reload()
  await record(page, /Maria Lopez/)
})

test('a person who says which visit it is about, with nothing but the keyboard', async (t) => {
  const page = await visit(t)
  const app = sandbox.clients.find((c) => c.client_id === 'sandbox-browser')
  const query = {
    response_type: 'code', client_id: app.client_id, redirect_uri: app.redirect_uris[0], scope: 'launch/patient launch/encounter patient/*.rs', state: 'st',
    aud: sandbox.fhir_base_url, code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
  }
  await page.setJavaScriptEnabled(false)
  await page.goto(`${sandbox.issuer}/authorize?${new URLSearchParams(query)}`)
  await signIn(page, person('james'))
  await page.focus('#encounter-0')
  await page.keyboard.press('Space')
  await page.keyboard.press('ArrowDown')
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
  assert.equal(new URL(page.url()).pathname, '/approve')
})

test('fhirclient started by an EHR', async (t) => {
  const page = await visit(t)
  const library = readFileSync(require.resolve('fhirclient/build/fhir-client.js'))
  const app = `<!doctype html><title>app</title><script src="/fhir-client.js"></script><pre id="out"></pre><script>
    const show = (o) => { document.getElementById('out').textContent = JSON.stringify(o) }
    if (location.pathname === '/launch') FHIR.oauth2.authorize({ client_id: 'sandbox-browser', redirect_uri: 'http://127.0.0.1:9002/callback', scope: 'launch patient/*.rs openid fhirUser', pkceMode: 'required' })
    else FHIR.oauth2.ready().then(async (c) => {
      const told = c.state.tokenResponse
      show({ id: (await c.patient.read()).id, encounter: (await c.encounter.read()).id, banner: told.need_patient_banner, style: (await (await fetch(told.smart_style_url)).json()).color_text, intent: told.intent })
    }).catch((e) => show({ error: String(e) }))
  </script>`
  const server = createServer((req, res) => {
    if (req.url === '/fhir-client.js') return res.end(library)
    res.setHeader('content-type', 'text/html')
    res.end(app)
  })
  await new Promise((resolve) => server.listen(9002, '127.0.0.1', resolve))
  t.after(() => server.close())
  const encounter = await latestVisit('james')
  const ehr = sandbox.clients.find((c) => c.client_id === 'sandbox-confidential')
  const answer = await fetch(`${sandbox.issuer}/launch`, {
    method: 'POST', body: new URLSearchParams({ client: 'sandbox-browser', patient: 'james', encounter, user: 'silva', intent: 'review' }),
    headers: { authorization: `Basic ${Buffer.from(`${ehr.client_id}:${ehr.client_secret}`).toString('base64')}` },
  })
  assert.equal(answer.status, 200)
  await page.goto((await answer.json()).launch_url)
  await signIn(page, person('silva'))
  await press(page, 'button[value="allow"]')
  await page.waitForFunction(() => document.getElementById('out')?.textContent)
  const out = JSON.parse(await page.$eval('#out', (e) => e.textContent))
  assert.deepEqual(out, { id: 'james', encounter, banner: true, style: '#17242b', intent: 'review' })
})

// latestVisit is the id of the visit that the sample app would be opened at.
async function latestVisit(patient) {
  const app = sandbox.clients.find((c) => c.client_id === 'sandbox-confidential')
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
  const query = {
    response_type: 'code', client_id: app.client_id, redirect_uri: app.redirect_uris[0], scope: 'launch/patient patient/Encounter.rs', state: 'st',
    aud: sandbox.fhir_base_url, code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
  }
  const left = await new Person(sandbox).approve(`${sandbox.issuer}/authorize?${new URLSearchParams(query)}`, patient)
  const token = await (await fetch(`${sandbox.issuer}/token`, {
    method: 'POST', body: new URLSearchParams({ grant_type: 'authorization_code', code: left.searchParams.get('code'), redirect_uri: app.redirect_uris[0], code_verifier: verifier }),
    headers: { authorization: `Basic ${Buffer.from(`${app.client_id}:${app.client_secret}`).toString('base64')}` },
  })).json()
  const bundle = await (await fetch(`${sandbox.fhir_base_url}/Encounter?_sort=-date&_count=1`, { headers: { authorization: `Bearer ${token.access_token}` } })).json()
  return bundle.entry[0].resource.id
}

test('fhirclient from another origin', async (t) => {
  const page = await visit(t)
  const library = readFileSync(require.resolve('fhirclient/build/fhir-client.js'))
  const app = `<!doctype html><title>app</title><script src="/fhir-client.js"></script><pre id="out"></pre><script>
    const show = (o) => { document.getElementById('out').textContent = JSON.stringify(o) }
    if (location.pathname === '/launch') FHIR.oauth2.authorize({ iss: '${sandbox.fhir_base_url}', client_id: 'sandbox-browser', redirect_uri: 'http://127.0.0.1:9002/callback', scope: 'launch/patient patient/*.rs openid fhirUser offline_access', pkceMode: 'required' })
    else FHIR.oauth2.ready().then(async (c) => {
      const patient = await c.patient.read()
      const problems = await c.request('Condition?patient=' + c.patient.id, { flat: true, pageLimit: 0 })
      await c.refresh()
      show({ id: patient.id, problems: problems.length, user: c.user.fhirUser, again: (await c.patient.read()).id })
    }).catch((e) => show({ error: String(e) }))
  </script>`
  const server = createServer((req, res) => {
    if (req.url === '/fhir-client.js') return res.end(library)
    res.setHeader('content-type', 'text/html')
    res.end(app)
  })
  await new Promise((resolve) => server.listen(9002, '127.0.0.1', resolve))
  t.after(() => server.close())
  await page.goto('http://127.0.0.1:9002/launch')
  await signIn(page, person('maria'))
  await press(page, 'button[value="allow"]')
  await page.waitForFunction(() => document.getElementById('out')?.textContent)
  const out = JSON.parse(await page.$eval('#out', (e) => e.textContent))
  assert.deepEqual(out, { id: 'maria', problems: 3, user: 'Patient/maria', again: 'maria' })
})
