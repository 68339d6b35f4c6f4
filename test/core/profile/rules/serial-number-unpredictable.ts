import { type RuleCases, serialNumber, soundDevice } from '../draft.ts'

const hex = serialNumber.toString('hex')

export const cases: RuleCases = {
  good: [
    soundDevice,
    { what: 'a number far from the one before', plan: () => ({ previousSerialNumber: `40${hex.slice(2)}` }) },
  ],
  bad: [
    { what: 'a counter', draft: () => ({ serialNumber: Uint8Array.of(0x10, 0x42) }) },
    { what: 'a counter behind zeros', draft: () => ({ serialNumber: Buffer.from(`40${'00'.repeat(17)}1042`, 'hex') }) },
    { what: 'the number of the one before', plan: () => ({ previousSerialNumber: hex }) },
    { what: 'the number after the one before', plan: () => ({ previousSerialNumber: `${hex.slice(0, -2)}e4` }) },
  ],
}
