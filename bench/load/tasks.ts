/** What the measuring process asks of the load process, and what it answers. */
import type { Target } from '../sides.ts'

export interface Tasks {
  /** Makes the devices of a fleet those that connect. @see Fleet */
  useFleet: { readonly request: { readonly file: string }; readonly answer: null }
  /** Full handshake, CONNECT, CONNACK, DISCONNECT; `count` times with `atOnce` at one time. */
  connects: {
    readonly request: {
      readonly target: Target
      readonly devices: number
      readonly count: number
      readonly atOnce: number
    }
    readonly answer: { readonly seconds: number; readonly tls: string }
  }
  /** Opens a publisher and a subscriber for each of the first `pairs` devices, and keeps them. */
  openPairs: {
    readonly request: { readonly target: Target; readonly pairs: number; readonly qos: 0 | 1; readonly batch: number }
    readonly answer: null
  }
  /** Sends messages over the pairs; ends when the subscribers have every one of them, in order. */
  exchange: {
    readonly request: { readonly messagesPerPair: number }
    readonly answer: { readonly seconds: number; readonly delivered: number }
  }
  /** Opens connections that do nothing, and keeps them; the fleet's devices take turns. */
  hold: {
    readonly request: { readonly target: Target; readonly devices: number; readonly count: number }
    readonly answer: null
  }
  /** Ends everything that is kept. @throws when the server has ended one of them before */
  release: { readonly request: Record<never, never>; readonly answer: null }
  /** Revokes devices that hold sessions, one by one. */
  revocations: {
    readonly request: {
      /** Data directory of the hub. */
      readonly data: string
      /** The first of the devices. */
      readonly from: number
      readonly count: number
    }
    /** Milliseconds from the sending of each call: to the answer, and to the end of each socket at the client. */
    readonly answer: { readonly answeredMs: readonly number[]; readonly closedMs: readonly number[] }
  }
  /** Registers devices over the API, each in a call of its own. */
  register: {
    readonly request: {
      readonly data: string
      readonly prefix: string
      readonly count: number
      readonly atOnce: number
    }
    readonly answer: { readonly seconds: number }
  }
  /** Registers devices over the API, all in one call. */
  importDevices: {
    readonly request: {
      readonly data: string
      readonly prefix: string
      readonly count: number
      /** Whether each gets a token and is answered with its bootstrap string. */
      readonly withTokens: boolean
    }
    readonly answer: { readonly seconds: number }
  }
  /** Walks through the list of devices, page by page from the first, and from the first again after the last. */
  listPages: {
    readonly request: {
      readonly data: string
      readonly limit: number
      readonly pages: number
      /** The groups to walk through one after the other, or null for the whole list. */
      readonly groups: readonly string[] | null
    }
    readonly answer: { readonly seconds: number; readonly rows: number }
  }
  /** Asks for one device after the other, with its certificates. */
  showDevices: {
    readonly request: {
      readonly data: string
      readonly ids: readonly string[]
      readonly count: number
      readonly atOnce: number
    }
    readonly answer: { readonly seconds: number }
  }
  /** Runs `handfast device show` for one device after the other. */
  showByCommand: {
    readonly request: { readonly data: string; readonly ids: readonly string[] }
    /** CPU time of the commands themselves, all in all. */
    readonly answer: { readonly seconds: number; readonly cpuMicros: number }
  }
  /** Makes keys and certificate requests, with a token for each where there is a hub, for the next `enrol`. */
  prepareEnrolments: {
    readonly request: {
      /** Data directory of a hub that registers the devices, or null. */
      readonly data: string | null
      readonly prefix: string
      readonly count: number
    }
    readonly answer: null
  }
  /** Has the prepared requests signed, and checks that each certificate that came is for its key. */
  enrol: {
    readonly request: {
      readonly protocol: 'est' | 'cfssl'
      readonly target: Target
      /** The root, in PEM. */
      readonly ca: string
      /** Whether each request has a TLS connection of its own. */
      readonly isEachOnNewConnection: boolean
      readonly atOnce: number
    }
    readonly answer: { readonly seconds: number; readonly count: number; readonly tls: string }
  }
  /** Issues certificates in the load process itself, and checks that each is stored. */
  issue: {
    readonly request: {
      /** Where registry and keys are; they stay open for the next. */
      readonly folder: string
      readonly way: 'signing' | 'order'
      readonly prefix: string
      readonly count: number
      readonly atOnce: number
    }
    readonly answer: { readonly seconds: number; readonly cpuMicros: number; readonly latenciesMs: readonly number[] }
  }
  /** Decides in the load process itself, by a policy made for it. @throws when a decision is wrong */
  decide: {
    readonly request: {
      readonly what: 'decision' | 'rights' | 'guard'
      /** Statements of the policy, and how many of them apply to whom is asked about. */
      readonly statements: number
      readonly applicable: number
      /** Topics, each asked about once. */
      readonly topics: number
      /** Packets in one chunk, where they pass the guard. */
      readonly batch: number
    }
    readonly answer: {
      readonly seconds: number
      readonly cpuMicros: number
      readonly count: number
      readonly allowed: number
    }
  }
  /** Asks for the status of certificates, one after the other and again from the first. */
  askOcsp: {
    readonly request: {
      readonly target: Target
      readonly path: string
      /** Requests in base64, one a line. */
      readonly file: string
      readonly count: number
      readonly atOnce: number
      /** False for a server that ends each connection. */
      readonly isKeptAlive: boolean
    }
    readonly answer: { readonly seconds: number }
  }
  /** Asks for each of them once, and writes the answers in base64, one a line. */
  collectOcsp: {
    readonly request: {
      readonly target: Target
      readonly path: string
      readonly file: string
      readonly out: string
    }
    readonly answer: null
  }
}

export type TaskName = keyof Tasks
export type TaskMessage = { [N in TaskName]: { readonly name: N } & Tasks[N]['request'] }[TaskName]
export type TaskReply = { readonly answer: unknown } | { readonly error: string }
