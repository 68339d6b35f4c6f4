import { contextPrimitive } from '../../../../src/core/x509/der-tags.ts'
import { derElement } from '../../../../src/core/x509/der-writer.ts'
import { alternativeNames, generalName, type RuleCases, soundServer, withExtension } from '../draft.ts'

const named =
  (...names: readonly string[]) =>
  (draft: Parameters<typeof withExtension>[0]) =>
    withExtension(draft, alternativeNames(...names.map((name) => generalName('dns', name))))
const address = derElement(contextPrimitive(7), Uint8Array.of(10, 3, 0, 11))

export const cases: RuleCases = {
  good: [
    soundServer,
    { what: 'a name of one label', draft: named('broker') },
    { what: 'an internationalized name', draft: named('xn--bcher-kva.example') },
    {
      what: 'an address beside itself, for mbedTLS',
      draft: (draft) => withExtension(draft, alternativeNames(generalName('dns', '10.3.0.11'), address)),
      plan: ({ profile }) => ({ profile: { ...profile, names: { ...profile.names, addressesAsDns: true } } }),
    },
  ],
  bad: [
    { what: 'a "*" that came in through a pattern', draft: named('*.plant.example') },
    { what: 'a "*" within a label', draft: named('a*.plant.example') },
    { what: 'an empty label', draft: named('hub..example') },
    { what: 'a dot at the end', draft: named('hub.example.') },
    { what: 'a blank', draft: named('hub example') },
    { what: 'a label of 64 characters', draft: named(`${'a'.repeat(64)}.example`) },
    { what: 'a name of 255 characters', draft: named(`${'a.'.repeat(126)}abc`) },
    { what: 'the address of another host beside it', draft: named('hub.example', '10.3.0.12') },
    {
      what: 'an address beside itself, for readers that need none',
      draft: (draft) => withExtension(draft, alternativeNames(generalName('dns', '10.3.0.11'), address)),
    },
    { what: 'nothing', draft: named('') },
  ],
}
