/**
 * A backup in one file: its text, compressed, encrypted where that was asked for. It is written beside its place, synced, read
 * back to the last line, and only then given its name.
 */
import { createReadStream, existsSync, type ReadStream } from 'node:fs'
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { createGunzip, createGzip } from 'node:zlib'
import { HubError, quote } from '../core/errors.ts'
import { unreadable } from '../core/unreadable.ts'
import { unwritable } from '../core/unwritable.ts'
import { syncFolder } from '../disk/durable-file.ts'
import { type BackupPart, BackupReading, damaged, linesOf } from './lines.ts'
import { FileKey, type Keyring, type Seal, sealed, sealMagic, unsealed } from './sealing.ts'

/**
 * Writes a backup.
 *
 * @param path must not exist yet
 * @param text the whole text of the backup, see {@link backupText}
 * @returns what was read back, part by part
 * @throws HubError `backup-unwritable`; `backup-damaged` when what was read back is not what was written; what `text` throws
 */
export async function writeBackupFile(
  path: string,
  text: AsyncIterable<string>,
  seal: Seal,
): Promise<{ readonly bytes: number; readonly rows: ReadonlyMap<string, number> }> {
  if (existsSync(path)) throw taken(path)
  const aside = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`)
  const fileKey = new FileKey()
  try {
    const file = await guarded(path, () => open(aside, 'wx', 0o600))
    let bytes: number
    try {
      bytes = await pour(path, await packed(text, seal, fileKey), file)
      await guarded(path, () => file.sync())
    } finally {
      await file.close()
    }
    const passphrase = seal !== null && 'passphrase' in seal ? seal.passphrase : null
    const rows = new Map<string, number>()
    for await (const part of readBackupFile(aside, { passphrase, identities: [], fileKey })) {
      if (part.kind === 'ending') rows.set(part.section, part.rows)
    }
    await guarded(path, () => putInPlace(aside, path))
    return { bytes, rows }
  } finally {
    await rm(aside, { force: true })
    await guarded(path, async () => syncFolder(dirname(path)))
  }
}

/**
 * The parts of a backup, in order. The last one is the end: a backup that is not whole throws before.
 *
 * @throws HubError `backup-damaged`, `backup-sealed`, `backup-too-new`
 */
export async function* readBackupFile(path: string, keyring: Keyring): AsyncGenerator<BackupPart> {
  const reading = new BackupReading()
  for await (const line of linesOf(unpacked(path, keyring))) yield reading.take(line)
  reading.assertWhole()
}

async function packed(text: AsyncIterable<string>, seal: Seal, fileKey: FileKey): Promise<AsyncIterable<Uint8Array>> {
  // Level 3 takes half the time of level 6 and leaves a tenth more bytes.
  const compressed = Readable.from(text, { objectMode: false }).compose(createGzip({ level: 3 }))
  if (seal === null) return compressed
  return sealed(Readable.toWeb(compressed) as ReadableStream<Uint8Array>, seal, fileKey)
}

async function* unpacked(path: string, keyring: Keyring): AsyncGenerator<Uint8Array> {
  const head = await readHead(path)
  const raw = createReadStream(path)
  try {
    if (head.equals(sealMagic)) {
      yield* gunzipped(Readable.fromWeb((await unsealed(webStream(raw), keyring)) as never))
    } else if (head[0] === 0x1f && head[1] === 0x8b) yield* gunzipped(raw)
    else throw damaged('it does not begin as a backup does')
  } finally {
    raw.destroy()
  }
}

function webStream(raw: ReadStream): ReadableStream<Uint8Array> {
  return Readable.toWeb(raw) as ReadableStream<Uint8Array>
}

async function* gunzipped(raw: Readable): AsyncGenerator<Uint8Array> {
  const plain = createGunzip()
  raw.on('error', (error) => plain.destroy(error))
  raw.pipe(plain)
  try {
    yield* plain
  } catch (cause) {
    if (cause instanceof HubError) throw cause
    throw damaged('it is cut off or its bytes have changed', cause)
  } finally {
    raw.destroy()
    plain.destroy()
  }
}

async function readHead(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r')
    try {
      const head = Buffer.alloc(sealMagic.length)
      const { bytesRead } = await file.read(head, 0, head.length, 0)
      return head.subarray(0, bytesRead)
    } finally {
      await file.close()
    }
  } catch (cause) {
    const { words, hint } = unreadable(cause)
    throw new HubError('backup-damaged', `${quote(path)} ${words}`, { hint, cause })
  }
}

/** link refuses a file that is there, rename would replace it; sticks and shares often have no links. */
async function putInPlace(aside: string, path: string): Promise<void> {
  try {
    await link(aside, path)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) throw error
    if (existsSync(path)) throw Object.assign(new Error(`${path} exists`), { code: 'EEXIST' })
    await rename(aside, path)
  }
}

/** Writes all of it and answers how many bytes it was. */
async function pour(path: string, source: AsyncIterable<Uint8Array>, file: FileHandle): Promise<number> {
  let bytes = 0
  for await (const piece of source) {
    await guarded(path, () => file.writeFile(piece))
    bytes += piece.length
  }
  return bytes
}

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST') throw taken(path, cause)
    throw new HubError('backup-unwritable', `${quote(path)} ${unwritable(cause)}`, {
      cause,
      ...(code === 'ENOENT' ? { hint: 'make its folder first, or name another' } : {}),
    })
  }
}

function taken(path: string, cause?: unknown): HubError {
  return new HubError('backup-unwritable', `${quote(path)} is there already`, {
    hint: 'name another file: one that is there is never replaced',
    ...(cause === undefined ? {} : { cause }),
  })
}
