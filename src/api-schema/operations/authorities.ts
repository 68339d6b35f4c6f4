/** Authorities: seeing them, making more, and changing one for another. */
import * as example from '../authority-examples.ts'
import {
  authorityParams,
  beginRollOverRequest,
  chainParams,
  createChainRequest,
  cutRollOverRequest,
  exportKeyRequest,
  installAuthorityRequest,
  keptKeyRequest,
  requestAuthorityRequest,
} from '../authority-requests.ts'
import {
  authorityDetailView,
  authorityListView,
  authorityRequestView,
  authorityView,
  exportedKeyView,
  rollOverListView,
  rollOverView,
} from '../authority-views.ts'
import { jsonBody, operation, optionalBody } from '../operation.ts'
import { emptyRequest } from '../requests.ts'

export const listAuthorities = operation({
  id: 'listAuthorities',
  act: 'authority.read',
  method: 'GET',
  path: '/api/v1/authorities',
  tag: 'authorities',
  summary: 'List authorities',
  description: 'Every authority there has been, in order of creation, with its state and the place of its key.',
  answer: {
    kind: 'json',
    status: 200,
    description: 'All of them.',
    schema: authorityListView,
    example: { items: [example.root, example.issuing] },
  },
})

export const showAuthority = operation({
  id: 'showAuthority',
  act: 'authority.read',
  method: 'GET',
  path: '/api/v1/authorities/{id}',
  tag: 'authorities',
  summary: 'Show an authority',
  description: 'With its certificates in PEM.',
  params: authorityParams,
  answer: {
    kind: 'json',
    status: 200,
    description: 'It.',
    schema: authorityDetailView,
    example: example.detail,
  },
  failures: ['not-found'],
})

export const createChain = operation({
  id: 'createChain',
  act: 'authority.change',
  method: 'POST',
  path: '/api/v1/authorities',
  tag: 'authorities',
  summary: 'Make another chain',
  description:
    'A root and an issuing authority below it, with keys of the given kind: for devices that know only RSA, say. Operators issue from it by its name; devices that enrol, and the listeners of the hub, stay with the chain `main`.',
  body: jsonBody(createChainRequest, { chain: 'rsa', keyType: 'RSA-3072' }),
  answer: {
    kind: 'json',
    status: 201,
    description: 'Root and issuing authority.',
    schema: authorityListView,
    example: { items: [example.root, example.issuing] },
  },
  keyed: true,
  isLong: true,
  failures: ['chain-exists', 'certificate-lint-failed'],
})

export const exportAuthorityKey = operation({
  id: 'exportAuthorityKey',
  act: 'authority.change',
  method: 'POST',
  path: '/api/v1/authorities/{id}/key/export',
  tag: 'authorities',
  summary: 'Export the key of a root',
  description: 'Encrypted with a passphrase, to be kept elsewhere. The key stays in the hub until it is removed.',
  params: authorityParams,
  body: jsonBody(exportKeyRequest, { passphrase: 'three words and a 7' }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'The key.',
    schema: exportedKeyView,
    example: example.exportedKey,
  },
  keyed: true,
  isLong: true,
  failures: ['not-found', 'authority-key-needed', 'authority-key-offline', 'key-file-damaged'],
})

export const removeAuthorityKey = operation({
  id: 'removeAuthorityKey',
  act: 'authority.change',
  method: 'POST',
  path: '/api/v1/authorities/{id}/key/remove',
  tag: 'authorities',
  summary: 'Remove the key of a root',
  description:
    'Takes it out of the hub, after the copy that comes with the request was seen to open. What stands below the root goes on; the last CRL of the root is made to last until the key is back.',
  params: authorityParams,
  body: jsonBody(keptKeyRequest, { key: example.exportedKey.key, passphrase: 'three words and a 7' }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'The root, whose key is offline.',
    schema: authorityView,
    example: example.offlineRoot,
  },
  keyed: true,
  isLong: true,
  failures: [
    'not-found',
    'authority-key-needed',
    'authority-key-offline',
    'key-import-refused',
    'roll-over-open',
    'data-directory-unusable',
  ],
})

export const importAuthorityKey = operation({
  id: 'importAuthorityKey',
  act: 'authority.change',
  method: 'POST',
  path: '/api/v1/authorities/{id}/key/import',
  tag: 'authorities',
  summary: 'Bring the key of a root back',
  description: 'For a ceremony: a new issuing authority, a new root.',
  params: authorityParams,
  body: jsonBody(keptKeyRequest, { key: example.exportedKey.key, passphrase: 'three words and a 7' }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'The root, whose key is in the hub.',
    schema: authorityView,
    example: example.root,
  },
  keyed: true,
  isLong: true,
  failures: [
    'not-found',
    'authority-key-needed',
    'authority-key-here',
    'key-import-refused',
    'data-directory-unusable',
  ],
})

