/** The machine on which the doctor runs: its files with their rights, and its users. */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { limits } from '../../core/limits.ts'
import { unreadable } from '../../core/unreadable.ts'
import type { Account, Found, Machine, Rights } from './machine.ts'

export function localMachine(nowSec: number): Machine {
  return { nowSec, look, account: accountNamed }
}

function look(path: string, bytesMax: number): Found {
  try {
    const stats = statSync(path)
    const rights = rightsOf(stats)
    const folders = foldersAbove(path)
    if (stats.isDirectory()) {
      return { kind: 'folder', names: readdirSync(path).slice(0, limits.brokerFolderFilesMax), rights, folders }
    }
    if (!stats.isFile()) return { kind: 'closed', why: 'is no file' }
    if (stats.size > bytesMax) return { kind: 'closed', why: `is longer than ${bytesMax} bytes` }
    return { kind: 'file', bytes: readUpTo(path, bytesMax), rights, folders }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' }
    return { kind: 'closed', why: unreadable(error).words }
  }
}

/** What has become a pipe since it was looked at is not waited for. */
function readUpTo(path: string, bytesMax: number): Uint8Array {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const bytes = Buffer.alloc(Math.min(fstatSync(descriptor).size, bytesMax))
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, null)
    }
    return bytes.subarray(0, length)
  } finally {
    closeSync(descriptor)
  }
}

function rightsOf({ mode, uid, gid }: Stats): Rights {
  return { mode: mode & 0o7777, uid, gid }
}

function foldersAbove(path: string): readonly Rights[] {
  const folders: Rights[] = []
  let folder = dirname(resolve(path))
  for (;;) {
    folders.push(rightsOf(statSync(folder)))
    if (folder === dirname(folder)) return folders
    folder = dirname(folder)
  }
}

function accountNamed(name: string): Account | null {
  const users = linesOf('/etc/passwd')
  const user = users.find(([each]) => each === name)
  if (user === undefined) return null
  const groups = linesOf('/etc/group').filter(([, , , members = '']) => members.split(',').includes(name))
  return { name, uid: Number(user[2]), gids: [Number(user[3]), ...groups.map(([, , gid]) => Number(gid))] }
}

function linesOf(path: string): readonly (readonly string[])[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
  } catch {
    return []
  }
}
