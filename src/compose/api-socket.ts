/** The admin API on a unix socket, which the data directory says where to find. */
import { rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { apiSocketPath, type DataDirectory } from '../machine/data-directory.ts'
import type { Closing } from './closing.ts'

/** @returns the path of the socket */
export async function openApiSocket(app: FastifyInstance, directory: DataDirectory, closing: Closing): Promise<string> {
  const path = await apiSocketPath(directory)
  closing.add('API socket', async () => {
    await app.close()
    await rm(directory.apiPointer, { force: true })
    if (dirname(dirname(path)) !== directory.path) await rm(dirname(path), { recursive: true, force: true })
  })
  // The socket must never be open to others, not even for the moment between listen and chmod.
  const umask = process.umask(0o177)
  try {
    await app.listen({ path })
  } finally {
    process.umask(umask)
  }
  await writeFile(directory.apiPointer, `${JSON.stringify({ socket: path })}\n`, { mode: 0o600 })
  return path
}
