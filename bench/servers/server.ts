/** A broker that is measured. */
export interface Server {
  readonly name: 'handfast' | 'mosquitto'
  readonly pid: number
  readonly target: Target
  stop(): Promise<void>
}

/** Where the load goes. */
export interface Target {
  readonly host: string
  readonly port: number
}
