/** When a request is over, whatever became of it. */
import type { FastifyReply } from 'fastify'

/**
 * Runs a step once, when the answer is out or the connection is gone. Where whoever asked has hung up already it runs now:
 * nothing would tell of it any more.
 */
export function whenOver({ raw }: FastifyReply, step: () => void): void {
  if (raw.destroyed) step()
  else raw.once('close', step)
}
