/** Return codes of MQTT 3.1.1 (§3.2.2.3) and reason codes of MQTT 5 (§2.4) by their names in the standards. */

const v3: readonly string[] = [
  'accepted',
  'unacceptable protocol version',
  'identifier rejected',
  'server unavailable',
  'bad user name or password',
  'not authorized',
]

const v5: Readonly<Record<number, string>> = {
  128: 'unspecified error',
  129: 'malformed packet',
  130: 'protocol error',
  131: 'implementation specific error',
  132: 'unsupported protocol version',
  133: 'client identifier not valid',
  134: 'bad user name or password',
  135: 'not authorized',
  136: 'server unavailable',
  137: 'server busy',
  138: 'banned',
  139: 'server shutting down',
  140: 'bad authentication method',
  141: 'keep alive timeout',
  142: 'session taken over',
  143: 'topic filter invalid',
  144: 'topic name invalid',
  145: 'packet identifier in use',
  147: 'receive maximum exceeded',
  148: 'topic alias invalid',
  149: 'packet too large',
  150: 'message rate too high',
  151: 'quota exceeded',
  152: 'administrative action',
  153: 'payload format invalid',
  154: 'retain not supported',
  155: 'QoS not supported',
  156: 'use another server',
  157: 'server moved',
  158: 'shared subscriptions not supported',
  159: 'connection rate exceeded',
  160: 'maximum connect time',
  161: 'subscription identifiers not supported',
  162: 'wildcard subscriptions not supported',
}

/** As in "0x87 (not authorized)", and "5 (not authorized)" of MQTT 3.1.1. */
export function reasonText(code: number, version: 4 | 5): string {
  const isOld = code < 0x80
  const name = isOld ? v3[code] : version === 4 && code === 0x80 ? 'failure' : v5[code]
  const number = isOld ? String(code) : `0x${code.toString(16)}`
  return name === undefined ? number : `${number} (${name})`
}
