import { holder, issuing, type RuleCases, soundDevice, soundIssuing, soundRoot } from '../draft.ts'

export const cases: RuleCases = {
  good: [soundDevice, soundIssuing, soundRoot],
  bad: [
    { what: 'a device with the key of its issuer', draft: () => ({ publicKey: issuing.key.spki }) },
    {
      what: 'an authority with the key of its issuer',
      of: 'issuing',
      plan: ({ issuer }) => ({ issuer: issuer === null ? null : { ...issuer, publicKey: holder.spki } }),
    },
  ],
}
