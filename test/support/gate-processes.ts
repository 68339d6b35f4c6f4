/** The gate processes of a hub, and which of them has a connection: the kernel deals them out by lot. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { HubProcess } from './hub-process.ts'

/** Process ids of the gates that the hub has told of last. */
export function gatePids(hub: HubProcess): readonly number[] {
  const line = hub
    .output()
    .split('\n')
    .findLast((each) => each.includes('"gate processes serve"'))
  assert.ok(line !== undefined, hub.output())
  return (JSON.parse(line) as { pids: number[] }).pids
}

/** How many connections to a port a process has. */
export function socketsOf(pid: number, port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const established = '01'
  const sockets = new Set(
    ['tcp', 'tcp6']
      .flatMap((table) => readFileSync(`/proc/net/${table}`, 'utf8').trim().split('\n').slice(1))
      .map((line) => line.trim().split(/\s+/))
      .filter(([, address = '', , state]) => address.endsWith(local) && state === established)
      .map((fields) => `socket:[${fields[9]}]`),
  )
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => sockets.has(targetOf(`/proc/${pid}/fd/${fd}`))).length
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    // It was closed meanwhile.
    return ''
  }
}
