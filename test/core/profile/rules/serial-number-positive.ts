import { type RuleCases, serialNumber, soundDevice } from '../draft.ts'

export const cases: RuleCases = {
  good: [soundDevice, { what: 'a number of one octet', draft: () => ({ serialNumber: Uint8Array.of(1) }) }],
  bad: [
    { what: 'the number zero, which one rival can draw', draft: () => ({ serialNumber: Uint8Array.of(0) }) },
    {
      what: 'a negative number',
      draft: () => ({ serialNumber: Buffer.concat([Uint8Array.of(0x9f), serialNumber.subarray(1)]) }),
    },
    {
      what: '20 octets whose highest bit makes them 21',
      draft: () => ({ serialNumber: Buffer.concat([Uint8Array.of(0, 0x80), serialNumber.subarray(1)]) }),
    },
  ],
}
