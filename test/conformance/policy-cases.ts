/** Who may do what by the roles that are ready-made, and by one that is written: for clients that are not ours. */
import type { Action } from '../../src/core/policy/rights.ts'

export interface Case {
  /** The identity, and the client id of its session. */
  readonly who: string
  /** Null for the identity's. */
  readonly clientId: string | null
  readonly action: Exclude<Action, 'receive'>
  readonly topic: string
  readonly allowed: boolean
}

/** `witness` hears and says everything: what reaches it has passed. */
export const policySource = `
roles:
  everything:
    statements:
      - allow: [connect]
      - allow: [publish, subscribe, receive, retain, will]
        topics: ['#', '$iothub/#']
  half:
    statements:
      - allow: [connect]
      - allow: [subscribe]
        topics: ['halls/#']
      - allow: [receive]
        topics: ['halls/open/#']
      - allow: [publish, retain]
        topics: ['halls/own/#']
      - deny: [retain]
        topics: ['halls/own/fleeting/#']
bindings:
  - { roles: [everything], to: { identity: witness } }
  - { roles: [own-topics], to: { identity: own-1 } }
  - { roles: [edge-node], to: { group: G1 } }
  - { roles: [{ name: host-application, with: { group: G1, read: 'G1/#' } }], to: { identity: scada } }
  - { roles: [viewer], to: { identity: wall } }
  - { roles: [azure-iot-hub-device], to: { identity: az-1 } }
  - { roles: [half], to: { identity: half-1 } }
expect:
  - nobody-1 connect => deny
`

/** The identities, each with its group. */
export const identities: ReadonlyMap<string, string | null> = new Map([
  ['witness', null],
  ['own-1', null],
  ['edge-1', 'G1'],
  ['scada', null],
  ['wall', null],
  ['az-1', null],
  ['half-1', null],
  ['nobody-1', null],
])

/** A line for each identity and action: topics that are allowed, then such that are not. */
const lines: readonly (readonly [string, Case['action'], readonly string[], readonly string[]])[] = [
  ['own-1', 'publish', ['devices/own-1/x', 'devices/own-1'], ['devices/own-2/x', 'devices/own-10/x', 'other']],
  ['own-1', 'retain', ['devices/own-1/x'], ['devices/own-2/x']],
  ['own-1', 'will', ['devices/own-1/gone'], ['devices/own-2/gone']],
  ['own-1', 'subscribe', ['devices/own-1/#', 'devices/own-1/+/x'], ['#', '+/own-1/x', 'devices/+/x', '$SYS/#']],

  ['edge-1', 'publish', ['spBv1.0/G1/NBIRTH/edge-1', 'spBv1.0/G1/NDATA/edge-1', 'spBv1.0/G1/DDATA/edge-1/d1'], []],
  // It cannot speak as another node, for another group, as a host or as the one who commands.
  ['edge-1', 'publish', [], ['spBv1.0/G1/NDATA/edge-2', 'spBv1.0/G2/NDATA/edge-1', 'spBv1.0/G1/DDATA/edge-2/d1']],
  ['edge-1', 'publish', [], ['spBv1.0/G1/NCMD/edge-1', 'spBv1.0/STATE/scada', 'STATE/scada']],
  ['edge-1', 'retain', [], ['spBv1.0/G1/NBIRTH/edge-1']],
  ['edge-1', 'will', ['spBv1.0/G1/NDEATH/edge-1'], ['spBv1.0/G1/NDEATH/edge-2', 'spBv1.0/G1/NDATA/edge-1']],
  ['edge-1', 'subscribe', ['spBv1.0/G1/NCMD/edge-1', 'spBv1.0/G1/DCMD/edge-1/#', 'spBv1.0/STATE/scada'], []],
  ['edge-1', 'subscribe', ['STATE/scada'], ['spBv1.0/#', 'spBv1.0/G1/NCMD/+', 'spBv1.0/G1/NDATA/edge-1']],

  ['scada', 'publish', ['spBv1.0/G1/NCMD/edge-1', 'spBv1.0/G1/DCMD/edge-1/d1'], ['spBv1.0/G2/NCMD/edge-1']],
  ['scada', 'publish', [], ['spBv1.0/G1/NDATA/edge-1', 'STATE/other']],
  ['scada', 'retain', ['spBv1.0/STATE/scada', 'STATE/scada'], ['spBv1.0/STATE/other']],
  ['scada', 'will', ['spBv1.0/STATE/scada'], ['spBv1.0/STATE/other']],
  ['scada', 'subscribe', ['spBv1.0/G1/#', 'STATE/+'], ['spBv1.0/#', 'spBv1.0/G2/#', '#']],

  ['wall', 'publish', [], ['spBv1.0/G1/NCMD/edge-1', 'STATE/wall', 'devices/wall/x']],
  ['wall', 'will', [], ['STATE/wall']],
  ['wall', 'subscribe', ['spBv1.0/#', 'spBv1.0/G1/NDATA/+', 'STATE/+'], ['#', 'devices/wall/#']],

  [
    'az-1',
    'publish',
    ['devices/az-1/messages/events/', 'devices/az-1/messages/events/a=b', '$iothub/twin/GET/?$rid=1'],
    [],
  ],
  ['az-1', 'publish', ['$iothub/methods/res/200/?$rid=1'], ['devices/az-2/messages/events/', '$iothub/methods/POST/x']],
  ['az-1', 'subscribe', ['devices/az-1/messages/devicebound/#', '$iothub/twin/res/#', '$iothub/methods/POST/#'], []],
  ['az-1', 'subscribe', [], ['$iothub/#', 'devices/az-2/messages/devicebound/#', '$SYS/#']],

  ['half-1', 'publish', ['halls/own/x', 'halls/own/fleeting/x'], ['halls/open/x']],
  ['half-1', 'retain', ['halls/own/x'], ['halls/own/fleeting/x', 'halls/open/x']],
  ['half-1', 'subscribe', ['halls/#', 'halls/closed/#', 'halls'], ['+/open', 'halls2/#']],

  ['nobody-1', 'connect', [], ['']],
  ['own-1', 'connect', [''], []],
]

export const cases: readonly Case[] = [
  ...lines.flatMap(([who, action, allowed, denied]) => [
    ...allowed.map((topic): Case => ({ who, clientId: null, action, topic, allowed: true })),
    ...denied.map((topic): Case => ({ who, clientId: null, action, topic, allowed: false })),
  ]),
  // Its role fixes the client id.
  { who: 'az-1', clientId: 'another', action: 'connect', topic: '', allowed: false },
  { who: 'own-1', clientId: 'another', action: 'connect', topic: '', allowed: true },
]
