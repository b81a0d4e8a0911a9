// The same requests to this server and to oidc-provider, an independent certified
// one: what is answered differently stands, with its reason, in
// differential/differences.txt, and nothing else does.
import test from 'node:test'
import assert from 'node:assert/strict'
import { bring, compare, parse, render, table, undocumented } from './differential/differences.mjs'
import { answerOutcome, backOutcome, pageOutcome } from './differential/outcome.mjs'
import { rows, run } from './differential/run.mjs'

test('every difference is explained, and every explanation is of a difference', async () => {
  assert.ok(rows.length >= 300)
  assert.equal(new Set(rows.map(([name]) => name)).size, rows.length, 'a name stands for one row')
  const results = await run()
  const broken = /FAILED|ELSEWHERE|CACHEABLE| 5xx|^5/
  assert.deepEqual(results.filter(([, here, there]) => broken.test(here) || broken.test(there)), [])
  assert.deepEqual(compare(results, table()), [])
  assert.ok(bring(render(table(), results.length)), 'bring docs/differential.md up to date: UPDATE=1 scripts/clients.sh')
})

test('what we do on purpose stands among the departures', () => {
  assert.deepEqual(undocumented(table()), [])
  assert.deepEqual(undocumented([{ kind: 'ours', section: 'RFC 1 §1', rows: [] }]), ['RFC 1 §1'])
})

test('a comparison sees what is new, gone, changed and listed for nothing', () => {
  const reasons = parse('open | RFC 1 §1 | why\n  a | 200 | 400\n  b | 200 | 400\n  c | 200 | 400\n')
  const results = [['a', '200', '200'], ['b', '200', '401'], ['d', '200', '400'], ['e', '1', '1']]
  assert.deepEqual(compare(results, reasons).map((p) => p.split(' | ')[0]), ['no longer a difference: a', 'changed: b', 'not listed: d', 'listed, and no row: c'])
  assert.deepEqual(compare([['a', '200', '400'], ['b', '200', '400'], ['c', '200', '400'], ['e', '1', '1']], reasons), [])
  assert.throws(() => parse('opne | RFC 1 §1 | why\n'), /no kind/)
})

test('an outcome does not hide where it leads', async () => {
  const app = 'https://app.example.org/cb'
  const back = (url, redirect = app) => backOutcome(new URL(url), redirect)
  assert.equal(back(`${app}?state=s&error=access_denied&error_description=x&error_uri=y`), 'back error=access_denied state')
  assert.equal(back(`${app}#code=x`), 'back# code')
  for (const url of ['https://app.example.org.evil.test/cb?code=x', 'https://app.example.org/cb2?code=x', 'https://app.example.org/cb/../x?code=x']) {
    assert.match(back(url), /^ELSEWHERE/)
  }
  assert.equal(back('https://app.example.org/cb?tenant=1&code=x', 'https://app.example.org/cb?tenant=1'), 'back code')
  assert.match(back('https://app.example.org/cb?tenant=2&code=x', 'https://app.example.org/cb?tenant=1'), /^ELSEWHERE/)
  assert.equal(pageOutcome({ status: 500, text: '' }), 'page 5xx')
  const answer = (body, status, headers) => answerOutcome(new Response(body, { status, headers }))
  assert.equal(await answer('{"access_token":"x"}', 200, {}), '200 access_token CACHEABLE')
  assert.equal(await answer('{"access_token":"x","patient":"p"}', 200, { 'cache-control': 'no-store' }), '200 access_token')
  assert.equal(await answer('{"error":"invalid_client"}', 401, { 'www-authenticate': 'Basic realm="x"' }), '401 invalid_client (Basic)')
})
