// An answer in terms that two servers share. Texts for people, values of tokens,
// paths and the look of pages are left out; that an answer may be kept, or leads where
// it was not sent, is not.

// pageOutcome is what became of a request in a browser, judged by where it stopped.
export function pageOutcome({ left, status, text }, redirect) {
  if (left) return backOutcome(left, redirect)
  if (redirect && text.includes(`action="${redirect}"`)) return 'back by a form'
  if (status >= 400) return `page ${Math.floor(status / 100)}xx`
  if (text.includes('value="sign-in"')) return 'asks: sign-in'
  if (text.includes('value="allow"')) return 'asks: approval'
  if (text.includes('value="sign-out"')) return 'asks: sign-out'
  return 'page'
}

// forPeople explain an error, and may be there (RFC 6749 §4.1.2.1).
const forPeople = new Set(['error_description', 'error_uri'])

// backOutcome is what an app is told: its parameters, sorted, with the value where it
// is a word of a specification. An address that is not the app's shows itself.
export function backOutcome(left, redirect) {
  if (redirect && !isBack(left, new URL(redirect))) return `ELSEWHERE ${left.origin}`
  const hash = left.hash ? '#' : ''
  const told = new URLSearchParams(hash ? left.hash.slice(1) : left.search)
  const own = new Set(redirect ? new URL(redirect).searchParams.keys() : [])
  const words = [...told.keys()].filter((k) => !own.has(k) && !forPeople.has(k)).sort()
  return `back${hash} ${words.map((k) => (k === 'error' ? `error=${told.get(k)}` : k)).join(' ')}`.trim()
}

// isBack: the app's own address, with its own query in front of what was added.
function isBack(left, own) {
  const address = (url) => url.protocol + url.host + url.pathname
  return address(left) === address(own) && [...own.searchParams].every(([k, v]) => left.searchParams.get(k) === v)
}

// members that RFC 6749, OpenID Connect and RFC 7662 define; others are extensions.
const members = new Set([
  'access_token', 'token_type', 'expires_in', 'refresh_token', 'id_token', 'scope', 'active', 'sub', 'iss', 'client_id', 'exp', 'iat', 'aud', 'nbf', 'jti', 'keys', 'client_secret', 'request_uri',
])

// answerOutcome is what an application was answered.
export async function answerOutcome(answer) {
  const text = await answer.text()
  const words = [String(answer.status)]
  let body
  try { body = JSON.parse(text) } catch { body = undefined }
  if (body?.error) words.push(body.error)
  else if (body?.active === false) words.push('inactive')
  else if (body && answer.ok) words.push(Object.keys(body).filter((k) => members.has(k)).sort().join(' ') || 'json')
  else if (text) words.push('text')
  const challenge = answer.headers.get('www-authenticate')
  if (challenge) {
    const error = challenge.match(/error="([^"]*)"/)?.[1]
    words.push(`(${challenge.split(' ')[0]}${error && !body?.error ? ` ${error}` : ''})`)
  }
  if (body?.access_token && !/no-store/.test(answer.headers.get('cache-control') ?? '')) words.push('CACHEABLE')
  return words.join(' ')
}
