/** All reasons that are made, in the order of their files. */
import type { Row } from './row.ts'
import { rows as brokers } from './rows/brokers.ts'
import { rows as certificates } from './rows/certificates.ts'
import { rows as refusedHubs } from './rows/refused-hubs.ts'
import { rows as sessions } from './rows/sessions.ts'
import { rows as transport } from './rows/transport.ts'

export const allRows: readonly Row[] = [...certificates, ...refusedHubs, ...transport, ...sessions, ...brokers]
