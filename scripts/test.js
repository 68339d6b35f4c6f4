// Type check, lint and tests. `node scripts/test.js unit` leaves out what starts processes, brokers and foreign programs.
import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isInstalled } from './programs.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const slow = [
  ...['flow', 'conformance', 'package', 'gate', 'cli', 'simulate', 'fuzz'].map((folder) => `test/${folder}/`),
  'test/store/postgres',
  'test/backup/',
  'test/device/attach/preload',
]
/** What Node has compiled of sources and packages, for the processes of tests and all that they start. */
const compiled = join(root, 'node_modules', '.cache', 'tests')
const unitOnly = process.argv[2] === 'unit'

const files = globSync('test/**/*.test.ts', { cwd: root })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => !unitOnly || !slow.some((folder) => file.startsWith(folder)))
  .filter(hasItsPrograms)
  .sort()
if (files.length === 0) fail('no test files were found')

if (!unitOnly) {
  run('type check', 'node_modules/.bin/tsc', ['--noEmit'])
  run('lint', 'node_modules/.bin/biome', ['check', '.'])
}
runTests('tests', files, unitOnly || !isInstalled('npm') ? {} : { HANDFAST_TEST_PACKAGE: packOnce() })
if (!unitOnly && isInstalled('initdb')) {
  // Flows that lean on what a database does by itself (commits, locks, notifications, what is left after a kill) run on both. The
  // contract suite holds every table on both, so a flow that only reads and writes rows runs on one, and says so in a line
  // `// one database: why`.
  const flows = files
    .filter((file) => file.startsWith('test/flow/') && !file.includes('/postgres'))
    .filter((file) => !/^\/\/ one database: /m.test(readFileSync(join(root, file), 'utf8')))
  runTests('flow tests on PostgreSQL', flows, { HANDFAST_TEST_DATABASE: 'postgresql' })
}

/** Packs what is packed for users, for all test files that install it. Returns the path of the file. */
function packOnce() {
  const folder = mkdtempSync(join(tmpdir(), 'hf-package-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  run('npm pack', '/usr/bin/env', ['npm', 'pack', '--silent', '--pack-destination', folder])
  return join(folder, readdirSync(folder)[0])
}

function runTests(what, chosen, env = {}) {
  const options = [
    ...['--disable-warning=ExperimentalWarning', '--import', './scripts/end-late-test-file.js'],
    // A file more than the cores of a small machine: each waits now and then for a disk, a clock or a program.
    ...['--test', '--test-concurrency=3', '--test-timeout=180000'],
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=./scripts/slowest-test-files.js', '--test-reporter-destination=stderr'],
  ]
  run(what, process.execPath, [...options, ...chosen], env)
}

function run(what, command, args, env = {}) {
  const { status } = spawnSync(command.startsWith('/') ? command : join(root, command), args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, NODE_COMPILE_CACHE: compiled, ...env },
  })
  if (status !== 0) fail(`${what} failed`)
}

/** A file says in a line `// needs: openssl` that none of its tests can run without that program. */
function hasItsPrograms(file) {
  const needs = /^\/\/ needs: (.+)$/m.exec(readFileSync(join(root, file), 'utf8'))?.[1]?.split(/[ ,]+/) ?? []
  const missing = needs.filter((name) => !isInstalled(name))
  if (missing.length > 0) process.stderr.write(`left out: ${file}, because ${missing.join(', ')} is missing\n`)
  return missing.length === 0
}

function fail(message) {
  process.stderr.write(`error: ${message}\n`)
  process.exit(1)
}
