/** What a simulated sensor measures. */

export interface Reading {
  readonly deviceId: string
  /** Counted from 0 for each run of a device. */
  readonly messageId: number
  /** Whole degrees Celsius, 20 to 34. */
  readonly temperature: number
  /** Whole per cent, 60 to 79. */
  readonly humidity: number
  /** True above 30 degrees. */
  readonly temperatureAlert: boolean
}

const alertAboveC = 30

/** @param random a number from 0 up to, not including, 1 */
export function takeReading(deviceId: string, messageId: number, random: () => number): Reading {
  const temperature = 20 + Math.floor(random() * 15)
  const humidity = 60 + Math.floor(random() * 20)
  return { deviceId, messageId, temperature, humidity, temperatureAlert: temperature > alertAboveC }
}
