import { alternativeNames, generalName, type RuleCases, soundDevice, withExtension } from '../draft.ts'

const mailed = (text: string) => (draft: Parameters<typeof withExtension>[0]) =>
  withExtension(draft, alternativeNames(generalName('email', text)))

export const cases: RuleCases = {
  good: [
    soundDevice,
    { what: 'a mailbox', draft: mailed('anna.berg@plant.example') },
    { what: 'a mailbox with a tag', draft: mailed("o'brien+hub@plant.example") },
  ],
  bad: [
    { what: 'a host alone, which stands for everybody there', draft: mailed('plant.example') },
    { what: 'a name in front', draft: mailed('Anna <anna@plant.example>') },
    { what: 'a "*"', draft: mailed('*@plant.example') },
    { what: 'two mailboxes', draft: mailed('a@plant.example,b@plant.example') },
    { what: 'no host', draft: mailed('anna@') },
  ],
}
