/** Every row by its name. Revocations use devices up, so they come after the rows that connect as them. */
import type { Bed } from '../bed.ts'
import type { Row } from '../figures.ts'
import type { RowName } from '../options.ts'
import { connectRows } from './connect.ts'
import { enrolRows } from './enrol.ts'
import { growthRows } from './growth.ts'
import { issueRows } from './issue.ts'
import { memoryRows } from './memory.ts'
import { messageRows } from './messages.ts'
import { ocspRows } from './ocsp.ts'
import { policyRows } from './policy.ts'
import { registryRows } from './registry.ts'
import { revokeRows } from './revoke.ts'

export const rowsOf: Readonly<Record<RowName, (bed: Bed) => Promise<readonly Row[]>>> = {
  connect: connectRows,
  messages: messageRows,
  policy: policyRows,
  memory: memoryRows,
  revoke: revokeRows,
  registry: registryRows,
  issue: issueRows,
  enrol: enrolRows,
  ocsp: ocspRows,
  growth: growthRows,
}
