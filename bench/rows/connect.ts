/** What a full mutual-TLS connect costs the server. */
import { type Bed, connectDevices } from '../bed.ts'
import { cpuPerPiece, inRounds, type Row, rowOf, withServers } from '../measure.ts'

const atOnce = 16

/** @param noteTls is told what the handshakes of each server agreed on */
export async function connectRow(bed: Bed, noteTls: (server: string, tls: string) => void): Promise<readonly Row[]> {
  bed.report('connects')
  const count = bed.sizes.connectsPerRound
  return withServers(bed, async (servers) => {
    const samples = await inRounds(servers, { warmUps: 1, rounds: bed.sizes.rounds }, (server) =>
      cpuPerPiece(server, async () => {
        const request = { target: server.target, devices: connectDevices, count, atOnce }
        const { seconds, tls } = await bed.load.run('connects', request)
        noteTls(server.name, tls)
        return { pieces: count, seconds }
      }),
    )
    return [rowOf('mTLS connect, full handshake', 'µs CPU', samples)]
  })
}
