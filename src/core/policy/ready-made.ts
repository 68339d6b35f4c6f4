/** Roles that are there without being written: a policy binds them by name, and may write one of the same name instead. */
import type { Role, RoleLimits, Statement } from './model.ts'
import { type Action, actions } from './rights.ts'

const everything = actions.filter((action) => action !== 'connect')
const nowhere = { line: 0, column: 0 }

function allow(what: readonly Action[], ...topics: readonly string[]): Statement {
  return { effect: 'allow', actions: what, topics, when: {}, place: nowhere }
}

function role(
  name: string,
  parameters: Readonly<Record<string, string>>,
  statements: readonly Statement[],
  limits: RoleLimits = {},
): readonly [string, Role] {
  const mayConnect = allow(['connect'])
  const all = [mayConnect, ...statements]
  return [name, { name, parameters: new Map(Object.entries(parameters)), statements: all, limits }]
}

const id = '${identity.id}'

/** Sparkplug B: `spBv1.0/<group>/<type>/<edge node>[/<device>]`, and the state of hosts in the forms of 3.0 and 2.2. */
const state = (host: string): readonly string[] => [`spBv1.0/STATE/${host}`, `STATE/${host}`]

export const readyMadeRoles: ReadonlyMap<string, Role> = new Map([
  /** What lies below `devices/<id>/`: what everybody has where no policy says otherwise. */
  role('own-topics', {}, [allow(everything, `devices/${id}/#`)]),

  /** What is left to a certificate that waits for an operator; nobody else has it. */
  role('quarantine', {}, [allow(everything, `quarantine/${id}/#`)]),

  /** The topics of a device of Azure IoT Hub, which takes the device id for client id and has no QoS 2. */
  role(
    'azure-iot-hub-device',
    {},
    [
      allow(['publish', 'will', 'retain'], `devices/${id}/messages/events`, `devices/${id}/messages/events/#`),
      allow(['subscribe', 'receive'], `devices/${id}/messages/devicebound/#`),
      allow(['publish'], '$iothub/twin/GET/+', '$iothub/twin/PATCH/properties/reported/+', '$iothub/methods/res/+/+'),
      allow(
        ['subscribe', 'receive'],
        '$iothub/twin/res/#',
        '$iothub/twin/PATCH/properties/desired/#',
        '$iothub/methods/POST/#',
      ),
    ],
    { clientId: id, qosMax: 1 },
  ),

  /** A Sparkplug B edge node: it speaks as itself alone, and hears its own commands. */
  role('edge-node', { group: '${identity.group}', node: id, host: '+' }, [
    allow(['publish', 'will'], 'spBv1.0/${role.group}/NDEATH/${role.node}'),
    allow(
      ['publish'],
      ...['NBIRTH', 'NDATA'].map((type) => `spBv1.0/\${role.group}/${type}/\${role.node}`),
      ...['DBIRTH', 'DDATA', 'DDEATH'].map((type) => `spBv1.0/\${role.group}/${type}/\${role.node}/+`),
    ),
    allow(
      ['subscribe', 'receive'],
      'spBv1.0/${role.group}/NCMD/${role.node}',
      'spBv1.0/${role.group}/DCMD/${role.node}/#',
      ...state('${role.host}'),
    ),
  ]),

  /** A Sparkplug B host application: its own state, commands to all edge nodes of its groups, and what they say. */
  role('host-application', { host: id, group: '+', read: '#' }, [
    allow(['publish', 'retain', 'will'], ...state('${role.host}')),
    allow(['publish'], 'spBv1.0/${role.group}/NCMD/+', 'spBv1.0/${role.group}/DCMD/+/+'),
    allow(['subscribe', 'receive'], 'spBv1.0/${role.read}', ...state('+'), '$sparkplug/certificates/#'),
  ]),

  /** Reads Sparkplug B and says nothing. */
  role('viewer', { read: '#' }, [
    allow(['subscribe', 'receive'], 'spBv1.0/${role.read}', ...state('+'), '$sparkplug/certificates/#'),
  ]),
])
