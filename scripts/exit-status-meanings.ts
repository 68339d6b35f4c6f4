/** What the exit statuses mean, for the pages that list them. */
import { exitStatus } from '../src/core/failure/wire-forms.ts'

export const exitStatusMeanings: Readonly<Record<keyof typeof exitStatus, string>> = {
  ok: 'done',
  failed: 'something went wrong inside Handfast',
  usage: 'the command line, the configuration or the request is not valid',
  refused: 'refused: not authenticated or not allowed',
  notFound: 'what was named does not exist',
  conflict: 'the present state does not allow it',
  unavailable: 'the hub, a port or the network is not available now; trying again may help',
  local: 'a file, a folder or the clock of this machine is not usable',
}

/** Statuses with their meaning, in order. */
export const exitStatuses: readonly (readonly [number, string])[] = Object.entries(exitStatusMeanings).map(
  ([name, meaning]) => [exitStatus[name as keyof typeof exitStatus], meaning],
)
