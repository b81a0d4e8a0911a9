// The table of known differences: read, compared with a run, and written for people.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('differences.txt', import.meta.url)
const page = new URL('../../../docs/differential.md', import.meta.url)
const departures = new URL('../../../docs/conformance.txt', import.meta.url)

export const kinds = {
  ours: 'We depart from the section on purpose', peer: 'The peer does not do what the section says',
  profile: 'SMART asks for more than OAuth and OpenID Connect do', open: 'The section leaves it open',
}

// parse reads a table: reasons, each with the rows that it explains.
export function parse(text) {
  const reasons = []
  for (const line of text.split('\n')) {
    if (line.startsWith('#') || line.trim() === '') continue
    const parts = line.trim().split(' | ')
    if (parts.length !== 3) throw new Error(`not three parts: ${line}`)
    const [first, second, third] = parts
    if (line.startsWith('  ')) reasons.at(-1).rows.push({ name: first, here: second, there: third })
    else if (first in kinds) reasons.push({ kind: first, section: second, reason: third, rows: [] })
    else throw new Error(`no kind: ${line}`)
  }
  return reasons
}

export const table = () => parse(readFileSync(file, 'utf8'))

// compare says what a run and a table do not agree about, one line each.
export function compare(results, reasons) {
  const listed = new Map()
  const problems = []
  for (const row of reasons.flatMap((r) => r.rows)) {
    if (listed.has(row.name)) problems.push(`listed twice: ${row.name}`)
    listed.set(row.name, row)
  }
  for (const [name, here, there] of results) {
    const row = listed.get(name)
    listed.delete(name)
    if (!row && here !== there) problems.push(`not listed: ${name} | ${here} | ${there}`)
    else if (row && here === there) problems.push(`no longer a difference: ${name} | ${here}`)
    else if (row && (row.here !== here || row.there !== there)) problems.push(`changed: ${name} | ${here} | ${there}; listed: ${row.here} | ${row.there}`)
  }
  return [...problems, ...[...listed.keys()].map((name) => `listed, and no row: ${name}`)]
}

// undocumented are departures that docs/conformance.txt does not have.
export function undocumented(reasons) {
  const text = readFileSync(departures, 'utf8').split('\n---\n')[1]
  return reasons.filter((r) => r.kind === 'ours' && !text.includes(`- **${r.section}.**`)).map((r) => r.section)
}

const begin = '<!-- made by the test: -->\n'
const cell = (text) => text.replaceAll('|', '\\|')

// render is the part of docs/differential.md that is made of the table.
export function render(reasons, total) {
  const different = reasons.reduce((n, r) => n + r.rows.length, 0)
  const parts = Object.entries(kinds).map(([kind, says]) => {
    const lines = reasons.filter((r) => r.kind === kind).map((r) => {
      const [row] = r.rows
      return `| ${cell(r.section)} | ${cell(r.reason)} | ${r.rows.length} | ${cell(row.name)}: \`${cell(row.here)}\`, peer \`${cell(row.there)}\` |`
    })
    return `### ${says} (\`${kind}\`)\n\n| section | reason | rows | for example |\n|---|---|---|---|\n${lines.join('\n')}\n`
  })
  return `${begin}\n${total} requests, ${total - different} with the same outcome, ${different} explained:\n\n${parts.join('\n')}`
}

// bring checks the page, or makes its table anew when UPDATE is set.
export function bring(made) {
  const text = readFileSync(page, 'utf8')
  const fresh = text.slice(0, text.indexOf(begin)) + made
  if (process.env.UPDATE) writeFileSync(page, fresh)
  return process.env.UPDATE || text === fresh
}
