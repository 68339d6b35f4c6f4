/**
 * Writes docs/failures.md, docs/limits.md, docs/metrics.md, docs/signing.md, the dashboard and man/handfast.1 from the code, so
 * that none can go stale; `--check` only compares.
 *
 *     node scripts/write-reference-pages.ts [--check]
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { limits } from '../src/core/limits.ts'
import { deviceLimits } from '../src/device/limits.ts'
import { brokerLimits } from '../src/gate/upstream/embedded/broker-limits.ts'
import { linkLimits } from '../src/link/limits.ts'
import { failuresPage } from './failures-page.ts'
import { grafanaDashboard } from './grafana-dashboard.ts'
import { manPage } from './man-page.ts'
import { metricsPage } from './metrics-page.ts'
import { signingPage } from './signing-page.ts'

const root = new URL('../', import.meta.url)
const textOf = (path: string): string =>
  existsSync(new URL(path, root)) ? readFileSync(new URL(path, root), 'utf8') : ''
const manual = 'man/handfast.1'

const pages: Readonly<Record<string, string>> = {
  'docs/failures.md': failuresPage(),
  'docs/limits.md': limitsPage(),
  'docs/metrics.md': await metricsPage(),
  'docs/signing.md': signingPage(),
  'deploy/grafana/handfast.json': grafanaDashboard(),
  [manual]: await manPage(textOf(`${manual}.in`), textOf(manual), new Date()),
}

let stale = false
for (const [path, text] of Object.entries(pages)) {
  if (!process.argv.includes('--check')) writeFileSync(new URL(path, root), text)
  else if (textOf(path) !== text) {
    stale = true
    process.stderr.write(`${path} does not say what the code says: run node scripts/write-reference-pages.ts\n`)
  }
}
process.exitCode = stale ? 1 : 0

function limitsPage(): string {
  return `# Limits

Every queue, size, count and time in Handfast has a limit. The unit is the end of the name: bytes, characters (\`Chars\`),
seconds (\`Sec\`), milliseconds (\`Ms\`) or a count. A client that passes one is refused with an error that names it
(docs/failures.md).

## The hub

${hubLimits()}

## The gate link

${limitsTable('../src/link/limits.ts', linkLimits)}

## The embedded broker

${limitsTable('../src/gate/upstream/embedded/broker-limits.ts', brokerLimits)}

## The device side

${limitsTable('../src/device/limits.ts', deviceLimits)}

This page is written by \`node scripts/write-reference-pages.ts\` from the sources of these limits.
`
}

/** A table for each room of `core/limits`, in their order there, under the first line of the room. */
function hubLimits(): string {
  const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
  const rooms = [...text('../src/core/limits.ts').matchAll(/^ {2}\.\.\.(\w+)Limits,$/gm)].map(([, room = '']) =>
    room.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
  )
  const shown = new Set<string>()
  const sections = rooms.map((room) => {
    const path = `../src/core/limits/${room}.ts`
    const title = /^\/\*\* (.*)\. \*\/$/m.exec(text(path))?.[1] ?? room
    const own = Object.fromEntries(Object.entries(limits).filter(([name]) => text(path).includes(`\n  ${name}: `)))
    for (const name of Object.keys(own)) {
      if (shown.has(name)) throw new Error(`the limit ${name} stands in two rooms of core/limits`)
      shown.add(name)
    }
    return `### ${title}\n\n${limitsTable(path, own)}`
  })
  const missing = Object.keys(limits).find((name) => !shown.has(name))
  if (missing !== undefined) throw new Error(`the limit ${missing} could not be read from its source`)
  return sections.join('\n\n')
}

/** A row for each limit; its reason is the comment above it, or above the first of a group. */
function limitsTable(path: string, values: Readonly<Record<string, number>>): string {
  const source = readFileSync(new URL(path, import.meta.url), 'utf8')
  const rows: string[] = []
  let reason = ''
  for (const line of source.split('\n')) {
    const comment = /^ {2}\/\*\* (.*?)(?: ?\*\/)?$/.exec(line) ?? /^ {3}\* (.*?)(?: ?\*\/)?$/.exec(line)
    const name = /^ {2}([A-Za-z]+): /.exec(line)?.[1]
    if (/^ {2}\/\*\*/.test(line)) reason = ''
    if (comment !== null) reason = `${reason} ${comment[1]}`.trim()
    else if (name !== undefined && name in values) {
      rows.push(`| \`${name}\` | ${values[name]?.toLocaleString('en')} | ${sentence(reason)} |`)
    }
  }
  if (rows.length !== Object.keys(values).length)
    throw new Error(`a limit in ${path} could not be read from its source`)
  return ['| limit | value | why |', '| --- | --- | --- |', ...rows].join('\n')
}

function sentence(text: string): string {
  return text.replaceAll('|', '\\|')
}