export const requestAuthority = operation({
  id: 'requestAuthority',
  act: 'authority.change',
  method: 'POST',
  path: '/api/v1/authority-requests',
  tag: 'authorities',
  summary: 'Ask for an issuing authority below a root of your own',
  description:
    'Makes a key and a certificate request for it. Asking again for the same chain makes another key; the request before is void.',
  body: jsonBody(requestAuthorityRequest, { chain: 'company', keyType: 'P-256' }),
  answer: {
    kind: 'json',
    status: 201,
    description: 'The request.',
    schema: authorityRequestView,
    example: example.request,
  },
  keyed: true,
  isLong: true,
  failures: ['chain-exists', 'data-directory-unusable'],
})

export const installAuthority = operation({
  id: 'installAuthority',
  act: 'authority.change',
  method: 'POST',
  path: '/api/v1/authority-requests/{chain}/install',
  tag: 'authorities',
  summary: 'Install what a root of your own has signed',
  description: "The chain issues from then on. The root is trusted and published; its key is not the hub's.",
  params: chainParams,
  body: jsonBody(installAuthorityRequest, {
    certificate: example.detail.certificate,
    root: example.detail.certificate,
  }),
  answer: {
    kind: 'json',
    status: 201,
    description: 'Root and issuing authority.',
    schema: authorityListView,
    example: { items: [example.offlineRoot, example.issuing] },
  },
  keyed: true,
  isLong: true,
  failures: ['chain-exists', 'own-root-missing', 'own-root-refused'],
})

export const listRollOvers = operation({
  id: 'listRollOvers',
  act: 'authority.read',
  method: 'GET',
  path: '/api/v1/roll-overs',
  tag: 'authorities',
  summary: 'List roll-overs',
  description: 'Every change of an authority for another one, newest first, and how far it has come.',
  answer: {
    kind: 'json',
    status: 200,
    description: 'All of them.',
    schema: rollOverListView,
    example: { items: [example.rollOver] },
  },
})

export const beginRollOver = operation({
  id: 'beginRollOver',
  act: 'authority.change',
  method: 'POST',
  path: '/api/v1/roll-overs',
  tag: 'authorities',
  summary: 'Change an authority for a new one',
  description:
    'An issuing authority changes without asking any device: the chain is sent. A new root is certified by the old one and published; the old one stays trusted until the cut.',
  body: jsonBody(beginRollOverRequest, { role: 'root' }),
  answer: {
    kind: 'json',
    status: 201,
    description: 'It is under way.',
    schema: rollOverView,
    example: example.rollOver,
  },
  keyed: true,
  isLong: true,
  failures: ['not-found', 'roll-over-open', 'authority-key-offline', 'certificate-lint-failed'],
})

function step(id: string, word: string, summary: string, description: string) {
  return operation({
    id,
    act: 'authority.change',
    method: 'POST',
    path: `/api/v1/roll-overs/{chain}/${word}`,
    tag: 'authorities',
    summary,
    description,
    params: chainParams,
    body: optionalBody(emptyRequest, {}),
    answer: {
      kind: 'json',
      status: 200,
      description: 'As it is now.',
      schema: rollOverView,
      example: example.rollOver,
    },
    keyed: true,
    isLong: true,
    failures: ['roll-over-missing', 'roll-over-step-refused'],
  })
}

export const pauseRollOver = step('pauseRollOver', 'pause', 'Pause a roll-over', 'It stays where it is.')
export const resumeRollOver = step('resumeRollOver', 'resume', 'Resume a roll-over', 'It goes on from where it is.')
export const undoRollOver = step(
  'undoRollOver',
  'undo',
  'Undo a roll-over',
  'The old authority signs again. What the successor has signed stays good until it ends.',
)

export const cutRollOver = operation({
  id: 'cutRollOver',
  act: 'authority.change',
  method: 'POST',
  path: '/api/v1/roll-overs/{chain}/cut',
  tag: 'authorities',
  summary: 'Take the old root away',
  description:
    'As soon as the share of devices is known to trust the new one. A device is known to when it has fetched the roots with its certificate; about every other one nothing is known. This cannot be undone.',
  params: chainParams,
  body: optionalBody(cutRollOverRequest, { sharePercent: 98 }),
  answer: {
    kind: 'json',
    status: 200,
    description: 'Done, or waiting for the share.',
    schema: rollOverView,
    example: example.rollOver,
  },
  keyed: true,
  isLong: true,
  failures: ['roll-over-missing', 'roll-over-step-refused'],
})
